"""Predicted numbers of whole groups: means over the images of a specimen, and how much of the error they share."""

from typing import Any

import numpy as np

from graticule.arrays import FloatArray
from graticule.evaluate.summary import number
from graticule.evaluate.values.estimates import Sampling, limits_on_scale, measured, value_figures
from graticule.evaluate.values.figures import ScoredValues, ValueFigure, score_values
from graticule.evaluate.values.shared_error import shared_share, shared_sums
from graticule.statistics.conformal_quantiles import conformal_quantile
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import standard_error, t_critical
from graticule.statistics.resampling import draw_weights

MEAN_LEVEL = 0.9
Bounds = tuple[float | None, float | None]


def group_means(scored: ScoredValues, groups: Groups, sampling: Sampling, bounds: Bounds) -> dict[str, Any]:
    """The object "specimens" of metrics.json: figures of the groups' means, and a row per group.

    A group's mean is a number of its own: errors that its images share do not average out. The limits of each mean come
    from the errors of the other groups' means (conformal; `needed(0.9)` = 9 others at least), so that they promise
    what they would for a new group with as many images as these.
    """
    size = sampling.sizes
    target, value = (
        np.bincount(scored.unit, weights=each, minlength=len(size)) / size for each in (scored.target, scored.value)
    )
    own = Sampling(np.ones(len(size)), True, sampling.seed, sampling.n_boot, sampling.level)
    found = value_figures(score_values(target, value, np.arange(len(size)), target.mean()), own)
    absolute = np.bincount(scored.unit, weights=np.abs(scored.error), minlength=len(size)) / size
    reach = _reach(np.abs(value - target))
    reach = np.where(np.isfinite(reach), reach, np.nan)
    least, most = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    low, high = np.clip(value - reach, least, most), np.clip(value + reach, least, most)
    rows = [
        {"group": str(groups.names[g]), "n": int(size[g]), "target": float(target[g]), "value": float(value[g]),
         "low": number(low[g]), "high": number(high[g]), "mae": float(absolute[g])}
        for g in range(len(size))
    ]  # fmt: skip
    return {
        "level": MEAN_LEVEL,
        **{key: found[key] for key in ("mae", "rmse", "bias")},
        "between_share": between_share(scored, sampling),
        "groups": rows,
    }


def _reach(error: FloatArray) -> FloatArray:
    """Half the width of each group's limits, shape (G,): the quantile of the errors of the others."""
    every = np.ones(max(len(error) - 1, 0))
    return np.array([conformal_quantile(np.delete(error, g), every, MEAN_LEVEL) for g in range(len(error))])


def worst_group(scored: ScoredValues, groups: Groups, sampling: Sampling) -> dict[str, Any]:
    """The group with the largest mean absolute error: {"group", "n", "mae"}.

    The limits are Student's t over its own images, and say nothing of its having been picked as the worst.
    """
    absolute = np.abs(scored.error)
    mean = np.bincount(scored.unit, weights=absolute) / sampling.sizes
    g = int(mean.argmax())
    own = absolute[scored.unit == g]
    limits = (np.nan, np.nan)
    if len(own) > 1:
        half = float(t_critical(sampling.level, np.array(len(own) - 1.0))) * float(own.std(ddof=1)) / np.sqrt(len(own))
        limits = max(float(mean[g]) - half, 0.0), float(mean[g]) + half
    figure = measured(float(mean[g]), limits, "images-of-the-group", sampling.level)
    return {"group": str(groups.names[g]), "n": len(own), "mae": figure}


def between_share(scored: ScoredValues, sampling: Sampling) -> dict[str, Any]:
    """Share of the variance of the errors that lies between groups, 0 to 1, with its interval over groups.

    0 where the errors of a group are no more alike than those of any images.
    """
    size, columns = sampling.sizes, shared_sums(scored)
    figure, value = ValueFigure("between_share", "shift"), float(shared_share(columns.sum(axis=0)[None])[0])
    limits = (np.nan, np.nan)
    if sampling.enough and np.isfinite(value):
        draws = draw_weights(
            np.arange(len(size)), np.zeros(len(size), np.int64), sampling.n_boot, np.random.default_rng(sampling.seed)
        )
        drawn = np.concatenate([shared_share(weights @ columns) for weights in draws])
        if np.isfinite(standard_error(drawn)):
            low, high = limits_on_scale(figure, value, drawn, sampling.critical)
            limits = max(low, 0.0), min(high, 1.0)
    return measured(value, limits, sampling.method, sampling.level)
