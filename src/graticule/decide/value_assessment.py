"""How intervals turned out on images of known value that were new to the model: how often they held, and how wide."""

from typing import Any

import numpy as np

from graticule.arrays import BoolArray, FloatArray, IntArray, StrArray
from graticule.decide.assessment import against, proportion
from graticule.evaluate.sampling import checked_groups
from graticule.evaluate.values.estimates import Sampling, limits_on_scale, measured
from graticule.evaluate.values.figures import THIRDS, ValueFigure, thirds_of
from graticule.evaluate.values.specimens import Bounds
from graticule.statistics.groups import Groups
from graticule.statistics.ratios import divide
from graticule.statistics.resampling import draw_weights

# a group this far below the level is named
FAR_BELOW = 0.2


def interval_score(target: FloatArray, low: FloatArray, high: FloatArray, level: float) -> FloatArray:
    """Width plus 2 / (1 - level) times the distance outside, shape (n,): least for the shortest that hold.

    T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and estimation, JASA 102 (2007) 359-378.
    """
    outside = np.maximum(low - target, 0.0) + np.maximum(target - high, 0.0)
    return np.asarray(high - low + 2.0 / (1.0 - level) * outside, dtype=np.float64)


def cut_to(low: FloatArray, high: FloatArray, bounds: Bounds) -> tuple[FloatArray, FloatArray]:
    """Limits (n,) within the bounds; NaN where they are infinite: such an interval says nothing."""
    known = np.isfinite(low) & np.isfinite(high)
    least, most = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    low, high = (np.where(known, np.clip(each, least, most), np.nan) for each in (low, high))
    return low, high


def assess_intervals(
    target: FloatArray,
    value: FloatArray,
    low: FloatArray,
    high: FloatArray,
    group: StrArray | None,
    *,
    level: float,
    seed: int = 0,
) -> dict[str, Any]:
    """The object "intervals" of metrics.json.

    Parameters
    ----------
    target, value, low, high : float arrays, shape (n,)
        Images without an interval have NaN limits; they are counted and left out of everything else.
    group : object array of str, shape (n,), or None
    level : float
        What the intervals promise.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        "level", "n", "without" (images without an interval), "n_groups", the figures "coverage", "width" and "score"
        (interval score), "kept" (against the level: kept, missed, open or None), "by_width" and "by_prediction"
        (thirds: "n", "from", "to", "coverage", "width"), "groups_below" (groups covered less than the level by more
        than 0.2).
    """
    known = np.isfinite(low) & np.isfinite(high)
    groups = checked_groups(None if group is None else group[known], int(known.sum()))
    target, value, low, high = target[known], value[known], low[known], high[known]
    found: dict[str, Any] = {
        "level": level,
        "n": len(target),
        "without": int((~known).sum()),
        "n_groups": None if groups is None else len(groups),
    }
    if not len(target):
        return found | {"coverage": None, "width": None, "score": None, "kept": None, "by_width": [],
                        "by_prediction": [], "groups_below": None}  # fmt: skip
    unit = None if groups is None else groups.codes
    inside, width = np.asarray((low <= target) & (target <= high), dtype=bool), high - low
    coverage = proportion(inside, np.ones(len(inside), bool), unit)
    return found | {
        "coverage": coverage,
        "width": mean_over_units(width, unit, seed),
        "score": mean_over_units(interval_score(target, low, high, level), unit, seed),
        "kept": against(coverage, level),
        "by_width": _by_third(_level_out(width), inside, width, unit),
        "by_prediction": _by_third(value, inside, width, unit),
        "groups_below": None if groups is None else _far_below(inside, groups, level),
    }


def _level_out(width: FloatArray) -> FloatArray:
    """Widths (n,) without what rounding makes of equal ones, so that they fall into one third."""
    return np.asarray(np.round(width / max(float(width.max()), 1e-300), 9) * width.max(), dtype=np.float64)


def _by_third(by: FloatArray, inside: BoolArray, width: FloatArray, unit: IntArray | None) -> list[dict[str, Any]]:
    """Coverage and mean width in each third of the images (n,) by some number."""
    rows, of = [], thirds_of(by)
    for k in range(len(THIRDS)):
        mine = of == k
        ends = (float(by[mine].min()), float(by[mine].max()), float(width[mine].mean())) if mine.any() else (None,) * 3
        held = proportion(inside, mine, unit)
        rows.append({"n": int(mine.sum()), "from": ends[0], "to": ends[1], "coverage": held, "width": ends[2]})
    return rows


def _far_below(inside: BoolArray, groups: Groups, level: float) -> list[dict[str, Any]]:
    """Groups whose intervals hold much less often than the level, the worst first."""
    size = np.bincount(groups.codes).astype(np.float64)
    share = np.bincount(groups.codes, weights=inside) / size
    return [
        {"group": str(groups.names[g]), "n": int(size[g]), "coverage": float(share[g])}
        for g in np.argsort(share, kind="stable")
        if share[g] < level - FAR_BELOW - 1e-9
    ]


def mean_over_units(values: FloatArray, unit: IntArray | None, seed: int = 0) -> dict[str, Any]:
    """Mean of positive values (n,) with its interval over groups, or over images without groups."""
    codes = np.arange(len(values)) if unit is None else unit
    size = np.bincount(codes).astype(np.float64)
    sampling = Sampling(size, unit is not None, seed)
    mean, limits = float(values.mean()), (np.nan, np.nan)
    if sampling.enough:
        sums = np.stack([np.bincount(codes, weights=values), size], axis=1)
        strata = np.zeros(len(size), np.int64)
        draws = draw_weights(np.arange(len(size)), strata, sampling.n_boot, np.random.default_rng(seed))
        drawn = np.concatenate([divide(*(weights @ sums).T) for weights in draws])
        limits = limits_on_scale(ValueFigure("mean", "loss"), mean, drawn, sampling.critical)
    return measured(mean, limits, sampling.method)
