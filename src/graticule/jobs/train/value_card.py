"""MODEL_CARD.md of a model of numbers."""

from collections.abc import Mapping
from typing import Any

from graticule.bundle_info import ValueBundleInfo
from graticule.jobs.train.card import CHECK, figure_row, made_plain, origin

_FIGURES = (
    ("mae", "Mean absolute error"),
    ("rmse", "Root mean square error"),
    ("r2", "R2 (against the mean of the training images)"),
    ("bias", "Bias"),
    ("slope", "Slope of predicted on true"),
    ("spearman", "Rank correlation"),
)


def value_card(info: ValueBundleInfo, metrics: Mapping[str, Any], weights: Mapping[str, Any]) -> str:
    """Markdown text of the card.

    Parameters
    ----------
    info : ValueBundleInfo
    metrics : mapping
        metrics.json.
    weights : mapping
        What the registry knows of the backbone.
    """
    how = "out-of-fold" if metrics["part"] == "cv" else "on the held-out part"
    unit = f" ({made_plain(info.unit)})" if info.unit else ""
    groups = "" if metrics["n_groups"] is None else f" of {metrics['n_groups']:,} groups"
    least, most = info.trained_on
    lines = [
        f"# Model of {made_plain(info.target)}{unit} from images",
        "",
        *origin(info, weights),
        "",
        f"Trained on numbers from {least:g} to {most:g}{unit}; outside of that range it extrapolates, and says so.",
        "",
        f"## Figures ({how}, {metrics['n']:,} images{groups})",
        "",
        "| figure | value | 95 % interval |",
        "|---|---|---|",
        *(figure_row(label, metrics[name]) for name, label in _FIGURES),
        "",
        *_limits(info, metrics),
        "## Use",
        "",
        "For images made like the training images. On other instruments, specimens or magnifications, first:",
        "`graticule evaluate RUN DATA --out DIR`. The model answers with a number whatever the image shows.",
        "",
        *CHECK,
    ]
    return "\n".join(lines)


def _limits(info: ValueBundleInfo, metrics: Mapping[str, Any]) -> list[str]:
    if info.intervals is None or metrics["intervals"] is None:
        return ["No limits: there was no image that no model saw.", ""]
    own = metrics["intervals"]
    lines = [f"- {100 * level['level']:.0f} %: {level['words']}" for level in info.intervals["levels"]]
    return [
        "## Limits of each number",
        "",
        *lines,
        "",
        "| limits of the images above | value | 95 % interval |",
        "|---|---|---|",
        figure_row(f"Share that holds the true number ({100 * own['level']:.0f} % wanted)", own["coverage"]),
        figure_row("Mean width", own["width"]),
        "",
    ]
