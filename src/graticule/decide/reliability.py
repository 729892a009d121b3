"""How far scores can be believed: reliability diagram, calibration error beside what chance alone gives."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.evaluate.metrics import ECE_BINS, ece_bins
from graticule.evaluate.summary import plain_numbers
from graticule.statistics.intervals import MIN_GROUPS, cluster_t, wilson

BINS = 10
NULL_DRAWS = 1000
_LARGE = 1_000_000  # cells of scores from which fewer draws are made: their spread is then small


@dataclass(frozen=True)
class Reliability:
    """The reliability diagram of the best score of each image, in bins of about equal numbers of images.

    Attributes
    ----------
    score, accuracy, low, high : float arrays, shape (b,)
        Mean score and share of right answers of a bin, with its 95 % interval (NaN with too few groups).
    n : int array, shape (b,)
    """

    score: FloatArray
    accuracy: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray


def reliability(y: IntArray, proba: FloatArray, unit: IntArray | None = None, n_bins: int = BINS) -> Reliability:
    """The reliability diagram of labels (n,) and probabilities (n, K); `unit` are groups, if any.

    Equal numbers of images per bin keep the intervals comparable, where bins of equal width are nearly empty below a
    score of 0.9 (Nguyen and O'Connor, 2015). Equal scores share a bin.
    """
    score, right = proba.max(axis=1), (proba.argmax(axis=1) == y).astype(np.float64)
    edges = np.unique(np.quantile(score, np.linspace(0, 1, n_bins + 1)[1:-1]))
    place = np.searchsorted(edges, score, side="left")
    place = numbered(place)
    n = np.bincount(place)
    mean, hits = np.bincount(place, weights=score) / n, _sums(place, right, len(n))
    if unit is None:
        low, high = wilson(hits, n.astype(np.float64))
    else:
        low, high = _grouped(place, right, unit, len(n))
    return Reliability(mean, hits / n, low, high, n.astype(np.int64))


def diagram_of(y: IntArray, proba: FloatArray, unit: IntArray | None) -> dict[str, list[Any]]:
    """`reliability` as decisions.json holds it: a list per attribute, None for what is not known."""
    return {name: plain_numbers(values) for name, values in vars(reliability(y, proba, unit)).items()}


def _sums(cells: IntArray, values: FloatArray, n_bins: int) -> FloatArray:
    return np.bincount(cells, weights=values, minlength=n_bins).astype(np.float64)


def _grouped(place: IntArray, right: FloatArray, unit: IntArray, n_bins: int) -> tuple[FloatArray, FloatArray]:
    codes = numbered(unit)
    shape = (n_bins, int(codes.max()) + 1)
    cells, n_cells = place * shape[1] + codes, shape[0] * shape[1]
    trials = np.bincount(cells, minlength=n_cells).reshape(shape).astype(np.float64)
    hits = _sums(cells, right, n_cells).reshape(shape)
    low, high = cluster_t(hits, trials)
    few = (trials > 0).sum(axis=1) < MIN_GROUPS
    return np.where(few, np.nan, low), np.where(few, np.nan, high)


def calibration_errors(y: IntArray, proba: FloatArray, seed: int = 0) -> dict[str, Any]:
    """Expected calibration errors beside their null distribution.

    A perfectly calibrated model has an ECE above 0 too. Its distribution is drawn: labels from the probabilities
    themselves, 1,000 times, 100 times for large tables (consistency resampling, Broecker and Smith, 2007). `debiased`
    takes the null's mean off, at least 0.

    Parameters
    ----------
    y : int array, shape (n,)
    proba : float array, shape (n, K)
    seed : int
        Of the draws.

    Returns
    -------
    dict
        "ece" (top label) and "classwise_ece" (mean over classes; Kull et al., 2019), each {"value", "debiased",
        "null_mean", "null_95"}.
    """
    n, k = proba.shape
    draws = NULL_DRAWS if n * k <= _LARGE else NULL_DRAWS // 10
    null = np.empty((draws, 2))
    bins = np.stack([ece_bins(proba[:, c]) for c in range(k)], axis=1)
    cell = bins + ECE_BINS * np.arange(k)
    score_sum = np.bincount(cell.ravel(), weights=proba.ravel(), minlength=k * ECE_BINS)
    best = proba.argmax(axis=1)
    top_bin = ece_bins(proba[np.arange(n), best])
    top_sum = np.bincount(top_bin, weights=proba[np.arange(n), best], minlength=ECE_BINS)
    cumulative = np.cumsum(proba, axis=1)
    generator = np.random.default_rng(seed)

    def errors(labels: IntArray) -> tuple[float, float]:
        hits = np.bincount(top_bin, weights=labels == best, minlength=ECE_BINS)
        of_class = np.bincount(cell[np.arange(n), labels], minlength=k * ECE_BINS)
        return float(np.abs(hits - top_sum).sum() / n), float(np.abs(of_class - score_sum).sum() / (n * k))

    for draw in range(draws):
        u = generator.random((n, 1)) * cumulative[:, -1:]
        null[draw] = errors((u > cumulative).sum(axis=1).clip(max=k - 1))
    top, classwise = errors(y)
    return {"ece": _beside(top, null[:, 0]), "classwise_ece": _beside(classwise, null[:, 1])}


def _beside(value: float, null: NDArray[np.float64]) -> dict[str, float]:
    mean = float(null.mean())
    return {
        "value": value,
        "debiased": max(0.0, value - mean),
        "null_mean": mean,
        "null_95": float(np.quantile(null, 0.95)),
    }
