"""compare: the table of two runs or of several, and the same in JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def second(run: Path, images: Path, in_session_cache: None, graticule: Callable[..., Any]) -> Path:
    """A second run on the same images with another seed and two folds."""
    out = run.parent / "second"
    options = ("--views", 1, "--workers", 1, "--head", "logistic", "--folds", 2, "--seed", 1)
    assert graticule("train", images, "--out", out, *options).code == 0
    return out


def test_two_runs_are_compared_on_the_samples_of_both(
    run: Path, second: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    outcome = graticule("compare", run, second, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    assert result["schema_version"] == 1
    assert (result["n"], result["n_a"], result["n_b"], result["part"]) == (27, 27, 36, "cv")
    assert set(result["difference"]["accuracy"]) == {"value", "low", "high", "method", "level"}
    assert 0.0 <= result["test"]["p"] <= 1.0
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == result


def test_the_table_of_a_comparison_shows_the_test(run: Path, second: Path, graticule: Callable[..., Any]) -> None:
    out = graticule("compare", run, second).out
    assert "27 samples in both, part cv" in out
    assert "B minus A (95 % interval)" in out
    assert "mcnemar-exact test of equal accuracies: p = 1" in out
    # 27 images cannot show an accuracy of 99 %
    assert any(
        line.startswith("accepted at 99%") and line.endswith("not reached by either") for line in out.splitlines()
    )


def test_more_runs_are_compared_with_the_first(
    run: Path, second: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    third = shutil.copytree(second, tmp_path / "third")
    outcome = graticule("compare", run, second, third, "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert "27 samples in all, part cv" in outcome.out
    lines = outcome.out.splitlines()
    assert [line[:2] for line in lines[2:5]] == ["A ", "B ", "C "]
    assert "features  logistic  224" in lines[2]
    assert any(line.startswith("C minus A") for line in lines)
    assert f"report: {tmp_path / 'out' / 'compare.html'}" in lines
    assert (tmp_path / "out" / "compare.html").is_file()
    told = json.loads(graticule("compare", run, second, third, "--json").out)
    assert len(told["comparisons"]) == 2
    assert "difference" not in told


def test_runs_without_a_sample_in_common_are_refused(
    run: Path, graticule: Callable[..., Any], draw_classes: Callable[..., Path], tmp_path: Path, warm_cache: Path
) -> None:
    data = draw_classes(tmp_path / "data", n=3, first=300)
    assert graticule("evaluate", run, data, "--out", tmp_path / "other", "--workers", 1).code == 0
    assert "none is in both" in graticule("compare", run, tmp_path / "other").message()
