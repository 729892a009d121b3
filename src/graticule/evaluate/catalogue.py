"""Every metric as one row: its function, range, interval, unit and words. What is not here is not computed or shown.

To add one, write its function in `metrics` and its row here: `metrics.json`, the comparison of runs and the pages
follow. A metric of a class takes and gives shape (B, K), one over all classes (B,), for B weightings of the samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graticule.arrays import FloatArray
from graticule.evaluate import metrics
from graticule.statistics import paired_tests
from graticule.statistics.ratios import divide, nan_mean

Unit = Literal["percent", "decimal"]
# counts: successes of trials; bounded, ranking: a standard error within the range, the second skewed near its end;
# loss: a mean of what is mostly near 0; biased: too high in small samples, so that chance alone is measured beside it
Interval = Literal["counts", "bounded", "ranking", "loss", "biased"]
Counts = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Totals:
    """What every metric is a function of, under B weightings of the samples of K classes.

    Attributes
    ----------
    confusion : float array, shape (B, K, K)
        Weights by label and prediction.
    log_loss, brier : float arrays, shape (B,)
        Sums over samples.
    gap, chance_gap : float arrays, shape (15, B)
        Correct less confidence per bin of confidence, over all weights; and that less the sample's own.
    roc_auc, average_precision : float arrays, shape (B, K)
        Of each class against the rest: the mean over the folds where they are defined.
    """

    confusion: FloatArray
    log_loss: FloatArray
    brier: FloatArray
    gap: FloatArray
    chance_gap: FloatArray
    roc_auc: FloatArray
    average_precision: FloatArray

    @property
    def mass(self) -> FloatArray:
        """Sum of the weights, shape (B,)."""
        return np.asarray(self.confusion.sum(axis=(-2, -1)))


@dataclass(frozen=True)
class Metric:
    """One figure of metrics.json.

    Attributes
    ----------
    key : str
        Its key in metrics.json.
    name : str
        Its name in tables.
    unit : "percent" or "decimal"
        How it is written.
    definition : str
        One or two sentences for the glossary, with the degenerate case.
    of : function of Totals
        The values; NaN where not defined.
    interval : Interval
        How its limits are made.
    low, high : float
        Its range.
    counts : function of a confusion matrix, or None
        Successes and trials, where the interval is that of a proportion.
    chance : function of Totals, or None
        The values that chance alone gives, where the metric is biased.
    unseen : function of class sizes and design effect, or None
        Variance that one more discordant sample in each direction adds to a paired difference.
    by_pairs : bool
        Whether it compares samples of a class with others, so that the fewer of both are its evidence.
    over_classes : bool
        Whether each class counts alike, so that the rarest decide how sure it is.
    lower_is_better, headline, per_fold : bool
        Headlines have a card on the page.
    """

    key: str
    name: str
    unit: Unit
    definition: str
    of: Callable[[Totals], FloatArray]
    interval: Interval
    low: float = 0.0
    high: float = 1.0
    counts: Callable[[FloatArray], Counts] | None = None
    chance: Callable[[Totals], FloatArray] | None = None
    unseen: Callable[[FloatArray, float], float] | None = None
    by_pairs: bool = False
    over_classes: bool = False
    lower_is_better: bool = False
    headline: bool = False
    per_fold: bool = False

    @property
    def pooled(self) -> bool:
        """Whether scores are ranked within folds, so that the value over all folds together stands beside it."""
        return self.interval == "ranking"

    @property
    def chance_key(self) -> str:
        """Where the values that chance alone gives stand."""
        return f"{self.key}_null"


def _of(function: Callable[[FloatArray], FloatArray]) -> Callable[[Totals], FloatArray]:
    return lambda totals: function(totals.confusion)


PER_CLASS = (
    Metric(
        "precision",
        "Precision",
        "percent",
        "Of the images given this class, the share that carry its label (positive predictive value). "
        "Depends on how common the class is. Not defined when no image was given the class.",
        _of(metrics.precision),
        "counts",
        counts=metrics.given_rightly,
    ),
    Metric(
        "sensitivity",
        "Sensitivity",
        "percent",
        "Of the images of this class, the share that were recognised (recall, true positive rate). "
        "Not defined for a class without images.",
        _of(metrics.sensitivity),
        "counts",
        counts=metrics.recognised,
    ),
    Metric(
        "specificity",
        "Specificity",
        "percent",
        "Of the images of all other classes, the share that were not given this class. "
        "With many classes it is high for nearly any classifier.",
        _of(metrics.specificity),
        "counts",
        counts=metrics.ruled_out,
    ),
    Metric(
        "f1",
        "F1",
        "percent",
        "Harmonic mean of precision and sensitivity, 2 TP / (2 TP + FP + FN).",
        _of(metrics.f1),
        "bounded",
    ),
    Metric(
        "roc_auc",
        "ROC AUC",
        "decimal",
        "Area under the receiver operating characteristic, this class against the rest: the probability that an image "
        "of the class scores higher than an image of another class (Hanley and McNeil 1982). 0.5 is chance.",
        lambda totals: totals.roc_auc,
        "ranking",
        by_pairs=True,
    ),
    Metric(
        "average_precision",
        "Average precision",
        "decimal",
        "Area under the precision-recall curve, as a sum of steps: each threshold's precision times the gain in "
        "recall. Chance is the share of the class among the images.",
        lambda totals: totals.average_precision,
        "ranking",
    ),
)

OVERALL = (
    Metric(
        "accuracy",
        "Accuracy",
        "percent",
        "Share of images whose highest-scoring class is their label.",
        _of(metrics.accuracy),
        "counts",
        counts=metrics.right,
        unseen=paired_tests.unseen_in_share,
        headline=True,
        per_fold=True,
    ),
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        "percent",
        "Mean of the classes' sensitivities: every class counts the same however many images it has.",
        _of(metrics.balanced_accuracy),
        "bounded",
        unseen=paired_tests.unseen_in_average,
        over_classes=True,
        headline=True,
        per_fold=True,
    ),
    Metric(
        "macro_precision",
        "Precision, macro",
        "percent",
        "Mean of the classes' precisions; a class that is never given counts as 0.",
        _of(metrics.macro_precision),
        "bounded",
        unseen=paired_tests.unseen_in_average,
        over_classes=True,
    ),
    Metric(
        "macro_sensitivity",
        "Sensitivity, macro",
        "percent",
        "Mean of the classes' sensitivities; the same as balanced accuracy.",
        _of(metrics.balanced_accuracy),
        "bounded",
        unseen=paired_tests.unseen_in_average,
        over_classes=True,
    ),
    Metric(
        "macro_specificity",
        "Specificity, macro",
        "percent",
        "Mean of the classes' specificities.",
        _of(metrics.macro_specificity),
        "bounded",
        unseen=paired_tests.unseen_in_specificity,
        over_classes=True,
    ),
    Metric(
        "macro_f1",
        "F1, macro",
        "percent",
        "Mean of the classes' F1.",
        _of(metrics.macro_f1),
        "bounded",
        unseen=paired_tests.unseen_in_average,
        over_classes=True,
        headline=True,
    ),
    Metric(
        "roc_auc_macro",
        "ROC AUC, macro",
        "decimal",
        "Mean of the classes' areas under the ROC curve.",
        lambda totals: nan_mean(totals.roc_auc, axis=1),
        "ranking",
        by_pairs=True,
        over_classes=True,
        headline=True,
        per_fold=True,
    ),
    Metric(
        "average_precision_macro",
        "Average precision, macro",
        "decimal",
        "Mean of the classes' average precisions.",
        lambda totals: nan_mean(totals.average_precision, axis=1),
        "ranking",
        over_classes=True,
        headline=True,
    ),
    Metric(
        "log_loss",
        "Log loss",
        "decimal",
        "Mean of -ln(probability given to the true class). 0 is perfect; lower is better.",
        lambda totals: divide(totals.log_loss, totals.mass),
        "loss",
        high=-float(np.log(metrics.LOG_LOSS_EPS)),
        lower_is_better=True,
    ),
    Metric(
        "brier",
        "Brier score",
        "decimal",
        "Mean squared distance between the probabilities and the truth, summed over classes: 0 is perfect, 2 is worst "
        "(Brier 1950). Lower is better.",
        lambda totals: divide(totals.brier, totals.mass),
        "loss",
        high=2.0,
        lower_is_better=True,
    ),
    Metric(
        "ece",
        "Calibration error",
        "percent",
        "Expected calibration error: mean gap between the confidence in the top class and the share right, over 15 "
        "equal-width bins, weighted by images (Guo et al. 2017). Lower is better; biased upwards in small samples.",
        lambda totals: np.asarray(np.abs(totals.gap).sum(axis=0)),
        "biased",
        chance=lambda totals: np.asarray(np.abs(totals.chance_gap).sum(axis=0)),
        lower_is_better=True,
        headline=True,
    ),
)
METRICS = (*OVERALL, *PER_CLASS)
