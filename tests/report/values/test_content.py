"""What stands on the page: every section where the run has it, None where it has not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from graticule.report.values.content import value_content, value_points
from graticule.report.values.source import read_value_source


def grey(_: Path) -> np.ndarray:
    return np.full((8, 8, 3), 128, np.uint8)


def test_a_run_with_everything(write_values: Callable[..., Path]) -> None:
    source = read_value_source(write_values())
    found = value_content(source, grey)
    errors = np.abs(source.shown.value - source.shown.target)
    first = found["worst"][0]
    assert first["path"] == source.shown.path[int(errors.argmax())]
    assert first["uri"].startswith("data:image/")
    assert len(found["folds"]) == 5
    assert [name for name, _ in found["simpler"]["rows"]] == [
        "Local Gradient Orientation",
        "mean of the training images",
    ]
    assert found["groups"]["limits"]
    assert found["learning"]["answer"] == "Yes, probably."
    assert len(found["cards"]) == 6
    rows = {name: shown for name, shown, _ in found["rows"]}
    assert "Errors up to 0.050" in rows
    assert "Mean relative error" not in rows
    points = value_points(source)
    assert points.title[0].startswith("000.png, s00: predicted")


def test_what_a_run_lacks_is_left_out(write_values: Callable[..., Path]) -> None:
    found = value_content(read_value_source(write_values(0, 6, verb="evaluate")), grey)
    assert found["groups"] is found["limits"] is None
    assert found["folds"] == []
    assert not found["out_of_fold"]
