"""Every metric of one set of predictions under weights of the samples, such as those of a bootstrap."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from graticule.arrays import FloatArray, IntArray
from graticule.evaluate import metrics
from graticule.evaluate.catalogue import METRICS, Totals
from graticule.evaluate.metrics import ECE_BINS
from graticule.evaluate.ranking import Ranking, rank, ranking_metrics
from graticule.statistics.ratios import nan_mean


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


def statistics(scored: ScoredSamples, weights: FloatArray) -> dict[str, FloatArray]:
    """All metrics of the catalogue under each row of weights (B, n): shape (B,) over all classes, (B, K) per class.

    Beside a biased metric stand the values that chance alone gives: the replicate measured from the sample's own.

    ROC AUC and average precision of a class are the mean over the folds where they are defined (where the fold has
    samples of the class and of others), the macro value is their mean over the classes where they are defined.
    """
    sums = scored.sums @ np.ascontiguousarray(weights.T)
    k = scored.n_classes
    confusion = sums[: k * k].T.reshape(-1, k, k)
    gap = sums[k * k : k * k + ECE_BINS] / confusion.sum(axis=(-2, -1))
    ranked = _ranking_means(scored, weights)
    totals = Totals(confusion, sums[-2], sums[-1], gap, gap - scored.gap[:, None], *ranked)
    by_chance = {metric.chance_key: metric.chance(totals) for metric in METRICS if metric.chance is not None}
    return {metric.key: metric.of(totals) for metric in METRICS} | by_chance


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
    """The metrics of the samples as they are: shape () over all classes, (K,) per class."""
    values = statistics(scored, np.ones((1, len(scored.y))))
    return {name: value[0] for name, value in values.items()}


def replicate(scored: ScoredSamples, chunks: Iterator[FloatArray]) -> dict[str, FloatArray]:
    """`statistics` of all weights, shapes (n_boot,) and (n_boot, K)."""
    parts = [statistics(scored, weights) for weights in chunks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
