"""The comparison of runs of a number: one target, one unit, one task, and a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.report.values.conftest import write_values

from graticule.errors import OptionError, RunError, TaskError
from graticule.jobs.compare_values import compare_runs

__all__ = ["write_values"]
WriteValues = Callable[..., Path]


def edit(file: Path, **changes: str) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_two_runs_and_their_page(write_values: WriteValues, tmp_path: Path) -> None:
    a, b = write_values(noise=0.12, name="a"), write_values(name="b")
    found = compare_runs(a, b, tmp_path / "out")
    assert (found["task"], found["target"], found["part"], found["n_groups"]) == ("regression", "fraction", "cv", 24)
    assert found["comparisons"][0]["ratio"]["high"] < 1
    stored = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert stored["comparisons"] == found["comparisons"]
    page = (tmp_path / "out" / "compare.html").read_text()
    assert "B is better" in page
    assert "data:image/" in page


def test_three_runs(write_values: WriteValues) -> None:
    a, b, c = (
        write_values(noise=noise, name=name, pictures=0) for name, noise in (("a", 0.1), ("b", 0.05), ("c", 0.2))
    )
    found = compare_runs(a, b, others=[c])
    assert [pair["run_b"] for pair in found["comparisons"]] == [str(b), str(c)]


@pytest.mark.parametrize(("key", "value"), [("target", "diameter"), ("unit", "nm")])
def test_another_target_or_unit_is_refused(write_values: WriteValues, key: str, value: str) -> None:
    a, b = write_values(name="a", pictures=0), write_values(name="b", pictures=0)
    edit(b / "metrics.json", **{key: value})
    with pytest.raises(RunError, match=f"the {key} of the first run"):
        compare_runs(a, b)


def test_classes_against_numbers_are_refused(write_values: WriteValues) -> None:
    a, b = write_values(name="a", pictures=0), write_values(name="b", pictures=0)
    edit(b / "run.json", task="classification")
    with pytest.raises(TaskError, match="different tasks"):
        compare_runs(a, b)
    with pytest.raises(OptionError, match="one folder"):
        compare_runs(a, a)
