"""Classification metrics over confusion matrices and probabilities.

Every function of a confusion matrix takes shape (..., K, K), rows the label and columns the prediction, and is
vectorised over the leading axes (bootstrap replicates, groups); entries may be weighted counts. Definitions:

* A class is *present* when its row has a positive sum. Macro averages run over the present classes.
* A ratio with denominator 0 is undefined: NaN here, null in metrics.json.
* A present class that is never predicted has an undefined precision and counts as 0 in the macro precision
  (``zero_division=0`` of scikit-learn): leaving it out would reward a classifier for giving a class up.
* F1 = 2 TP / (2 TP + FP + FN): 0 for a present class that is never hit, undefined for one absent from both
  labels and predictions.
* The specificity of a class is undefined when every sample carries that class.
"""

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.statistics.ratios import divide, mean_where

ECE_BINS = 15
LOG_LOSS_EPS = float(np.finfo(np.float64).eps)


def confusion_matrix(y: IntArray, predicted: IntArray, n_classes: int) -> IntArray:
    """Counts of shape (K, K), rows the label, columns the prediction; both inputs are class indices, shape (n,)."""
    cells = np.bincount(y * n_classes + predicted, minlength=n_classes * n_classes)
    return cells.reshape(n_classes, n_classes).astype(np.int64)


def true_positives(confusion: FloatArray) -> FloatArray:
    """Diagonal, shape (..., K)."""
    return np.asarray(np.diagonal(confusion, axis1=-2, axis2=-1), dtype=np.float64)


def support(confusion: FloatArray) -> FloatArray:
    """Samples per label, shape (..., K)."""
    return np.asarray(confusion.sum(axis=-1), dtype=np.float64)


def right(confusion: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correct predictions of all, shapes (...,)."""
    return true_positives(confusion).sum(axis=-1), np.asarray(confusion.sum(axis=(-2, -1)))


def recognised(confusion: FloatArray) -> tuple[FloatArray, FloatArray]:
    """True positives of the samples of each class, shapes (..., K)."""
    return true_positives(confusion), support(confusion)


def given_rightly(confusion: FloatArray) -> tuple[FloatArray, FloatArray]:
    """True positives of the samples given each class, shapes (..., K)."""
    return true_positives(confusion), np.asarray(confusion.sum(axis=-2))


def ruled_out(confusion: FloatArray) -> tuple[FloatArray, FloatArray]:
    """True negatives of the samples of other classes than each, shapes (..., K)."""
    negatives = confusion.sum(axis=(-2, -1))[..., None] - support(confusion)
    false_positives = confusion.sum(axis=-2) - true_positives(confusion)
    return negatives - false_positives, negatives


def accuracy(confusion: FloatArray) -> FloatArray:
    """Share of correct predictions in [0, 1], shape (...,); NaN without samples."""
    return divide(*right(confusion))


def sensitivity(confusion: FloatArray) -> FloatArray:
    """Recall per class, TP / (TP + FN), shape (..., K)."""
    return divide(*recognised(confusion))


def precision(confusion: FloatArray) -> FloatArray:
    """Positive predictive value per class, TP / (TP + FP), shape (..., K); NaN for a class never predicted."""
    return divide(*given_rightly(confusion))


def specificity(confusion: FloatArray) -> FloatArray:
    """TN / (TN + FP) per class, shape (..., K); NaN where all samples carry the class."""
    return divide(*ruled_out(confusion))


def f1(confusion: FloatArray) -> FloatArray:
    """Harmonic mean of precision and sensitivity per class, 2 TP / (2 TP + FP + FN), shape (..., K)."""
    return divide(2.0 * true_positives(confusion), support(confusion) + confusion.sum(axis=-2))


def balanced_accuracy(confusion: FloatArray) -> FloatArray:
    """Mean sensitivity over the present classes, shape (...,); the same number as the macro sensitivity."""
    return mean_where(sensitivity(confusion), support(confusion) > 0)


def macro_precision(confusion: FloatArray) -> FloatArray:
    """Mean precision over the present classes, shape (...,); a class never predicted counts as 0."""
    return mean_where(np.nan_to_num(precision(confusion), nan=0.0), support(confusion) > 0)


def macro_specificity(confusion: FloatArray) -> FloatArray:
    """Mean specificity over the present classes, shape (...,); NaN where only one class is present."""
    return mean_where(specificity(confusion), support(confusion) > 0)


def macro_f1(confusion: FloatArray) -> FloatArray:
    """Mean F1 over the present classes, shape (...,)."""
    return mean_where(f1(confusion), support(confusion) > 0)


def sample_log_loss(y: IntArray, proba: FloatArray) -> FloatArray:
    """Negative natural logarithm of the label's probability, shape (n,), in [0, 36.05].

    The probability is clipped to [eps, 1 - eps], eps = 2.2e-16 (machine precision), as scikit-learn does.
    """
    chosen = np.clip(proba[np.arange(len(y)), y], LOG_LOSS_EPS, 1.0 - LOG_LOSS_EPS)
    return np.asarray(-np.log(chosen), dtype=np.float64)


def log_loss(y: IntArray, proba: FloatArray) -> float:
    """Mean negative log-likelihood in nats of labels (n,) under `proba` (n, K)."""
    return float(sample_log_loss(y, proba).mean())


def sample_brier(y: IntArray, proba: FloatArray) -> FloatArray:
    """Squared error summed over classes, shape (n,), in [0, 2]."""
    target = np.zeros_like(proba)
    target[np.arange(len(y)), y] = 1.0
    return np.asarray(((proba - target) ** 2).sum(axis=1), dtype=np.float64)


def brier(y: IntArray, proba: FloatArray) -> float:
    """Multi-class Brier score: squared error summed over classes, mean over samples, in [0, 2] (Brier, 1950).

    With two classes it is twice the one-column form that is also called by this name.
    """
    return float(sample_brier(y, proba).mean())


def ece_bins(confidence: FloatArray, n_bins: int = ECE_BINS) -> IntArray:
    """Bin of each confidence in [0, 1], shape (n,): equal widths, bin b holds (b / n_bins, (b + 1) / n_bins]."""
    edges = np.linspace(0.0, 1.0, n_bins + 1)[1:-1]
    return np.searchsorted(edges, confidence, side="left").astype(np.int64)


def ece(y: IntArray, proba: FloatArray, n_bins: int = ECE_BINS) -> float:
    """Expected calibration error of the top label in [0, 1] (Naeini et al., 2015; Guo et al., 2017).

    Mean over samples of |accuracy - mean confidence| of the sample's bin; 15 bins of equal width. It is biased
    upwards: a perfectly calibrated classifier scores above 0, the more so the fewer the samples.
    """
    predicted = proba.argmax(axis=1)
    confidence = proba[np.arange(len(y)), predicted]
    gap = (predicted == y) - confidence
    return float(np.abs(np.bincount(ece_bins(confidence, n_bins), weights=gap, minlength=n_bins)).sum() / len(y))
