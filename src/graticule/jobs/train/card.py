"""MODEL_CARD.md of a bundle: what the model is, on what it was trained, how good it is, and how to check it."""

import html
import re
from collections.abc import Mapping
from typing import Any

from graticule.bundle_info import BundleInfo, ValueBundleInfo
from graticule.gates import unproven_words
from graticule.networks.encoder import NO_NETWORK
from graticule.plain_text import visible

_FIGURES = (
    ("accuracy", "Accuracy"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("macro_precision", "Macro precision"),
    ("macro_sensitivity", "Macro sensitivity"),
    ("macro_f1", "Macro F1"),
    ("roc_auc_macro", "ROC AUC (macro)"),
)
CHECK = (
    "## Check",
    "",
    "`sha256sum -c SHA256SUMS` in this folder. No file here holds code: a network is ONNX, the rest safetensors,",
    "JSON and text.",
    "",
)


def model_card(
    info: BundleInfo, metrics: Mapping[str, Any], counts: Mapping[str, int], weights: Mapping[str, Any]
) -> str:
    """Markdown text of the card.

    Parameters
    ----------
    info : BundleInfo
    metrics : mapping
        metrics.json.
    counts : mapping
        Images per class.
    weights : mapping
        What the registry knows of the backbone.
    """
    how = "out-of-fold" if metrics["part"] == "cv" else "on the held-out part"
    meaning = (
        "Out-of-fold figures describe the heads of single folds."
        if metrics["part"] == "cv"
        else "The figures describe this very model, on images set aside before training."
    )
    lines = [
        f"# Image classifier of {len(info.classes)} classes",
        "",
        *origin(info, weights),
        "",
        "## Classes",
        "",
        *(f"- {made_plain(name)}: {counts.get(name, 0):,} images" for name in info.classes),
        "",
        f"## Figures ({how}, {metrics['n']:,} images)",
        "",
        "| figure | value | 95 % interval |",
        "|---|---|---|",
        *(figure_row(label, metrics[name]) for name, label in _FIGURES),
        "",
        f"{meaning} Intervals leave out the variance of retraining.",
        "",
        "## Use",
        "",
        "For images made like the training images. On other instruments, specimens or magnifications, first:",
        "`graticule evaluate RUN DATA --out DIR`. The model answers with one of its classes whatever the image shows.",
        "",
        *CHECK,
    ]
    return "\n".join(lines)


def origin(info: BundleInfo | ValueBundleInfo, weights: Mapping[str, Any]) -> list[str]:
    """Which version made the model, from what; a line, and one on synthetic images where there are any."""
    return [_made_from(info, weights), *(["", synthetic] if (synthetic := _synthetic(info.synthetic)) else [])]


def _synthetic(gates: Mapping[str, int]) -> str:
    """How many of the training images were generated, and what is not shown of them."""
    if not gates:
        return ""
    told = ", ".join(f"{made_plain(word)} {n:,}" for word, n in gates.items())
    return " ".join(
        [f"Of these images {sum(gates.values()):,} are synthetic (gate: {told}).", unproven_words(gates) or ""]
    ).strip()


def _made_from(info: BundleInfo | ValueBundleInfo, weights: Mapping[str, Any]) -> str:
    if info.backbone == NO_NETWORK:
        return (
            f"Made by Graticule {info.graticule_version} from {info.n_training:,} images, on "
            f"{made_plain(str(weights['source']))}, without a network; heads: {info.heads}."
        )
    return (
        f"Made by Graticule {info.graticule_version} from {info.n_training:,} images. Network: "
        f"{made_plain(info.backbone)} (weights {made_plain(str(weights['source']))}, {made_plain(info.licence)}, "
        f"sha256 {info.weights_sha256}); heads: {info.heads}."
    )


def made_plain(text: str) -> str:
    """Text from outside that Markdown, and HTML within it, leave as it is."""
    return re.sub(r"([\\`*\[\]|])", r"\\\1", html.escape(visible(text), quote=False))


def figure_row(label: str, figure: Mapping[str, Any]) -> str:
    """A row of a table of figures: value, interval, method."""

    def number(value: float | None) -> str:
        return "not defined" if value is None else f"{value:.4f}"

    interval = "none" if figure["low"] is None else f"{number(figure['low'])} to {number(figure['high'])}"
    return f"| {label} | {number(figure['value'])} | {interval} ({figure['method']}) |"
