"""ROC AUC and average precision of one class against the rest, for many weightings of the same samples.

Samples are sorted once. Between two thresholds that a positive sample sits at, negatives only count together,
so each replicate needs one sparse product and cumulative sums over the positives' thresholds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from graticule.arrays import FloatArray

CHUNK_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Ranking:
    """Samples of one class against the rest, sorted by falling score.

    Attributes
    ----------
    n_thresholds : int
        Distinct scores T that at least one positive sample has.
    sums : sparse array, shape (3 T + 1, n)
        Times the weights (n, B): for each threshold the positives at it (rows 0 to T), the negatives at it
        (T to 2 T) and the negatives between it and the threshold above (2 T to 3 T); last the negatives below all.
    """

    n_thresholds: int
    sums: csr_array


def rank(scores: FloatArray, positive: NDArray[np.bool_], rows: NDArray[np.int64] | None = None) -> Ranking:
    """Sort samples by score, once for all weightings.

    Parameters
    ----------
    scores : float array, shape (n,)
        Higher means more likely positive.
    positive : bool array, shape (n,)
    rows : int array, optional
        Rank these rows only (a fold); weights keep their n columns.
    """
    n = len(scores)
    rows = np.arange(n) if rows is None else rows
    thresholds = np.unique(scores[rows[positive[rows]]])[::-1]
    n_thresholds = len(thresholds)
    slot = np.searchsorted(-thresholds, -scores[rows], side="left")
    tied = np.zeros(len(rows), dtype=bool)
    inside = slot < n_thresholds
    tied[inside] = thresholds[slot[inside]] == scores[rows[inside]]
    block = np.where(positive[rows], 0, np.where(tied, 1, 2))
    entries = (np.ones(len(rows)), (block * n_thresholds + slot, rows))
    return Ranking(n_thresholds, csr_array(entries, shape=(3 * n_thresholds + 1, n)))


def ranking_metrics(ranking: Ranking, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """ROC AUC and average precision for each row of weights.

    Parameters
    ----------
    ranking : Ranking
    weights : float array, shape (B, n)
        Non-negative sample weights, for example bootstrap multiplicities. Fortran order saves a copy.

    Returns
    -------
    roc_auc : float array, shape (B,)
        Weighted probability that a positive scores above a negative, ties counting one half (Mann and Whitney,
        1947). NaN where a replicate has no positives or no negatives.
    average_precision : float array, shape (B,)
        Sum over falling thresholds of the gain in sensitivity times the precision there, without interpolation;
        tied samples enter together, as in scikit-learn. NaN where a replicate has no positives; 1 where it has
        no negatives.
    """
    step = max(1, CHUNK_BYTES // (8 * (3 * ranking.n_thresholds + 1 + weights.shape[1])))
    parts = [_chunk_metrics(ranking, weights[at : at + step]) for at in range(0, len(weights), step)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _chunk_metrics(ranking: Ranking, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    counts = ranking.sums @ np.ascontiguousarray(weights.T)
    t = ranking.n_thresholds
    hits, ties, between = counts[:t], counts[t : 2 * t], counts[2 * t : 3 * t]
    false = np.cumsum(between + ties, axis=0)
    true = np.cumsum(hits, axis=0)
    n_positive = hits.sum(axis=0)
    n_negative = (false[-1] if t else 0.0) + counts[-1]
    below = n_negative - false + 0.5 * ties
    pairs = n_positive * n_negative
    roc_auc = np.divide((hits * below).sum(axis=0), pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)
    called = true + false
    share = np.divide(true, called, out=np.zeros_like(called), where=called > 0)
    ap = np.divide((hits * share).sum(axis=0), n_positive, out=np.full_like(pairs, np.nan), where=n_positive > 0)
    return roc_auc, ap


def roc_auc(scores: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None) -> FloatArray:
    """ROC AUC of scores (n,) for labels (n,) under weights (B, n), default one row of ones; shape (B,)."""
    return ranking_metrics(rank(scores, positive), _or_ones(weights, len(scores)))[0]


def average_precision(scores: FloatArray, positive: NDArray[np.bool_], weights: FloatArray | None = None) -> FloatArray:
    """Average precision of scores (n,) for labels (n,) under weights (B, n), default one row of ones; shape (B,)."""
    return ranking_metrics(rank(scores, positive), _or_ones(weights, len(scores)))[1]


def _or_ones(weights: FloatArray | None, n: int) -> FloatArray:
    return np.ones((1, n)) if weights is None else weights
