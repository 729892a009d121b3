"""Limits for every metric: the interval that fits the metric and the sampling unit, with the method's name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.evaluate import metrics
from graticule.evaluate.bootstrap import ScoredSamples, replicate
from graticule.evaluate.catalogue import METRICS, PER_CLASS, Metric
from graticule.statistics import intervals
from graticule.statistics.groups import Groups, bootstrap_weights
from graticule.statistics.intervals import MIN_GROUPS


@dataclass(frozen=True)
class Limits:
    """Limits of one metric, shape () or (K,) like the metric, and the method's name per entry."""

    low: FloatArray
    high: FloatArray
    method: NDArray[np.object_]


def replicates_of(scored: ScoredSamples, groups: Groups | None, n_boot: int, seed: int) -> dict[str, FloatArray] | None:
    """Bootstrap values of all metrics; None with fewer than MIN_GROUPS groups (a bootstrap of 5 covers 82 %)."""
    if groups is not None and len(groups) < MIN_GROUPS:
        return None
    return replicate(scored, bootstrap_weights(scored.y, groups, n_boot, seed))


def metric_limits(
    scored: ScoredSamples,
    value: dict[str, FloatArray],
    replicates: dict[str, FloatArray] | None,
    groups: Groups | None,
    level: float,
) -> dict[str, Limits]:
    """Limits of all metrics, as the catalogue says.

    Proportions (accuracy; precision, sensitivity and specificity of a class): Wilson, or `cluster_t` with groups.
    The rest: standard errors from the bootstrap that fits the sampling, put on each metric's own scale. Without
    replicates (too few groups) no limits at all; the same for a class's metric that fewer than MIN_GROUPS groups
    say anything about.
    """
    if replicates is None:
        return {metric.key: _nothing(value[metric.key].shape) for metric in METRICS}
    limits = _resampled(scored, value, replicates, groups, level)
    limits.update(_proportions(scored, groups, level))
    return limits


def _nothing(shape: tuple[int, ...]) -> Limits:
    nan = np.full(shape, np.nan)
    return Limits(nan, nan, np.full(shape, "too_few_groups", dtype=object))


def _proportions(scored: ScoredSamples, groups: Groups | None, level: float) -> dict[str, Limits]:
    k = scored.n_classes
    counted = {metric.key: metric.counts for metric in METRICS if metric.counts is not None}
    out = {}
    if groups is None:
        confusion = metrics.confusion_matrix(scored.y, scored.predicted, k).astype(np.float64)
        for name, counts in counted.items():
            low, high = intervals.wilson(*counts(confusion), level)
            out[name] = Limits(low, high, np.full(low.shape, "wilson", object))
        return out
    by_group = groups.count(scored.y * k + scored.predicted, k * k).reshape(-1, k, k)
    for name, counts in counted.items():
        successes, trials = (np.moveaxis(some, 0, -1) for some in counts(by_group))
        low, high = intervals.cluster_t(successes, trials, level)
        out[name] = _where_enough(Limits(low, high, np.full(low.shape, "cluster-t", object)), (trials > 0).sum(axis=-1))
    return out


def _where_enough(limits: Limits, n_groups: NDArray[np.int64]) -> Limits:
    """The limits, emptied where fewer than MIN_GROUPS groups stand behind them."""
    enough = n_groups >= MIN_GROUPS
    return Limits(
        np.where(enough, limits.low, np.nan),
        np.where(enough, limits.high, np.nan),
        np.where(enough, limits.method, "too_few_groups").astype(object),
    )


@dataclass(frozen=True)
class _Evidence:
    """How much stands behind a metric of each class (K,), of the macro average () and of all samples ().

    `units` are independent units (samples or effective groups), `least` the effective trials of a perfect score.
    """

    class_units: FloatArray
    macro_units: FloatArray
    units: FloatArray
    class_least: FloatArray
    pair_least: FloatArray


def _harmonic(sizes: FloatArray) -> FloatArray:
    """Harmonic mean of the positive sizes, 1 without any: the rarest classes decide about a macro average."""
    present = sizes[sizes > 0]
    return np.asarray(len(present) / (1.0 / present).sum() if len(present) else 1.0)


def _evidence(scored: ScoredSamples, groups: Groups | None) -> _Evidence:
    n, k = len(scored.y), scored.n_classes
    sizes = np.bincount(scored.y, minlength=k).astype(np.float64)
    pairs = np.minimum(sizes, n - sizes)
    if groups is None:
        return _Evidence(sizes, _harmonic(sizes), np.asarray(float(n)), sizes, pairs)
    by_class = groups.count(scored.y, k)
    effective = intervals.effective_number(by_class.T)
    units = intervals.effective_number(by_class.sum(axis=1))
    effect = intervals.assumed_design_effect(by_class.sum(axis=1))
    return _Evidence(effective, units, units, sizes / effect, pairs / effect)


def _resampled(
    scored: ScoredSamples,
    value: dict[str, FloatArray],
    replicates: dict[str, FloatArray],
    groups: Groups | None,
    level: float,
) -> dict[str, Limits]:
    evidence = _evidence(scored, groups)
    method = "bootstrap" if groups is None else "group-bootstrap"
    out = {}
    for metric in (metric for metric in METRICS if metric.counts is None):
        low, high = _one(metric, value[metric.key], replicates, evidence, level)
        undefined = np.isnan(value[metric.key])
        low, high = np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)
        limits = Limits(low, high, np.full(low.shape, method, dtype=object))
        if groups is not None and metric in PER_CLASS:
            limits = _where_enough(limits, (groups.count(scored.y, scored.n_classes) > 0).sum(axis=0))
        out[metric.key] = limits
    return out


def _one(
    metric: Metric, value: FloatArray, replicates: dict[str, FloatArray], evidence: _Evidence, level: float
) -> tuple[FloatArray, FloatArray]:
    error = intervals.standard_error(replicates[metric.key])
    over_all = intervals.t_critical(level, evidence.units - 1.0)
    if metric.interval == "biased":
        chance = replicates[metric.chance_key]
        ends = intervals.ece_interval(float(value), replicates[metric.key], chance, float(over_all), level)
        return np.asarray(ends[0]), np.asarray(ends[1])
    if metric.interval == "loss":
        return intervals.loss_interval(value, error, over_all, metric.high)
    least = evidence.pair_least if metric.by_pairs else evidence.class_least
    units = evidence.class_units
    if metric.over_classes:
        least = np.maximum(_harmonic(least) * max((least > 0).sum(), 1), 1.0)
        units = evidence.macro_units
    interval = intervals.ranking_interval if metric.interval == "ranking" else intervals.bounded_interval
    width, critical = metric.high - metric.low, intervals.t_critical(level, units - 1.0)
    low, high = interval((value - metric.low) / width, error / width, np.maximum(least, 1.0), critical)
    return metric.low + width * low, metric.low + width * high
