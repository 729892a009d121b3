"""Synthetic images and the real ones that their generator saw.

A generator may repeat what it saw, so a model that learns from its images knows something of each of these. Its images
therefore train only where no image that it saw, none of the same group and no copy of one is judged. So that every
image can judge once, generators are trained as folds are (cross-fitting): each leaves out a part of the images, and its
own images train where that part is judged. The folds then follow the generators.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, IntArray
from graticule.errors import FoldError, ManifestError
from graticule.manifest import Manifest, escape_path

# tensor of a bundle's reference: hashes of the files that generators of synthetic training images saw, (n, 32) uint8
PARENTS = "parents_sha256"
_SHOWN = 5


@dataclass(frozen=True)
class Parents:
    """What the generators of synthetic samples saw, among n samples.

    Attributes
    ----------
    names : tuple of str
    generator : int array, shape (n,)
        The generator of each sample, a place in `names`; -1 for samples of none.
    seen : bool array, shape (number of generators, n)
    """

    names: tuple[str, ...]
    generator: IntArray
    seen: BoolArray


def parents_among(manifest: Manifest, table: Mapping[str, frozenset[str]]) -> Parents:
    """The parents among samples whose column `sha256` is known.

    Parameters
    ----------
    manifest : Manifest
        With the columns `sha256` and `generator`.
    table : mapping of a generator's name to hashes of files
    """
    place = {name: i for i, name in enumerate(table)}
    synthetic = manifest.columns["origin"] == "synthetic"
    names = manifest.columns["generator"].tolist()
    generator = [place[name] if own else -1 for name, own in zip(names, synthetic.tolist(), strict=True)]
    hashes = manifest.columns["sha256"].tolist()
    seen = [[sha in own for sha in hashes] for own in table.values()]
    return Parents(tuple(table), np.array(generator, np.int64), np.array(seen, bool).reshape(len(table), -1))


def cross_fitted(parents: Parents, component: IntArray, judging: BoolArray) -> IntArray | None:
    """Folds that follow the generators: the images that each of them did not see.

    Parameters
    ----------
    parents : Parents
    component : int array, shape (n,)
        Units of the split.
    judging : bool array, shape (n,)
        Samples that are cross-validated.

    Returns
    -------
    int array, shape (n,), or None
        Fold of each judging sample, -1 elsewhere; None unless there are two such parts or more, and each unit is in
        exactly one of them.
    """
    units = np.unique(component[judging])
    fresh = []
    for seen in parents.seen:
        known = np.unique(component[seen & (parents.generator < 0)])
        unseen = ~np.isin(units, known)
        if unseen.any():
            fresh.append(unseen)
    if len(fresh) < 2 or not (np.sum(fresh, axis=0) == 1).all():
        return None
    fold_of = dict(zip(units.tolist(), np.argmax(fresh, axis=0).tolist(), strict=True))
    return np.array([fold_of[c] if own else -1 for c, own in zip(component.tolist(), judging, strict=True)], np.int64)


def may_train(parents: Parents, component: IntArray, part: NDArray[np.object_], fold: IntArray, k: int) -> BoolArray:
    """In the training of which folds the images of each generator may take part.

    Parameters
    ----------
    parents : Parents
    component : int array, shape (n,)
    part : object array of str, shape (n,)
        "cv", "test" or "calibration" of samples that may judge.
    fold : int array, shape (n,)
    k : int

    Returns
    -------
    bool array, shape (number of generators, k + 1)
        A column per fold; the last one: whether they may train a model of all cross-validated images.
    """
    judging = parents.generator < 0
    may = np.ones((len(parents.names), k + 1), bool)
    for g, seen in enumerate(parents.seen):
        kin = judging & np.isin(component, component[seen & judging])
        if (kin & (part != "cv")).any():
            may[g] = False
        elif k > 1:
            may[g, np.unique(fold[kin])] = False
    return may


def parents_in_training(parents: Parents, component: IntArray, may: BoolArray) -> BoolArray:
    """Which samples are parents, or of a unit with one, of generators whose images train in each fold.

    Parameters
    ----------
    parents : Parents
    component : int array, shape (n,)
    may : bool array, shape (number of generators, k)
        Without the last column of `may_train`.

    Returns
    -------
    bool array, shape (n, k)
    """
    judging = parents.generator < 0
    found = np.zeros((len(component), may.shape[1]), bool)
    for seen, folds in zip(parents.seen, may, strict=True):
        kin = judging & np.isin(component, component[seen & judging])
        found |= kin[:, None] & folds
    return found


def check_of_use(parents: Parents, may: BoolArray) -> None:
    """Refuse generators whose images no fold may learn from.

    Raises
    ------
    FoldError
        When none of them may train in any fold.
    """
    if may[:, :-1].any():
        return
    counts = [int((parents.generator == g).sum()) for g in range(len(parents.names))]
    told = [f"{name!r}: {n:,} images" for name, n in zip(parents.names, counts, strict=True)][:_SHOWN]
    raise FoldError(
        f"{sum(counts):,} synthetic images were made from images that judge, or from copies or group-mates of such: "
        f"{', '.join(told)}. A model that learns from them knows its exam, and no fold is free of their parents. What "
        "would work: a generator per fold, each made without the images of that fold (the folds then follow the "
        "generators); or a held-out part that the generator did not see (column split) with --folds 1; or leaving "
        "these images out"
    )


def parent_notes(parents: Parents, may: BoolArray, *, refitted: bool) -> list[str]:
    """What the report says of the generators, from `may_train`; `refitted` as in `divide_samples`."""
    k, notes = may.shape[1] - 1, []
    for g, name in enumerate(parents.names):
        n, n_seen = int((parents.generator == g).sum()), int(parents.seen[g].sum())
        images = f"generator {name!r} saw {n_seen:,} of the real images: its {n:,} synthetic images"
        folds = np.flatnonzero(may[g, :-1]) + 1
        if not may[g, -1]:
            notes.append(f"{images} were left out, since what it saw belongs to the held-out part")
        elif not len(folds) and refitted:
            notes.append(f"{images} train the shipped model alone, since a part of what it saw is tested in each fold")
        elif not len(folds):
            notes.append(f"{images} were left out, since a part of what it saw is tested in each fold")
        elif k > 1 and len(folds) < k:
            where = ", ".join(map(str, folds.tolist()))
            notes.append(f"{images} train only where none of these is tested: fold {where}")
        else:
            notes.append(f"{images} train in all folds, since nothing that it saw is tested")
    return notes


def refuse_judged_parents(manifest: Manifest, pixels: Sequence[str], reference: Mapping[str, NDArray[Any]]) -> None:
    """Refuse to judge a model on images that its synthetic training images were made from.

    Images that trained it themselves are told of elsewhere.

    Parameters
    ----------
    manifest : Manifest
        n samples to judge on, with the column `sha256`.
    pixels : sequence of n str
        Hash of the pixels of each.
    reference : mapping of str to arrays
        Of the model's bundle.

    Raises
    ------
    ManifestError
    """
    if PARENTS not in reference:
        return
    parents = {row.tobytes().hex() for row in reference[PARENTS]}
    trained = {row.tobytes().hex() for row in reference["pixel_sha256"]}
    files = manifest.columns["sha256"].tolist()
    rows = [row for row, sha in enumerate(files) if sha in parents and pixels[row] not in trained]
    if not rows:
        return
    first = ", ".join(repr(escape_path(manifest.path[row])) for row in rows[:_SHOWN])
    raise ManifestError(
        f"{len(rows):,} of {len(manifest):,} images were seen by the generator of synthetic images that trained this "
        f"model: {first}{', ...' if len(rows) > _SHOWN else ''}. The model knows something of them, so that its "
        "figures would be too good. Leave these images out"
    )
