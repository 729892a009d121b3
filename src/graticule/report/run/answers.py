"""Answers to the questions asked of a report: more images? honest scores? what to write in the methods section?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from graticule.plain_text import plural
from graticule.report.quantities import THIN, decimal, figure_value, percent, whole_number
from graticule.report.run.source import ReportSource
from graticule.report.run.wording import share_of_all, span


def learning_answer(curve: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """Would more images help? Compares the last two points of the learning curve.

    The interval of the gain adds the two half-widths in quadrature, as if the points were independent; they share
    test images, so it is wider than it need be.

    Returns
    -------
    (answer, reason) or None
        None when there are fewer than two points.
    """
    points = [(float(p["n_train"]), figure_value(p.get("balanced_accuracy")), p) for p in curve]
    known = [(n, value, p) for n, value, p in points if value is not None]
    if len(known) < 2:
        return None
    (n0, before, p0), (n1, after, p1) = known[-2:]
    gain = after - before
    halves = [_half_width(p) for p in (p0, p1)]
    step = (
        f"From {n0:,.0f} to {n1:,.0f} training images balanced accuracy went from {percent(before)} to {percent(after)}"
    )
    if None in halves:
        return "Undecided.", f"{step}; without intervals this cannot be told from chance."
    half = math.hypot(*(h for h in halves if h is not None))
    ends = f"{_signed(gain - half)} to {_signed(gain + half)}"
    reason = f"{step}: a change of {_signed(gain)} points (95{THIN}% interval {ends})."
    if gain - half > 0:
        return "Yes, probably.", f"{reason} The curve is still rising; more images of the same kind should help."
    if gain + half < 0.01:
        return "Hardly.", f"{reason} The curve is flat; other images (harder cases, new specimens) would tell more."
    return "Perhaps.", f"{reason} The interval contains no change, so the curve does not decide it."


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def point_interval(point: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Interval of one point of the learning curve, (low, high); None where it has none."""
    figure = point.get("balanced_accuracy")
    holder = figure if isinstance(figure, Mapping) else point
    return figure_value(holder, "low"), figure_value(holder, "high")


def _half_width(point: Mapping[str, Any]) -> float | None:
    low, high = point_interval(point)
    return None if low is None or high is None else (high - low) / 2


def reliability_answer(confidence: float, accuracy: float, ece: Any) -> str:
    """Are the scores too sure or too modest, over all images?"""
    gap = confidence - accuracy
    if abs(gap) < 0.01:
        text = "On average the scores are as sure as they are right"
    else:
        text = f"On average the scores are {'surer than' if gap > 0 else 'less sure than'} they are right"
    value = figure_value(ece)
    tail = f"; the calibration error is {percent(value)}" if value is not None else ""
    return f"{text} (mean confidence {percent(confidence)}, right {percent(accuracy)}){tail}."


def methods_paragraph(source: ReportSource) -> str:
    """Text for a methods section, from what was recorded."""
    run, metrics = source.run, source.metrics
    embedding, folds, data = (run.get(key) or {} for key in ("embedding", "folds", "data"))
    version = run.get("graticule_version", "")
    if source.external:
        return (
            f"A classifier trained with Graticule {version} was applied once to {plural(metrics['n'], 'image')} of "
            f"{plural(len(source.classes), 'class', 'classes')}."
        )
    unit = "grouped by " + str(data["group_column"]) if data.get("group_column") else "drawn image by image"
    views = embedding.get("views") or 1
    seen = f", averaged over {views} views (rotations and flips)" if views > 1 else ""
    device = embedding.get("device") or "cpu"
    computed = "" if device == "cpu" else f" on {device}"
    if run.get("training"):
        return _training_paragraph(source, unit)
    heads = sorted({str(fold.get("kind", "classifier")) for fold in (run.get("head") or {}).get("folds") or []})
    accuracy = metrics.get("accuracy")
    evaluated = (
        f"on a held-out part of {percent(share_of_all(run, metrics['n']))}, {unit}"
        if source.one_split
        else f"by {folds.get('k', '?')}-fold cross-validation, folds {unit}"
    )
    return (
        f"{plural(metrics['n'], 'image')} of {plural(len(source.classes), 'class', 'classes')} were classified with "
        f"Graticule {version}. Images were resized to {embedding.get('input_size', '?')} pixels and passed through "
        f"{embedding.get('backbone', 'a network')} with fixed pretrained weights{computed}; feature maps after "
        f"{', '.join(embedding.get('layers') or ['the last layer'])} were pooled ({embedding.get('pooling', 'mean')}) "
        f"to {whole_number(embedding.get('n_features'))} features{seen}. Classifiers ({', '.join(heads) or 'linear'}) "
        f"were evaluated {evaluated}, settings chosen inside {'the' if source.one_split else 'each'} training part. "
        f"{'Accuracy' if source.one_split else 'Out-of-fold accuracy'} was "
        f"{percent(figure_value(accuracy))} ({span(accuracy)}), macro ROC AUC "
        f"{decimal(figure_value(metrics.get('roc_auc_macro')))}."
    )


def _training_paragraph(source: ReportSource, unit: str) -> str:
    """The methods section of a run that trained its network."""
    run, metrics = source.run, source.metrics
    embedding, folds, training = run.get("embedding") or {}, run.get("folds") or {}, run["training"]
    recipe, accuracy = training["recipe"], metrics.get("accuracy")
    frozen = f" (the first {recipe['frozen_blocks']} blocks fixed)" if recipe["frozen_blocks"] else ""
    evaluated = (
        f"one held-out part of {percent(share_of_all(run, metrics['n']))}, {unit}"
        if source.one_split
        else f"{folds.get('k')}-fold cross-validation, folds {unit}"
    )
    return (
        f"{plural(metrics['n'], 'image')} of {plural(len(source.classes), 'class', 'classes')} were classified with "
        f"Graticule {run.get('graticule_version', '')}. {embedding.get('backbone', 'A network')} (weights: "
        f"{embedding.get('source', 'not recorded')}) was fine-tuned end to end{frozen} at "
        f"{recipe['input_size']} x {recipe['input_size']} pixels: a logistic regression on its features gave the last "
        f"layer, then AdamW trained for up to {recipe['epochs']} epochs with batches of {recipe['batch_size']}, a "
        f"highest learning rate of {recipe['lr']:.2g} falling by {recipe['layer_decay']:g} per block towards the "
        f"input, warm-up and cosine decay, label smoothing of {recipe['label_smoothing']:g}, a moving average of the "
        f"weights, and {recipe['augment']} augmentation. The epoch and the temperature of the scores were chosen on "
        f"{percent(recipe['validation'])} of the training images. Evaluation: {evaluated}. Accuracy was "
        f"{percent(figure_value(accuracy))} ({span(accuracy)}), macro ROC AUC "
        f"{decimal(figure_value(metrics.get('roc_auc_macro')))}."
    )
