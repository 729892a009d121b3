"""The report's section on a network that was trained: its course in each fold, its settings, its export."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from graticule.report.quantities import percent
from graticule.report.svg import dot, line, nice_ticks, svg, text
from graticule.tasks import REGRESSION

_SETTINGS = (
    ("epochs", "Epochs", "at most"),
    ("batch_size", "Images per step", ""),
    ("input_size", "Input, px", ""),
    ("lr", "Highest learning rate", "of the last layers"),
    ("layer_decay", "Learning rate from one block to the one before", "times"),
    ("frozen_blocks", "Blocks that kept their weights", "from the input on"),
    ("statistics", "Means and variances of batch normalisation", "kept: those of the pretrained network"),
    ("augment", "Variation of training images", ""),
    ("balance", "Balance of classes", "loss: weights by the inverse square root of their size"),
    ("label_smoothing", "Label smoothing", ""),
    ("weight_decay", "Weight decay (AdamW)", ""),
    ("drop_rate", "Dropout before the last layer", ""),
    ("average", "Moving average of the weights, decay", "per step"),
    ("clip", "Largest norm of the gradient", ""),
    ("validation", "Share of the training part that chose the epoch", ""),
    ("precision", "Precision", ""),
)
_OF_CLASSES = ("balance", "label_smoothing")


def training_content(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Tables and picture of the section; None where no network was trained."""
    training = run.get("training")
    if not training:
        return None
    recipe, parity = training["recipe"], training["parity"]
    folds, scores = training["folds"], run.get("task") != REGRESSION
    return {
        "folds": [fold | {"error": _error_kept(fold)} for fold in folds],
        "scores": scores,
        "judged": any(fold["n_validation"] for fold in folds),
        "figure": course_figure(
            [fold["history"] for fold in folds],
            [fold.get("best_epoch") for fold in folds],
            "log loss, nats" if scores else "Huber loss",
        ),
        "settings": [
            (name, _plain(recipe[key]), note)
            for key, name, note in _SETTINGS
            if key in recipe and (scores or key not in _OF_CLASSES)
        ],
        "notes": training.get("weights_notes") or [],
        "parity": parity,
        "shipped": training["shipped"],
        "refit": training.get("refit"),
        "device": training.get("device"),
        "processes": training.get("processes", 1),
        "seconds": sum(fold["seconds"] for fold in folds),
    }


def _error_kept(fold: Mapping[str, Any]) -> str:
    """Mean absolute error on the validation part in the epoch that was kept."""
    found = {record["epoch"]: record.get("validation_mae") for record in fold["history"]}.get(fold.get("best_epoch"))
    return "–" if found is None else percent(found)


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def course_figure(
    histories: Sequence[Sequence[Mapping[str, Any]]], kept: Sequence[int | None], loss: str = "log loss, nats"
) -> Markup:
    """Loss against epoch, one thin line per fold for the training part and one strong line for the validation part.

    Parameters
    ----------
    histories : sequence of sequences of {"epoch", "loss", "validation_loss", ...}
    kept : sequence of int or None
        Epoch whose weights were kept, from 1.
    loss : str
        Name of the loss.
    """
    left, top, width, height = 48.0, 8.0, 460.0, 220.0
    bottom = top + height
    losses = [record[key] for records in histories for record in records for key in ("loss", "validation_loss")]
    known = [value for value in losses if value is not None]
    # a first epoch that starts far off must not flatten all others
    ceiling = max(sorted(known)[: max(1, round(0.97 * len(known)))])
    ticks = nice_ticks(0.0, ceiling)
    last = max(record["epoch"] for records in histories for record in records)

    def place(epoch: float, loss: float) -> tuple[float, float]:
        across = (epoch - 1) / max(1, last - 1)
        return left + width * across, bottom - height * min(1.0, loss / ticks[-1])

    body = []
    for tick in ticks:
        y = place(1, tick)[1]
        body += [line(left, y, left + width, y, "grid"), text(left - 6, y + 4, f"{tick:g}", "end")]
    step = max(1, round(last / 8))
    body += [text(place(epoch, 0)[0], bottom + 15, str(epoch)) for epoch in range(1, last + 1, step)]
    body.append(line(left, bottom, left + width, bottom, "axis"))
    for fold, (records, epoch) in enumerate(zip(histories, kept, strict=True)):
        body.append(_path([place(r["epoch"], r["loss"]) for r in records], "limit"))
        judged = [r for r in records if r["validation_loss"] is not None]
        if judged:
            body.append(_path([place(r["epoch"], r["validation_loss"]) for r in judged], "join"))
        for best in (record for record in judged if record["epoch"] == epoch):
            words = f"fold {fold + 1}: validation loss {best['validation_loss']:.3f} in epoch {epoch}, which was kept"
            body.append(dot(*place(best["epoch"], best["validation_loss"]), 4, "dot", words))
    body.append(text(left + width / 2, bottom + 31, "epoch"))
    middle = top + height / 2
    body.append(text(11, middle, loss, extra=f' transform="rotate(-90 11 {middle:g})"'))
    return svg(left + width + 16, bottom + 38, "Training and validation loss against epoch", body)


def _path(points: Sequence[tuple[float, float]], kind: str) -> str:
    drawn = " ".join(f"{x:.5g},{y:.5g}" for x, y in points)
    return f'<path class="{kind}" d="M{drawn}"/>'
