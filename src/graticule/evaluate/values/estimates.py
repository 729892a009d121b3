"""Limits for the figures of predicted numbers: bootstrap errors over groups, or over images without groups.

Whole units are drawn with replacement (`statistics.resampling`); the standard error over the replicates is put on each
figure's own scale with Student's t of as many units as there are. Percentiles of so few groups would be too narrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.arrays import BoolArray, FloatArray
from graticule.evaluate.summary import number
from graticule.evaluate.values.figures import (
    BIAS_IN_THIRDS,
    FIGURES,
    ScoredValues,
    ValueFigure,
    value_statistics,
    weighted_spearman,
)
from graticule.evaluate.values.shared_error import error_of_squares
from graticule.statistics.intervals import (
    MIN_GROUPS,
    effective_number,
    loss_interval,
    share_limits,
    standard_error,
    t_critical,
)
from graticule.statistics.resampling import draw_weights

LEVEL = 0.95
N_BOOT = 2000
# ranks are sorted out for every image in every replicate
N_BOOT_RANKS = 400


@dataclass(frozen=True)
class Sampling:
    """What is drawn, and how often.

    Attributes
    ----------
    sizes : float array, shape (U,)
        Images of each unit.
    grouped : bool
        Whether the units are groups.
    seed : int
    n_boot : int
    level : float
    """

    sizes: FloatArray
    grouped: bool
    seed: int = 0
    n_boot: int = N_BOOT
    level: float = LEVEL

    @property
    def enough(self) -> bool:
        """Whether there are units enough for an interval."""
        return len(self.sizes) >= MIN_GROUPS

    @property
    def method(self) -> str:
        """How limits are found, as it stands beside them."""
        if not self.enough:
            return "too_few_groups" if self.grouped else "too_few_images"
        return "group-bootstrap" if self.grouped else "bootstrap"

    @property
    def critical(self) -> float:
        """Student's t of the units, unequal ones counted as so many equal ones."""
        return float(t_critical(self.level, effective_number(self.sizes) - 1.0))


def measured(value: float, limits: tuple[float, float], method: str, level: float = LEVEL) -> dict[str, Any]:
    """A figure as metrics.json holds it; numbers that are undefined are None."""
    low, high = limits if np.isfinite(value) else (np.nan, np.nan)
    return {"value": number(value), "low": number(low), "high": number(high), "method": method, "level": level}


def value_replicates(scored: ScoredValues, sampling: Sampling) -> dict[str, FloatArray] | None:
    """All figures in every bootstrap replicate, shapes (n_boot,); None where units are too few.

    The same units and seed give the same draws: two models of the same images are paired.
    """
    if not sampling.enough:
        return None
    n = scored.n_units
    strata, units = np.zeros(n, np.int64), np.arange(n)
    draws = draw_weights(units, strata, sampling.n_boot, np.random.default_rng(sampling.seed))
    parts = [value_statistics(scored, weights) for weights in draws]
    found = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    few = min(N_BOOT_RANKS, sampling.n_boot)
    # chunks as small as the images of the weights ask
    step = max(1, few * n // max(len(scored.target), 1))
    ranks = []
    for weights in draw_weights(units, strata, few, np.random.default_rng(sampling.seed)):
        ranks += [weighted_spearman(scored, weights[at : at + step]) for at in range(0, len(weights), step)]
    return found | {"spearman": np.concatenate(ranks)}


def value_point(scored: ScoredValues) -> dict[str, float]:
    """All figures of the images as they are."""
    once = np.ones((1, scored.n_units))
    found = value_statistics(scored, once) | {"spearman": weighted_spearman(scored, once)}
    return {key: float(each[0]) for key, each in found.items()}


def limits_on_scale(
    figure: ValueFigure, value: float, replicates: FloatArray, critical: float, least: float = 0.0
) -> tuple[float, float]:
    """Limits of a figure from its bootstrap replicates (n_boot,), symmetric on the figure's scale.

    `least` is a standard error below which the replicates are not believed.
    """
    error = max(float(standard_error(replicates)), least)
    if figure.scale == "loss":
        return _loss(value, error, critical)
    if figure.scale == "explained":
        low, high = _loss(1.0 - value, error, critical)
        return 1.0 - high, 1.0 - low
    if figure.scale == "correlation":
        # Fisher's scale; at 1 exactly nothing varies
        inside = max(1.0 - value**2, 1e-12)
        half, middle = critical * error / inside, np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
        return float(np.tanh(middle - half)), float(np.tanh(middle + half))
    return value - critical * error, value + critical * error


def _loss(value: float, error: float, critical: float) -> tuple[float, float]:
    low, high = loss_interval(np.array(value), np.array(error), critical, np.inf)
    return float(low), float(high)


def value_figures(scored: ScoredValues, sampling: Sampling) -> dict[str, dict[str, Any]]:
    """Every figure with its interval, and "bias_by_third" with the range of the true values of each third."""
    point, replicates = value_point(scored), value_replicates(scored, sampling)
    least = {} if replicates is None else _least_errors(scored, point, replicates)
    found: dict[str, Any] = {
        figure.key: _with_limits(figure, point, replicates, sampling, sampling.method, least.get(figure.key, 0.0))
        for figure in FIGURES
    }
    thirds = []
    for k, figure in enumerate(BIAS_IN_THIRDS):
        mine = scored.third == k
        few = len(np.unique(scored.unit[mine])) < MIN_GROUPS
        method = ("too_few_groups" if sampling.grouped else "too_few_images") if few else sampling.method
        ends = (scored.target[mine].min(), scored.target[mine].max()) if mine.any() else (np.nan, np.nan)
        thirds.append(
            {"from": number(ends[0]), "to": number(ends[1]), "n": int(mine.sum())}
            | {"bias": _with_limits(figure, point, None if few else replicates, sampling, method)}
        )
    return found | {"bias_by_third": thirds}


def _least_errors(
    scored: ScoredValues, point: Mapping[str, float], replicates: Mapping[str, FloatArray]
) -> dict[str, float]:
    """Least standard errors of the figures made of squares: as if errors were normal (`error_of_squares`)."""
    relative = error_of_squares(scored) / 2.0
    spread = (point["agreement_high"] - point["agreement_low"]) / 2.0
    ends = float(np.hypot(standard_error(replicates["bias"]), relative * spread)) if np.isfinite(spread) else 0.0
    return {"rmse": relative * point["rmse"], "agreement_low": ends, "agreement_high": ends}


def _with_limits(
    figure: ValueFigure,
    point: Mapping[str, float],
    replicates: Mapping[str, FloatArray] | None,
    sampling: Sampling,
    method: str,
    least: float = 0.0,
) -> dict[str, Any]:
    value, limits = point[figure.key], (np.nan, np.nan)
    if replicates is not None and np.isfinite(value):
        limits = limits_on_scale(figure, value, replicates[figure.key], sampling.critical, least)
    return measured(value, limits, method, sampling.level)


def share_figure(hit: BoolArray, scored: ScoredValues, sampling: Sampling) -> dict[str, Any]:
    """Share of images (n,) that something holds for: Wilson's limits, or those of a share in groups."""
    limits = share_limits(hit, scored.unit if sampling.grouped else None, sampling.level)
    few = sampling.grouped and not sampling.enough
    method = "too_few_groups" if few else "cluster-t" if sampling.grouped else "wilson"
    return measured(float(hit.mean()), limits, method, sampling.level)
