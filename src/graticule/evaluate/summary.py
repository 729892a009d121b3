"""The body of metrics.json: every metric of one part with its interval, baseline, tables and notes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.errors import OptionError, RunError
from graticule.evaluate.bootstrap import ScoredSamples, point, score
from graticule.evaluate.catalogue import OVERALL, PER_CLASS
from graticule.evaluate.estimates import Limits, metric_limits, replicates_of
from graticule.evaluate.metrics import confusion_matrix
from graticule.evaluate.notes import notes_on
from graticule.evaluate.sampling import checked_arrays, checked_groups
from graticule.predictions import Predictions
from graticule.statistics.groups import Groups
from graticule.tasks import CLASSIFICATION

MIN_BOOT = 100


def summarise(
    predictions: Predictions,
    group: NDArray[np.object_] | None = None,
    *,
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
) -> dict[str, object]:
    """All metrics of the rows given, as the body of metrics.json (without "schema_version" and "test").

    A figure is {"value", "low", "high", "method", "level"}; undefined numbers are None. Figures over all classes
    also have "baseline", the value of a classifier that predicts the commonest class and scores each sample with
    the class frequencies; ROC AUC and average precision have "pooled", the value over all folds' scores together,
    beside the headline mean over folds.

    Parameters
    ----------
    predictions : Predictions
        Rows of one part, n >= 1.
    group : object array of str, shape (n,), optional
        Group of each row; without it the samples count as independent.
    level : float
        Confidence level in (0, 1).
    n_boot : int
        Bootstrap replicates, at least 100.
    seed : int

    Raises
    ------
    RunError
        When rows are missing, of two parts, or carry unusable labels, probabilities or groups.
    OptionError
        When `level` or `n_boot` is out of range.
    """
    check_interval_options(level, n_boot)
    y, proba = checked_arrays(predictions)
    parts = sorted({str(part) for part in predictions.part})
    if len(parts) != 1:
        raise RunError(f"cannot compute metrics over the parts {' and '.join(parts)} together: give one part at a time")
    groups = checked_groups(group, len(y))
    scored = score(y, proba, predictions.fold)
    value = point(scored)
    limits = metric_limits(scored, value, replicates_of(scored, groups, n_boot, seed), groups, level)
    baseline = _baseline(y, proba.shape[1], predictions.fold)
    # as if all scores came from one model
    pooled = point(score(y, proba, np.zeros_like(predictions.fold)))
    body: dict[str, object] = {
        "task": CLASSIFICATION,
        "n": len(y),
        "n_groups": None if groups is None else len(groups),
        "classes": list(predictions.classes),
        "part": parts[0],
    }
    for metric in OVERALL:
        name = metric.key
        figure = figure_of(value[name], limits[name], (), level) | {"baseline": number(baseline[name])}
        body[name] = figure | ({"pooled": number(pooled[name])} if metric.pooled else {})
    body["per_class"] = _per_class(predictions.classes, y, value, limits, pooled, level)
    body["confusion"] = confusion_matrix(y, scored.predicted, scored.n_classes).tolist()
    body["per_fold"] = _per_fold(y, proba, predictions.fold) if parts == ["cv"] else []
    body["per_group"] = None if groups is None else per_group_table(scored, groups)
    body["notes"] = notes_on(scored, predictions.fold, predictions.classes, parts[0], groups)
    return body


def check_interval_options(level: float, n_boot: int) -> None:
    """Raise OptionError unless 0 < level < 1 and n_boot >= 100."""
    if not 0.0 < level < 1.0:
        raise OptionError(f"the confidence level must lie between 0 and 1, got {level:g}; 0.95 is usual")
    if n_boot < MIN_BOOT:
        raise OptionError(f"an interval needs at least {MIN_BOOT} bootstrap replicates, got {n_boot}; 2000 is usual")


def number(value: FloatArray | float) -> float | None:
    """A float for JSON: None where it is not finite."""
    return float(value) if np.isfinite(value) else None


def plain_numbers(values: NDArray[Any]) -> list[Any]:
    """Plain values of an array (n,); None for what is not finite."""
    return [number(v) if values.dtype.kind == "f" else int(v) for v in values.tolist()]


def figure_of(value: FloatArray, limits: Limits, at: tuple[int, ...], level: float) -> dict[str, object]:
    """One figure of metrics.json: the entry `at` of a metric and its limits."""
    return {
        "value": number(value[at]),
        "low": number(limits.low[at]),
        "high": number(limits.high[at]),
        "method": str(limits.method[at]),
        "level": level,
    }


def _per_class(
    classes: tuple[str, ...],
    y: IntArray,
    value: dict[str, FloatArray],
    limits: dict[str, Limits],
    pooled: dict[str, FloatArray],
    level: float,
) -> dict[str, dict[str, object]]:
    sizes = np.bincount(y, minlength=len(classes))
    table: dict[str, dict[str, object]] = {}
    for k, name in enumerate(classes):
        row: dict[str, object] = {"n": int(sizes[k])}
        for metric in PER_CLASS:
            key = metric.key
            figure = figure_of(value[key], limits[key], (k,), level)
            row[key] = figure | ({"pooled": number(pooled[key][k])} if metric.pooled else {})
            # A class without samples has no figure, not even a specificity: nothing stands against it.
            if not sizes[k]:
                row[key] = figure | dict.fromkeys(("value", "low", "high"))
        table[name] = row
    return table


def _baseline(y: IntArray, n_classes: int, fold: IntArray) -> dict[str, FloatArray]:
    """Metrics of the classifier that answers every sample with the class frequencies of these rows."""
    share = np.bincount(y, minlength=n_classes) / len(y)
    return point(score(y, np.tile(share, (len(y), 1)), fold))


def _per_fold(y: IntArray, proba: FloatArray, fold: IntArray) -> list[dict[str, object]]:
    table: list[dict[str, object]] = []
    for f in np.unique(fold):
        rows = fold == f
        value = point(score(y[rows], proba[rows], fold[rows]))
        row: dict[str, object] = {"fold": int(f), "n": int(rows.sum())}
        row |= {metric.key: number(value[metric.key]) for metric in OVERALL if metric.per_fold}
        table.append(row)
    return table


def per_group_table(scored: ScoredSamples, groups: Groups) -> list[dict[str, object]]:
    """Samples, correct ones and accuracy of each group, sorted by name."""
    counts = groups.count((scored.predicted == scored.y).astype(np.int64), 2).astype(np.int64)
    return [
        {
            "group": str(name),
            "n": int(wrong + right),
            "accuracy": int(right) / int(wrong + right),
            "correct": int(right),
        }
        for name, (wrong, right) in zip(groups.names, counts, strict=True)
    ]
