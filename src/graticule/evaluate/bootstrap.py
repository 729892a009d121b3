"""Every metric of one set of predictions under bootstrap weights, and the weights themselves.

Weights follow the rescaled bootstrap (Rao and Wu, 1988): m - 1 draws from m units, scaled by m / (m - 1), so the
variance over replicates is unbiased for a mean. Plain draws of m from m are too narrow by the factor (m - 1) / m,
which matters for classes of ten images or ten patients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from graticule.arrays import FloatArray, IntArray
from graticule.evaluate import metrics
from graticule.evaluate.metrics import ECE_BINS
from graticule.evaluate.ranking import Ranking, rank, ranking_metrics
from graticule.statistics.ratios import divide

OVERALL = (
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_sensitivity",
    "macro_specificity",
    "macro_f1",
    "roc_auc_macro",
    "average_precision_macro",
    "log_loss",
    "brier",
    "ece",
)
PER_CLASS = ("precision", "sensitivity", "specificity", "f1", "roc_auc", "average_precision")


@dataclass(frozen=True)
class ScoredSamples:
    """Labels and probabilities of n samples over K classes, prepared for many weightings.

    Attributes
    ----------
    n_classes : int
    y, predicted : int arrays, shape (n,)
        Class indices; the prediction is the largest probability, the first of several equal ones.
    sums : sparse array, shape (K * K + 15 + 2, n)
        Times the weights (n, B): confusion matrix cells, correct less confidence per calibration bin, log loss,
        Brier score.
    rankings : tuple of K tuples of Ranking
        For each class one ranking per fold, or a single one of all samples.
    gap : float array, shape (15,)
        Sum of (correct - confidence) per calibration bin, over n.
    """

    n_classes: int
    y: IntArray
    predicted: IntArray
    sums: csr_array
    rankings: tuple[tuple[Ranking, ...], ...]
    gap: FloatArray


def score(y: IntArray, proba: FloatArray, fold: IntArray) -> ScoredSamples:
    """Prepare labels (n,), probabilities (n, K) and fold numbers (n,) for `statistics`."""
    n, n_classes = proba.shape
    predicted = proba.argmax(axis=1).astype(np.int64)
    confidence = proba[np.arange(n), predicted]
    n_cells = n_classes * n_classes
    rows = (
        y * n_classes + predicted,
        n_cells + metrics.ece_bins(confidence),
        np.full(n, n_cells + ECE_BINS),
        np.full(n, n_cells + ECE_BINS + 1),
    )
    values = (
        np.ones(n),
        (predicted == y) - confidence,
        metrics.sample_log_loss(y, proba),
        metrics.sample_brier(y, proba),
    )
    entries = (np.concatenate(values), (np.concatenate(rows), np.tile(np.arange(n), 4)))
    fold_rows = [np.flatnonzero(fold == f) for f in np.unique(fold)]
    rankings = tuple(tuple(rank(proba[:, k], y == k, rows) for rows in fold_rows) for k in range(n_classes))
    sums = csr_array(entries, shape=(n_cells + ECE_BINS + 2, n))
    gap = (sums @ np.ones(n))[n_cells : n_cells + ECE_BINS] / n
    return ScoredSamples(n_classes, y, predicted, sums, rankings, gap)


def nan_mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean of the entries that are not NaN along an axis; NaN where there is none."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis).astype(np.float64))


def statistics(scored: ScoredSamples, weights: FloatArray) -> dict[str, FloatArray]:
    """All metrics under each row of weights (B, n): those of OVERALL with shape (B,), of PER_CLASS with (B, K).

    Beside them "ece_null", the calibration error of the replicate measured from the sample's own: chance alone.

    ROC AUC and average precision of a class are the mean over the folds where they are defined (where the fold has
    samples of the class and of others), the macro value is their mean over the classes where they are defined.
    """
    totals = scored.sums @ np.ascontiguousarray(weights.T)
    k = scored.n_classes
    confusion = totals[: k * k].T.reshape(-1, k, k)
    mass = confusion.sum(axis=(-2, -1))
    gap = totals[k * k : k * k + ECE_BINS] / mass
    roc_auc, average_precision = _ranking_means(scored, weights)
    balanced = metrics.balanced_accuracy(confusion)
    return {
        "accuracy": metrics.accuracy(confusion),
        "balanced_accuracy": balanced,
        "macro_precision": metrics.macro_precision(confusion),
        "macro_sensitivity": balanced,
        "macro_specificity": metrics.macro_specificity(confusion),
        "macro_f1": metrics.macro_f1(confusion),
        "roc_auc_macro": nan_mean(roc_auc, axis=1),
        "average_precision_macro": nan_mean(average_precision, axis=1),
        "log_loss": divide(totals[-2], mass),
        "brier": divide(totals[-1], mass),
        "ece": np.abs(gap).sum(axis=0),
        "ece_null": np.abs(gap - scored.gap[:, None]).sum(axis=0),
        "precision": metrics.precision(confusion),
        "sensitivity": metrics.sensitivity(confusion),
        "specificity": metrics.specificity(confusion),
        "f1": metrics.f1(confusion),
        "roc_auc": roc_auc,
        "average_precision": average_precision,
    }


def _ranking_means(scored: ScoredSamples, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Means over folds, each of shape (B, K). A fold without negatives is left out of both."""
    auc = np.full((len(weights), scored.n_classes), np.nan)
    ap = auc.copy()
    for k, folds in enumerate(scored.rankings):
        pairs = [ranking_metrics(ranking, weights) for ranking in folds]
        auc_folds = np.stack([pair[0] for pair in pairs])
        ap_folds = np.where(np.isnan(auc_folds), np.nan, np.stack([pair[1] for pair in pairs]))
        auc[:, k] = nan_mean(auc_folds, axis=0)
        ap[:, k] = nan_mean(ap_folds, axis=0)
    return auc, ap


def point(scored: ScoredSamples) -> dict[str, FloatArray]:
    """The metrics of the samples as they are: shape () for OVERALL, (K,) for PER_CLASS."""
    values = statistics(scored, np.ones((1, len(scored.y))))
    return {name: value[0] for name, value in values.items()}


def replicate(scored: ScoredSamples, chunks: Iterator[FloatArray]) -> dict[str, FloatArray]:
    """`statistics` of all weights, shapes (n_boot,) and (n_boot, K)."""
    parts = [statistics(scored, weights) for weights in chunks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
