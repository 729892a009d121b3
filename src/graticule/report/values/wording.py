"""Sentences of the page on predicted numbers: what was found, what to beware of, what to write about it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from graticule.networks.encoder import NO_NETWORK
from graticule.plain_text import plural
from graticule.report.quantities import THIN, figure_value, percent
from graticule.report.run.stamps import unproven_synthesis
from graticule.report.values.source import ValueSource
from graticule.statistics.intervals import MIN_GROUPS

BASELINES = {
    "mean": "mean of the training images",
    "median": "median of the training images",
    "cues": "size, brightness, scale and file alone",
}
# predictions that move less than so much of a step of the truth are drawn to the middle
_SHRUNK = 0.9


def baseline_name(name: str) -> str:
    """A baseline in words; a name that is not known stays."""
    return BASELINES.get(name, name)


def value_span(source: ValueSource, figure: Any) -> str:
    """The interval of a figure in the target's unit, or that there is none."""
    shown = source.amount.show(figure)
    level = (figure_value(figure, "level") or 0.95) * 100
    return f"{level:g}{THIN}% interval {shown.span}" if shown.span else "no interval"


def value_verdict(source: ValueSource) -> list[str]:
    """Plain-language answer in a few sentences, most important first."""
    metrics, amount = source.metrics, source.amount
    mae, grouped = metrics["mae"], metrics.get("n_groups") is not None
    where = f"new {source.unit_of_sampling[1]}" if grouped else "images that it had not seen"
    text = [f"On {where} the prediction is off by {amount(figure_value(mae))} on average ({value_span(source, mae)})."]
    base = (metrics["baselines"] or {}).get("mean")
    if base:
        text.append(_against_mean(source, base))
    intervals = metrics.get("intervals")
    if intervals and intervals.get("coverage"):
        coverage = intervals["coverage"]
        ends = [figure_value(coverage, key) for key in ("low", "high")]
        span = "no" if None in ends else f"95{THIN}%"
        span += " interval" + ("" if None in ends else f", {percent(ends[0], 0)} to {percent(ends[1], 0)}")
        text.append(
            f"The limits that come with each prediction, meant to hold for {percent(intervals['level'], 0)} of images, "
            f"held for {percent(figure_value(coverage))} ({span}); they are "
            f"{amount(figure_value(intervals['width']))} wide on average."
        )
    text += _shrinkage(source)
    own = metrics.get("specimens")
    if own and figure_value(own["mae"]) is not None:
        text.append(
            f"The mean over all images of a {source.unit_of_sampling[0]} is off by {amount(figure_value(own['mae']))}."
        )
    return text


def _against_mean(source: ValueSource, base: Mapping[str, Any]) -> str:
    ratio, error = figure_value(base["ratio"]), source.amount(figure_value(base["mae"]))
    if ratio is None:
        return f"Always saying the mean of the training images would be off by {error}."
    if ratio >= 1:
        return f"Always saying the mean of the training images would be off by {error}, no more: nothing was learnt."
    return (
        f"That is {percent(1 - ratio, 0)} less than always saying the mean of the training images ({error}); the model "
        f"explains {percent(figure_value(source.metrics['r2']), 0)} of the variance."
    )


def _shrinkage(source: ValueSource) -> list[str]:
    """What happens at the ends of the range."""
    thirds = source.metrics["bias_by_third"]
    slope = figure_value(source.metrics.get("slope"))
    ends = [figure_value(thirds[k]["bias"]) for k in (0, -1)] if thirds else [None, None]
    if slope is None or ends[0] is None or ends[1] is None or slope >= _SHRUNK:
        return []
    amount = source.amount

    def moved(bias: float) -> str:
        return f"{amount(abs(bias))} too {'high' if bias > 0 else 'low'}"

    return [
        f"Predictions are drawn to the middle: in the lowest third of the true values they are {moved(ends[0])} on "
        f"average, in the highest third {moved(ends[1])}."
    ]


def shrinkage_note(source: ValueSource) -> str:
    """What the slope says beside the picture."""
    shown = source.amount.show(source.metrics.get("slope"), bare=True)
    if shown.raw is None:
        return "All true values are equal: there is no slope."
    span = f" ({shown.span})" if shown.span else ""
    tail = (
        "predictions are drawn to the middle. It is not corrected: that would make single predictions worse on average"
        if shown.raw < _SHRUNK
        else "1 is perfect"
    )
    return f"A step of 1 in the true value moves the prediction by {shown.value}{span}: {tail}."


def value_alerts(source: ValueSource) -> list[tuple[str, str]]:
    """What a reader must know before using the figures, as (heading, words); gravest first."""
    metrics, found = source.metrics, []
    found += unproven_synthesis(source.run)
    leaks = [leak for leak in source.run.get("leaks") or [] if "test" in leak["parts"]]
    if leaks:
        found.append(("Leaking split", f"{plural(len(leaks), 'leak')} between training and held-out part were allowed "
                      "by --allow-leaks: the model knew part of its exam."))  # fmt: skip
    openings = len(source.run.get("test_openings") or [])
    if openings > 1:
        found.append(("Held-out part opened again", f"It was opened {openings} times; results of a part that was "
                      "looked at more than once tend to flatter."))  # fmt: skip
    found += _baseline_alerts(source)
    kept = (metrics.get("intervals") or {}).get("kept")
    if kept == "missed":
        level = percent(metrics["intervals"]["level"], 0)
        found.append(("Limits too narrow", f"They hold the true value for fewer than {level} of these images: the "
                      "images differ from those that the limits were made from."))  # fmt: skip
    n_groups = metrics.get("n_groups")
    if n_groups is None:
        found.append(("No groups", "Images count as independent. Where several show one specimen, new specimens will "
                      "fare worse than these figures say: name the column with --group."))  # fmt: skip
    elif n_groups < MIN_GROUPS:
        found.append((f"Only {plural(int(n_groups), 'group')}", f"Fewer than {MIN_GROUPS} give no trustworthy "
                      "interval, and limits of predictions are estimates without a promise."))  # fmt: skip
    found += _range_alerts(source)
    notes = [str(words) for words in source.run.get("warnings") or []]
    return found + [("Note", words[:1].upper() + words[1:]) for words in notes]


def _baseline_alerts(source: ValueSource) -> list[tuple[str, str]]:
    """Simpler methods that the model is not shown to beat."""
    found = []
    for name, own in (source.metrics["baselines"] or {}).items():
        ratio, high = figure_value(own["ratio"]), figure_value(own["ratio"], "high")
        if ratio is not None and (ratio >= 1 or (high is not None and high >= 1)):
            words = "is not better than" if ratio >= 1 else "is not shown to be better than"
            most = "" if high is None else f", up to {high:.2f}"
            found.append(("A simpler method does as well", f"The model {words} “{baseline_name(name)}”: its error is "
                          f"{ratio:.2f} times as large{most}."))  # fmt: skip
    return found


def _range_alerts(source: ValueSource) -> list[tuple[str, str]]:
    """Folds that reach beyond what their model was trained on."""
    values, found = source.shown, []
    for fold in np.unique(values.fold[values.fold >= 0]):
        own, rest = values.target[values.fold == fold], values.target[(values.fold != fold) & (values.fold >= 0)]
        beyond = int(((own < rest.min()) | (own > rest.max())).sum()) if len(rest) else 0
        if beyond > 0.1 * len(own):
            found.append(("Extrapolation", f"{plural(beyond, 'image')} of {len(own)} in fold {fold} lie outside the "
                          "range that its model was trained on; their errors tell of extrapolation."))  # fmt: skip
    return found


def value_methods(source: ValueSource) -> str:
    """Text for a methods section, from what was recorded."""
    run, metrics, amount = source.run, source.metrics, source.amount
    version, several = run.get("graticule_version", ""), source.unit_of_sampling[1]
    n_groups = metrics.get("n_groups")
    images = plural(metrics["n"], "image") + (f" of {n_groups:,} {several}" if n_groups is not None else "")
    mae = f"{amount(figure_value(metrics['mae']))} ({value_span(source, metrics['mae'])})"
    r2 = amount.show(metrics["r2"], bare=True)
    figures = f"Mean absolute error was {mae}, R2 {r2.value}" + (f" ({r2.span})" if r2.span else "") + ". "
    if source.external:
        text = f"A model of {source.target} trained with Graticule {version} was applied once to {images}. "
        return text + figures + _limit_methods(source)
    folds, head, embedding = (run.get(key) or {} for key in ("folds", "head", "embedding"))
    kinds = sorted({str(fold.get("kind")) for fold in head.get("folds") or [] if fold.get("kind")})
    looked_at = sorted({str(one) for fold in head.get("folds") or [] for one in fold.get("features") or []})
    network = embedding.get("backbone", "not recorded")
    asked = "no network was asked" if network == NO_NETWORK else f"network: {network}"
    unit = f"whole {several} in one fold" if n_groups is not None else "drawn image by image"
    how = (
        f"by {folds.get('k', '?')}-fold cross-validation, {unit}, folds balanced over the range of the target"
        if source.part == "cv"
        else "on a held-out part"
    )
    said = f"{source.target.capitalize()} was predicted from {images} with Graticule {version}: "
    if run.get("training"):
        return f"{said}{_trained(run, embedding)} The model was evaluated {how}. {figures}{_limit_methods(source)}"
    return (
        f"{said}features ({' or '.join(looked_at) or 'as recorded'}; {asked}) entered "
        f"regressions ({', '.join(kinds) or 'as recorded'}) whose kind and strength were chosen inside each training "
        f"part. The model was evaluated {how}. {figures}{_limit_methods(source)}"
    )


def _trained(run: Mapping[str, Any], embedding: Mapping[str, Any]) -> str:
    """How the network was trained, for a methods section."""
    recipe = run["training"]["recipe"]
    frozen = f" (the first {recipe['frozen_blocks']} blocks fixed)" if recipe["frozen_blocks"] else ""
    return (
        f"{embedding.get('backbone', 'a network')} (weights: {embedding.get('source', 'not recorded')}) was fine-tuned "
        f"end to end{frozen} at {recipe['input_size']} x {recipe['input_size']} pixels: a ridge regression on its "
        f"features gave the last layer, then AdamW minimised Huber's loss of the standardised number for up to "
        f"{recipe['epochs']} epochs with batches of {recipe['batch_size']}, a highest learning rate of "
        f"{recipe['lr']:.2g} falling by {recipe['layer_decay']:g} per block towards the input, warm-up and cosine "
        f"decay, a moving average of the weights, and {recipe['augment']} augmentation. The epoch was chosen on "
        f"{percent(recipe['validation'])} of the training images."
    )


def _limit_methods(source: ValueSource) -> str:
    intervals = source.metrics.get("intervals")
    resampled = "groups" if source.metrics.get("n_groups") is not None else "images"
    text = f"Intervals of figures are from a bootstrap over {resampled}."
    if not intervals or not intervals.get("coverage"):
        return text
    return (
        f"{text} Limits of single predictions are conformal, with every {source.unit_of_sampling[0]} weighing alike "
        f"(Lee, Barber and Willett 2023; Romano, Patterson and Candès 2019); at the level "
        f"{percent(intervals['level'], 0)} they held for {percent(figure_value(intervals['coverage']))} of images."
    )
