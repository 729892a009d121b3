"""Reading the folder of a regression: what lacks or is of another task is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from graticule.errors import RunError, TaskError
from graticule.report.values.source import read_value_source


def test_a_run_and_an_evaluation(write_values: Callable[..., Path]) -> None:
    run = read_value_source(write_values())
    assert (run.part, run.external, len(run.shown)) == ("cv", False, 120)
    assert run.unit_of_sampling == ("specimen", "specimens")
    assert run.file_of(0) is not None
    out = read_value_source(write_values(0, 30, verb="evaluate", name="out"))
    assert (out.part, out.external, out.unit_of_sampling) == ("test", True, ("image", "images"))
    assert set(out.groups) == {""}


def test_another_task_and_missing_figures_are_refused(write_values: Callable[..., Path]) -> None:
    folder = write_values()
    file = folder / "metrics.json"
    metrics = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in metrics.items() if key != "mae"}))
    with pytest.raises(RunError, match="lacks mae"):
        read_value_source(folder)
    file.write_text(json.dumps(metrics | {"part": "test"}))
    with pytest.raises(RunError, match="no image of the part 'test'"):
        read_value_source(folder)
    file.write_text(json.dumps(metrics | {"task": "classification"}))
    with pytest.raises(TaskError):
        read_value_source(folder)
