"""The data of each picture on the page as CSV files beside it, so that anybody can draw them anew."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graticule.files import own_folder, writing_text
from graticule.plain_text import safe_cell
from graticule.report.quantities import figure_value
from graticule.report.values.source import ValueSource

FOLDER = "report_data"


def write_tables_of_pictures(folder: Path, source: ValueSource) -> list[Path]:
    """Write the tables into `report_data` of a run folder; returns their paths."""
    place = folder / FOLDER
    own_folder(place)
    written = []
    for name, (head, rows) in picture_tables(source).items():
        with writing_text(place / f"{name}.csv", errors="replace") as stream:
            writer = csv.writer(stream)
            writer.writerow(head)
            writer.writerows([safe_cell("" if cell is None else cell) for cell in row] for row in rows)
        written.append(place / f"{name}.csv")
    return written


def picture_tables(source: ValueSource) -> dict[str, tuple[Sequence[str], Iterable[Sequence[Any]]]]:
    """Head and rows of each table: images, groups, thirds of limits, methods, learning curve."""
    shown, metrics = source.shown, source.metrics
    images = [
        (str(shown.path[i]), str(source.groups[i]), int(shown.fold[i]), *map(_cell, numbers))
        for i, numbers in enumerate(
            zip(shown.target, shown.value, shown.low, shown.high, shown.value - shown.target, strict=True)
        )
    ]
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[Any]]]] = {
        "images": (("path", "group", "fold", "true", "predicted", "low", "high", "error"), images)
    }
    own = metrics.get("specimens")
    if own:
        keys = ("group", "n", "target", "value", "low", "high", "mae")
        head = ("group", "images", "true", "predicted", "low", "high", "mean_absolute_error")
        tables["groups"] = (head, [[row[key] for key in keys] for row in own["groups"]])
    limits = metrics.get("intervals")
    if limits and limits.get("coverage"):
        rows = [
            (by, third, row["n"], row["width"], *_ends(row["coverage"]))
            for by in ("by_width", "by_prediction")
            for third, row in enumerate(limits[by], start=1)
        ]
        tables["limits"] = (("third_of", "third", "images", "width", "coverage", "low", "high"), rows)
    methods = [("model", metrics["mae"], None), *((n, b["mae"], b["ratio"]) for n, b in metrics["baselines"].items())]
    tables["methods"] = (
        ("method", "mae", "mae_low", "mae_high", "ratio", "ratio_low", "ratio_high"),
        [(name, *_ends(mae), *_ends(ratio)) for name, mae, ratio in methods],
    )
    curve = metrics.get("learning_curve") or []
    if curve:
        tables["learning_curve"] = (
            ("training_images", "mae", "low", "high"),
            [(p["n_train"], *(figure_value(p, key) for key in ("mae", "low", "high"))) for p in curve],
        )
    return tables


def _ends(figure: Any) -> list[float | None]:
    return [figure_value(figure, key) for key in ("value", "low", "high")]


def _cell(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
