"""Folds of images whose number is to be learnt: groups and copies whole, balanced over the range of the numbers.

Whole units are put into bins of equally many by the mean of their numbers, and each fold gets as much of each bin as of
any other; the bins take the place of classes in `graticule.split.folds`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray, IntArray, StrArray, numbered, object_array
from graticule.errors import FoldError
from graticule.manifest import Manifest
from graticule.split.assignment import assign
from graticule.split.components import class_counts, components, number_by_appearance
from graticule.split.division import kept_together
from graticule.split.folds import Folds, make_folds
from graticule.split.leaks import Leak
from graticule.split.options import SplitOptions

MOST_BINS = 20
# beyond the range of the training images, as a share of its width
_BEYOND = 0.05


def value_folds(
    real: Manifest,
    duplicates: NDArray[np.int64] | None,
    leaks: Sequence[Leak],
    options: SplitOptions,
    given: IntArray | None = None,
) -> Folds:
    """Folds balanced over the column target, unless they are given.

    Raises
    ------
    FoldError
        When there are fewer units than folds and parts.
    """
    group, duplicates = kept_together(real, duplicates, leaks)
    unit = components(len(real), group, duplicates)
    test = np.zeros(len(real), bool) if real.split is None else np.asarray(real.split == "test", dtype=bool)
    parts = [name for name, share in (("held-out", options.test_size), ("calibration", options.calibration)) if share]
    if test.any() and options.test_size:
        parts.remove("held-out")
    need, found = options.folds + len(parts), len(np.unique(unit[~test]))
    if found < need and given is None:
        asked = f"{options.folds} folds" + "".join(f" and a {part} part" for part in parts)
        units = "groups" if group is not None else "different images"
        most = found - len(parts)
        other = f"; or --folds {most}" if most > 1 else ""
        raise FoldError(f"{asked} need {need} {units}, found {found}. What would work: more {units}{other}")
    folds = make_folds(
        _names(real.targets, unit, ~test, need) if given is None else object_array([""] * len(real)),
        k=options.folds,
        group=group,
        duplicates=duplicates,
        test_size=options.test_size,
        calibration=options.calibration,
        split=real.split,
        seed=options.seed,
        sample_id=real.sample_id,
        what="the range",
        given=given,
    )
    notes = [*folds.notes, *_copies_that_differ(real.targets, duplicates), *extrapolation_notes(real.targets, folds)]
    strategy = folds.strategy.replace("stratified", "balanced", 1)
    return replace(folds, strategy=strategy, notes=tuple(notes))


def value_bins(values: FloatArray, unit: IntArray, parts: int) -> IntArray:
    """Bin of each row, from 0, shape (n,): units in order of the mean of their values, as many as there are parts.

    Each part then gets one unit of each bin, and all parts are equally large. Of many units bins hold a multiple; what
    is left over stands in the middle bin.

    Parameters
    ----------
    values : float array, shape (n,)
    unit : int array, shape (n,)
    parts : int
        Folds and what is set aside.
    """
    code = numbered(unit)
    mean = np.bincount(code, values) / np.bincount(code)
    n_bins = max(1, min(MOST_BINS, len(mean) // parts))
    sizes = np.full(n_bins, parts * max(1, len(mean) // (parts * n_bins)))
    sizes[n_bins // 2] += len(mean) - sizes.sum()
    bins = np.empty(len(mean), np.int64)
    bins[np.argsort(mean, kind="stable")] = np.repeat(np.arange(n_bins), sizes)
    return bins[code]


def _names(values: FloatArray, unit: IntArray, inside: BoolArray, need: int) -> StrArray:
    """Name of each row's bin, such as "0.1 to 0.25"; rows outside are put to the nearest by their own value."""
    bins = np.zeros(len(values), np.int64)
    bins[inside] = value_bins(values[inside], unit[inside], need)
    n_bins = int(bins.max()) + 1
    middle = np.array([np.median(values[inside & (bins == k)]) for k in range(n_bins)])
    bins[~inside] = np.abs(values[~inside, None] - middle).argmin(axis=1)
    ends = [(values[inside & (bins == k)].min(), values[inside & (bins == k)].max()) for k in range(n_bins)]
    # numbered, so that bins with the same ends stay apart and their order is that of the numbers
    return object_array([f"{k + 1} of {n_bins}, {ends[k][0]:.4g} to {ends[k][1]:.4g}" for k in bins.tolist()])


def inner_value_folds(values: FloatArray, unit: IntArray, k: int, seed: int) -> list[tuple[IntArray, IntArray]]:
    """Folds for the choice of settings inside one training fold: (training rows, held-out rows), units whole.

    Parameters
    ----------
    values : float array, shape (n,)
    unit : int array, shape (n,)
    k : int
        Folds wanted; fewer are made of fewer units, and none (an empty list) of fewer than 3.
    seed : int
    """
    code = number_by_appearance(unit)
    n_units = int(code.max(initial=-1)) + 1
    if n_units < 3:
        return []
    k = min(k, n_units)
    bins = value_bins(values, code, k)
    counts = class_counts(code, bins, int(bins.max()) + 1)
    fold = assign(counts, np.full(k, 1 / k), np.random.default_rng(seed), tries=2)[code]
    return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(k) if (fold == f).any()]


def _copies_that_differ(values: FloatArray, duplicates: IntArray | None) -> list[str]:
    if duplicates is None:
        return []
    known = duplicates >= 0
    code = numbered(duplicates[known])
    low, high = np.full(code.max(initial=-1) + 1, np.inf), np.full(code.max(initial=-1) + 1, -np.inf)
    np.minimum.at(low, code, values[known])
    np.maximum.at(high, code, values[known])
    n = int((high > low).sum())
    if not n:
        return []
    return [
        f"{n} famil{'y' if n == 1 else 'ies'} of copies carry different numbers, up to {(high - low).max():.4g} apart"
    ]


def extrapolation_notes(values: FloatArray, folds: Folds) -> list[str]:
    """A line for each fold that is tested far outside of what the others show.

    Parameters
    ----------
    values : float array, shape (n,)
    folds : Folds
    """
    notes = []
    for f in range(folds.k if folds.k > 1 else 0):
        own = (folds.part == "cv") & (folds.fold == f)
        others = values[(folds.part == "cv") & ~own]
        low, high = others.min(), others.max()
        room = _BEYOND * (high - low)
        beyond = int(((values[own] < low - room) | (values[own] > high + room)).sum())
        if beyond:
            images = f"{beyond} image{'s' * (beyond > 1)}"
            notes.append(
                f"fold {f + 1} is tested on {images} outside the range of its training ones ({low:.4g} to {high:.4g}, "
                f"its own {values[own].min():.4g} to {values[own].max():.4g}): there its model extrapolates"
            )
    return notes
