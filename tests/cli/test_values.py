"""What the command line says of models of numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graticule.cli.values import number_text, print_value_table, show_values


def test_a_figure_with_its_interval() -> None:
    assert number_text({"value": 0.0812, "low": 0.07, "high": 0.0944}) == "0.0812 (0.07 to 0.0944)"
    assert number_text({"value": 12.0, "low": None, "high": None}) == "12"
    assert number_text(None) == number_text({"value": None}) == "not defined"


def test_a_run_is_told_beside_its_baselines(valued_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = json.loads((valued_run / "run.json").read_text())
    metrics = json.loads((valued_run / "metrics.json").read_text())
    show_values(run | {"metrics": metrics}, valued_run)
    said = capsys.readouterr().out
    for words in (
        "fraction: ",
        "mean absolute error",
        "mean of the training images ",
        "median of the training images ",
        "limits at 90%: hold",
        "held-out part",
    ):
        assert words in said
    print_value_table(metrics["test"] | {"unit": ""})
    assert "held-out part" in capsys.readouterr().out
