"""Paired differences between two models on the same samples, with limits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.evaluate.bootstrap import ScoredSamples
from graticule.evaluate.catalogue import OVERALL, Metric
from graticule.evaluate.estimates import Limits
from graticule.evaluate.summary import number
from graticule.statistics import intervals
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import MIN_GROUPS
from graticule.statistics.paired_tests import bonett_price

Replicates = dict[str, FloatArray]


@dataclass(frozen=True)
class Contenders:
    """R models on n shared samples of K classes.

    Attributes
    ----------
    classes : tuple of K str
    rows : tuple of R int arrays, shape (n,)
        Where the shared samples stand in each table of predictions.
    scored : tuple of R ScoredSamples
    values : tuple of R dicts
        The metrics of each.
    replicates : tuple of R dicts, or of R None
        Their bootstrap values; replicate i of each has the same weights. None with too few groups.
    limits : tuple of R dicts
        The limits of each metric of each.
    groups : Groups or None
    level : float
    """

    classes: tuple[str, ...]
    rows: tuple[IntArray, ...]
    scored: tuple[ScoredSamples, ...]
    values: tuple[dict[str, FloatArray], ...]
    replicates: tuple[Replicates | None, ...]
    limits: tuple[dict[str, Limits], ...]
    groups: Groups | None
    level: float

    @property
    def y(self) -> IntArray:
        """Class index of each shared sample, shape (n,)."""
        return self.scored[0].y

    def right(self, k: int) -> NDArray[np.bool_]:
        """Which samples run k gets right, shape (n,)."""
        return np.asarray(self.scored[k].predicted == self.y)


def differences(field: Contenders, a: int, b: int) -> dict[str, dict[str, Any]]:
    """Figures of run b minus run a for all metrics over all classes.

    Limits from the standard error over paired replicates and Student's t with as many units as stand behind the
    metric; for the accuracy of independent samples those of Bonett and Price. Counted metrics are never more certain
    than one more discordant sample in each direction allows (`Metric.unseen`). The calibration error is biased
    upwards, the more the better a model is calibrated, so its difference spans all that the intervals of both models
    allow (`apart_limits`). Limits are null with fewer than 10 groups.
    """
    errors = _errors(field, a, b)
    method = "bootstrap" if field.groups is None else "too_few_groups" if errors is None else "group-bootstrap"
    out = {}
    for metric in OVERALL:
        value = float(field.values[b][metric.key] - field.values[a][metric.key])
        low = high = np.nan
        if errors is not None:
            half = _critical(field, metric) * float(np.sqrt(errors[metric.key] ** 2 + _unseen(field, metric)))
            low, high = value - half, value + half
        if metric.interval == "biased":
            low, high = apart_limits(_own_limits(field, a, metric.key), _own_limits(field, b, metric.key))
        out[metric.key] = _figure((value, low, high), metric.high - metric.low, method, field.level)
    if field.groups is None:
        limits = bonett_price(field.right(a), field.right(b), field.level)
        value = float(field.values[b]["accuracy"] - field.values[a]["accuracy"])
        out["accuracy"] = _figure((value, *limits), 1.0, "bonett-price", field.level)
    return out


def apart_limits(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float]:
    """Limits of the difference b - a from (value, low, high) of both: the most that both intervals allow.

    Wrong only where one of the two is, so at least 1 - 2 alpha sure (Bonferroni), however biased and related they are.
    """
    return b[1] - a[2], b[2] - a[1]


def _own_limits(field: Contenders, k: int, name: str) -> tuple[float, float, float]:
    limits = field.limits[k][name]
    return float(field.values[k][name]), float(limits.low), float(limits.high)


def class_differences(field: Contenders, a: int, b: int) -> dict[str, dict[str, Any]]:
    """Sensitivity of each class in runs a and b, and b minus a with limits: {"n", "a", "b", "difference"}.

    Limits by Bonett and Price among the samples of the class, or by the paired group bootstrap; null where fewer
    than 10 groups hold the class. A class without samples has null throughout.
    """
    out = {}
    right_a, right_b = field.right(a), field.right(b)
    held = None if field.groups is None else field.groups.count(field.y, len(field.classes))
    for k, name in enumerate(field.classes):
        mine = field.y == k
        n = int(mine.sum())
        shares = (float(right_a[mine].mean()), float(right_b[mine].mean())) if n else (np.nan, np.nan)
        if not n:
            figure = _figure((np.nan, np.nan, np.nan), 1.0, "bootstrap", field.level)
        elif held is None:
            limits = bonett_price(right_a[mine], right_b[mine], field.level)
            figure = _figure((shares[1] - shares[0], *limits), 1.0, "bonett-price", field.level)
        else:
            figure = _grouped_class(field, (a, b), k, held[:, k])
        out[name] = {"n": n, "a": number(shares[0]), "b": number(shares[1]), "difference": figure}
    return out


def _grouped_class(field: Contenders, pair: tuple[int, int], k: int, sizes: FloatArray) -> dict[str, Any]:
    value = float(field.values[pair[1]]["sensitivity"][k] - field.values[pair[0]]["sensitivity"][k])
    first, second = (field.replicates[run] for run in pair)
    if first is None or second is None or int((sizes > 0).sum()) < MIN_GROUPS:
        return _figure((value, np.nan, np.nan), 1.0, "too_few_groups", field.level)
    error = float(intervals.standard_error(second["sensitivity"][:, k] - first["sensitivity"][:, k]))
    unseen = 2.0 / float(sizes.sum()) ** 2 * intervals.assumed_design_effect(sizes)
    half = _group_critical(sizes, field.level) * float(np.sqrt(error**2 + unseen))
    return _figure((value, value - half, value + half), 1.0, "group-bootstrap", field.level)


def _figure(limits: tuple[float, float, float], bound: float, method: str, level: float) -> dict[str, Any]:
    value, low, high = limits
    low, high = max(low, -bound), min(high, bound)
    return {"value": number(value), "low": number(low), "high": number(high), "method": method, "level": level}


def _group_critical(sizes: FloatArray, level: float) -> float:
    return float(intervals.t_critical(level, intervals.effective_number(sizes) - 1.0))


def _critical(field: Contenders, metric: Metric) -> float:
    """Student's t: groups, samples, or for averages over classes the harmonic mean of the class sizes."""
    if field.groups is not None:
        return _group_critical(np.bincount(field.groups.codes).astype(np.float64), field.level)
    units = np.asarray(float(len(field.y)))
    if metric.over_classes:
        sizes = np.bincount(field.y)
        units = np.asarray(1.0 / (1.0 / sizes[sizes > 0]).mean())
    return float(intervals.t_critical(field.level, units - 1.0))


def _errors(field: Contenders, a: int, b: int) -> dict[str, float] | None:
    """Standard errors of b - a over the paired replicates."""
    first, second = field.replicates[a], field.replicates[b]
    if first is None or second is None:
        return None
    return {name: float(intervals.standard_error(second[name] - first[name])) for name in (m.key for m in OVERALL)}


def _unseen(field: Contenders, metric: Metric) -> float:
    if metric.unseen is None:
        return 0.0
    sizes = np.bincount(field.y, minlength=len(field.classes)).astype(np.float64)
    effect = 1.0
    if field.groups is not None:
        effect = intervals.assumed_design_effect(np.bincount(field.groups.codes).astype(np.float64))
    return metric.unseen(sizes, effect)
