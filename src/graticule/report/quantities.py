"""The figures a report shows: their names, units and definitions, and how one is written with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["percent", "decimal"]
THIN = "\u202f"
DASH = "–"


@dataclass(frozen=True)
class Quantity:
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
    """

    key: str
    name: str
    unit: Unit
    definition: str


PER_CLASS = (
    Quantity(
        "precision",
        "Precision",
        "percent",
        "Of the images given this class, the share that carry its label (positive predictive value). "
        "Depends on how common the class is. Not defined when no image was given the class.",
    ),
    Quantity(
        "sensitivity",
        "Sensitivity",
        "percent",
        "Of the images of this class, the share that were recognised (recall, true positive rate). "
        "Not defined for a class without images.",
    ),
    Quantity(
        "specificity",
        "Specificity",
        "percent",
        "Of the images of all other classes, the share that were not given this class. "
        "With many classes it is high for nearly any classifier.",
    ),
    Quantity("f1", "F1", "percent", "Harmonic mean of precision and sensitivity, 2 TP / (2 TP + FP + FN)."),
    Quantity(
        "roc_auc",
        "ROC AUC",
        "decimal",
        "Area under the receiver operating characteristic, this class against the rest: the probability that an image "
        "of the class scores higher than an image of another class (Hanley and McNeil 1982). 0.5 is chance.",
    ),
    Quantity(
        "average_precision",
        "Average precision",
        "decimal",
        "Area under the precision-recall curve, as a sum of steps: each threshold's precision times the gain in "
        "recall. Chance is the share of the class among the images.",
    ),
)

OVERALL = (
    Quantity("accuracy", "Accuracy", "percent", "Share of images whose highest-scoring class is their label."),
    Quantity(
        "balanced_accuracy",
        "Balanced accuracy",
        "percent",
        "Mean of the classes' sensitivities: every class counts the same however many images it has.",
    ),
    Quantity(
        "macro_precision",
        "Precision, macro",
        "percent",
        "Mean of the classes' precisions; a class that is never given counts as 0.",
    ),
    Quantity(
        "macro_sensitivity",
        "Sensitivity, macro",
        "percent",
        "Mean of the classes' sensitivities; the same as balanced accuracy.",
    ),
    Quantity("macro_specificity", "Specificity, macro", "percent", "Mean of the classes' specificities."),
    Quantity("macro_f1", "F1, macro", "percent", "Mean of the classes' F1."),
    Quantity("roc_auc_macro", "ROC AUC, macro", "decimal", "Mean of the classes' areas under the ROC curve."),
    Quantity(
        "average_precision_macro", "Average precision, macro", "decimal", "Mean of the classes' average precisions."
    ),
    Quantity(
        "log_loss",
        "Log loss",
        "decimal",
        "Mean of -ln(probability given to the true class). 0 is perfect; lower is better.",
    ),
    Quantity(
        "brier",
        "Brier score",
        "decimal",
        "Mean squared distance between the probabilities and the truth, summed over classes: 0 is perfect, 2 is worst "
        "(Brier 1950). Lower is better.",
    ),
    Quantity(
        "ece",
        "Calibration error",
        "percent",
        "Expected calibration error: mean gap between the confidence in the top class and the share right, over 15 "
        "equal-width bins, weighted by images (Guo et al. 2017). Lower is better; biased upwards in small samples.",
    ),
)

HEADLINE = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc_macro", "average_precision_macro", "ece")

METHODS = {
    "wilson": "Wilson's score interval for a proportion (Wilson 1927)",
    "bootstrap": "standard error from a bootstrap over images, drawn within each class (Efron 1979), in the form of "
    "interval that suits the measure",
    "cluster-t": "cluster-robust variance over groups with Student's t (Liang and Zeger 1986)",
    "group-bootstrap": "standard error from a bootstrap over whole groups (Davison and Hinkley 1997), in the form of "
    "interval that suits the measure",
    "too_few_groups": "no interval, since the value rests on fewer than 10 groups",
}


def figure_value(figure: Any, key: str = "value") -> float | None:
    """Read a number out of a figure: a mapping with `value`, a bare number, or null; NaN counts as null."""
    number = figure.get(key) if isinstance(figure, Mapping) else (figure if key == "value" else None)
    if isinstance(number, Mapping):
        return figure_value(number)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        return None
    return float(number)


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share as a percentage, or a dash when it is not defined."""
    return DASH if value is None else f"{100 * value:.{digits}f}{THIN}%"


def decimal(value: float | None) -> str:
    """Write a number with three decimals, or a dash when it is not defined."""
    return DASH if value is None else f"{value:.3f}"


def count(value: float | None) -> str:
    """Write a whole number with thousands separated, or a dash when it is unknown."""
    return DASH if value is None else f"{int(value):,}"


def written(value: float | None, unit: Unit) -> str:
    """Write a number in its unit."""
    return percent(value) if unit == "percent" else decimal(value)


@dataclass(frozen=True)
class ShownFigure:
    """A figure as the page writes it.

    Attributes
    ----------
    raw : float or None
        The value itself, for sorting and for reading the page by machine.
    value, interval, span : str
        "95.1 %", "94.2–95.9" (or empty) and "94.2 to 95.9 %" (or empty).
    hint : str
        What a reader learns by pointing at it: the method, or why nothing is there.
    """

    raw: float | None
    value: str
    interval: str
    span: str
    hint: str


def show(figure: Any, unit: Unit) -> ShownFigure:
    """Write one figure with its interval."""
    value, low, high = (figure_value(figure, key) for key in ("value", "low", "high"))
    if value is None:
        return ShownFigure(None, DASH, "", "", "not defined")
    method = str(figure.get("method", "")) if isinstance(figure, Mapping) else ""
    if low is None or high is None:
        return ShownFigure(value, written(value, unit), "", "", METHODS.get(method, "no interval"))
    level = figure_value(figure, "level") or 0.95
    scale, digits = (100.0, 1) if unit == "percent" else (1.0, 3)
    ends = f"{scale * low:.{digits}f}", f"{scale * high:.{digits}f}"
    hint = f"{100 * level:g}{THIN}% interval; {METHODS.get(method, method)}"
    span = f"{ends[0]} to {ends[1]}" + (f"{THIN}%" if unit == "percent" else "")
    return ShownFigure(value, written(value, unit), f"{ends[0]}{DASH}{ends[1]}", span, hint)
