"""The data of the pictures as CSV: the numbers of the run, one table a picture."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graticule.report.values.source import read_value_source
from graticule.report.values.tables import write_tables_of_pictures


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_tables_hold_what_is_drawn(write_values: Callable[..., Path]) -> None:
    folder = write_values()
    source = read_value_source(folder)
    files = {file.stem: rows_of(file) for file in write_tables_of_pictures(folder, source)}
    assert set(files) == {"images", "groups", "limits", "methods", "learning_curve"}
    shown = source.shown
    np.testing.assert_allclose([float(row["predicted"]) for row in files["images"]], shown.value)
    np.testing.assert_allclose([float(row["error"]) for row in files["images"]], shown.value - shown.target)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert float(files["methods"][0]["mae"]) == pytest.approx(metrics["mae"]["value"])
    assert files["methods"][0]["ratio"] == ""
    assert len(files["groups"]) == 24
    assert [row["third_of"] for row in files["limits"]] == ["by_width"] * 3 + ["by_prediction"] * 3


def test_without_groups_and_limits_there_are_fewer(write_values: Callable[..., Path]) -> None:
    folder = write_values(0, 6)
    files = write_tables_of_pictures(folder, read_value_source(folder))
    assert [file.stem for file in files] == ["images", "methods", "learning_curve"]
    assert rows_of(files[0])[0]["low"] == ""
