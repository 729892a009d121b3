"""How `train` divides its samples: units that belong together, leaks of a split that was brought, folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, IntArray, StrArray
from graticule.errors import FoldError
from graticule.features.samples import Samples
from graticule.images.preprocess import Preprocessing
from graticule.manifest import Manifest
from graticule.progress import Reporter
from graticule.split.components import components
from graticule.split.folds import Folds, make_folds
from graticule.split.kinship import kinship_notes, relate, split_leaks
from graticule.split.leaks import Leak, refuse_leaks
from graticule.split.options import SplitOptions
from graticule.split.parents import Parents, cross_fitted, parents_among
from graticule.split.training_only import add_training_only, training_only


@dataclass(frozen=True)
class Division:
    """Where each sample stands.

    Attributes
    ----------
    folds : Folds
    leaks : list of Leak
        What stands on both sides of a split that was brought.
    notes : list of str
        What the report says of copies and near-copies.
    copies : int array, shape (n,), or None
        Equal numbers: copies that the folds keep together; None where none were looked for.
    parents : frozenset of str
        Hashes of the files that the generators of synthetic training images saw.
    """

    folds: Folds
    leaks: list[Leak]
    notes: list[str]
    copies: NDArray[np.int64] | None = None
    parents: frozenset[str] = frozenset()


class MakeFolds(Protocol):
    """Makes the folds of samples that may judge, of which some are copies (None: not known) and some leak.

    `given` are the folds of the cross-validated ones, where generators of synthetic images decide them.
    """

    def __call__(
        self,
        real: Manifest,
        duplicates: NDArray[np.int64] | None,
        leaks: Sequence[Leak],
        options: SplitOptions,
        given: IntArray | None = None,
    ) -> Folds: ...


def kept_together(
    real: Manifest, duplicates: NDArray[np.int64] | None, leaks: Sequence[Leak]
) -> tuple[StrArray | None, NDArray[np.int64] | None]:
    """Groups and copies that folds keep together. With leaks allowed the test part stays as the user has it."""
    group = real.group
    if leaks and real.split is not None:
        test = real.split == "test"
        group = None if group is None else np.where(test, "", group).astype(object)
        duplicates = None if duplicates is None else np.where(test, -1, duplicates)
    return group, duplicates


def class_folds(
    real: Manifest,
    duplicates: NDArray[np.int64] | None,
    leaks: Sequence[Leak],
    options: SplitOptions,
    given: IntArray | None = None,
) -> Folds:
    """Folds in which every class stands."""
    group, duplicates = kept_together(real, duplicates, leaks)
    return make_folds(
        real.label,
        k=options.folds,
        group=group,
        duplicates=duplicates,
        test_size=options.test_size,
        calibration=options.calibration,
        split=real.split,
        seed=options.seed,
        sample_id=real.sample_id,
        given=given,
    )


def check_split(manifest: Manifest, options: SplitOptions, folds_of: MakeFolds = class_folds) -> None:
    """Raise now what would be wrong with the folds whatever the images show."""
    real = manifest.take(training_only(manifest) == "")
    leaks = split_leaks(real, None)
    if not options.allow_leaks:
        refuse_leaks(leaks)
    folds_of(real, None, leaks, options)


def divide_samples(
    samples: Samples,
    preprocessing: Preprocessing,
    options: SplitOptions,
    reporter: Reporter,
    folds_of: MakeFolds = class_folds,
    parents: Mapping[str, frozenset[str]] | None = None,
    *,
    refitted: bool = False,
) -> Division:
    """Folds that no group, copy or near-copy straddles.

    Parameters
    ----------
    samples : Samples
    preprocessing : Preprocessing
    options : SplitOptions
    reporter : Reporter
    folds_of : callable
    parents : mapping, optional
        Hashes of the files that each generator of synthetic images saw, see `graticule.split.parents_table`.
    refitted : bool
        Whether a model of all cross-validated samples is shipped, rather than those of the folds.

    Raises
    ------
    ManifestError
        When the split that was brought leaks, and leaks are not allowed.
    FoldError
        When the folds asked for are impossible, or synthetic images may train in none of them.
    """
    manifest = samples.manifest
    seen = None if parents is None else parents_among(manifest, parents)
    kinship = relate(samples, preprocessing, reporter)
    near = options.near_duplicates != "exact"
    leaks = split_leaks(manifest, kinship, near=near)
    if not options.allow_leaks:
        refuse_leaks(leaks)
    try:
        folds = _all_folds(manifest, kinship.near if near else kinship.exact, leaks, options, folds_of, seen, refitted)
    except FoldError:
        if options.near_duplicates != "auto":
            raise
        # near-duplicates that leave too few units to divide: the report asks about them
        near, folds = False, _all_folds(manifest, kinship.exact, leaks, options, folds_of, seen, refitted)
    copies = kinship.near if near else kinship.exact
    notes = kinship_notes(kinship, manifest, joined=near)
    return Division(folds, leaks, notes, copies, frozenset().union(*(parents or {}).values()))


def _all_folds(
    manifest: Manifest,
    duplicates: NDArray[np.int64],
    leaks: Sequence[Leak],
    options: SplitOptions,
    folds_of: MakeFolds,
    seen: Parents | None,
    refitted: bool,
) -> Folds:
    """Folds of the samples that may judge, with those that only train in training folds where there are any."""
    kind = training_only(manifest)
    judging = np.asarray(kind == "", dtype=bool)
    given = None if seen is None else _given(manifest, judging, duplicates, options, seen)
    folds = folds_of(manifest.take(judging), duplicates[judging], leaks, options, given)
    return (
        folds if judging.all() else add_training_only(folds, kind, manifest.group, duplicates, seen, refitted=refitted)
    )


def _given(
    manifest: Manifest, judging: BoolArray, duplicates: IntArray, options: SplitOptions, seen: Parents
) -> IntArray | None:
    """Fold of each sample that may judge, where the generators of synthetic images decide them."""
    if options.folds == 1 or options.test_size or options.calibration:
        return None
    inside = judging if manifest.split is None else judging & np.asarray(manifest.split != "test", dtype=bool)
    fold = cross_fitted(seen, components(len(manifest), manifest.group, duplicates), inside)
    return None if fold is None else fold[judging]
