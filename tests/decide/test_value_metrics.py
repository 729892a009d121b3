"""metrics.json of predicted numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graticule.decide.value_metrics import value_metrics
from graticule.regress.target import Target
from graticule.values import read_values


def test_the_figures_are_those_of_the_table(valued_run: Path) -> None:
    told = json.loads((valued_run / "metrics.json").read_text())
    table = read_values(valued_run / "predictions.parquet")
    assert (told["task"], told["target"], told["unit"], told["part"]) == ("regression", "fraction", "", "cv")
    for part, own in (("cv", told), ("test", told["test"])):
        rows = table.of_part(part)
        assert own["n"] == len(rows)
        assert own["mae"]["value"] == pytest.approx(np.abs(rows.value - rows.target).mean())
        inside = (rows.low <= rows.target) & (rows.target <= rows.high)
        assert own["intervals"]["coverage"]["value"] == pytest.approx(inside[np.isfinite(rows.low)].mean())
        assert set(own["baselines"]) == {"mean", "median", "cues"}
        assert own["within"]["tolerance"] == 0.05
    assert told["mae"]["value"] < 0.5 * told["baselines"]["mean"]["mae"]["value"]


def test_the_test_part_alone(valued_run: Path) -> None:
    table = read_values(valued_run / "predictions.parquet").of_part("test")
    found = value_metrics(table, Target("x", "nm"), None, 0)
    assert (found["part"], found["unit"], found["within"]) == ("test", "nm", None)
    nan = np.full(len(table), np.nan)
    assert value_metrics(replace(table, low=nan, high=nan), Target("x"), None, 0)["intervals"] is None
