"""`explain` of a model of a number: a folder with maps, an index and a page; models of classes as before."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from graticule.explain.options import ExplainOptions
from graticule.jobs.explain import values
from graticule.jobs.explain.values import explain_model
from graticule.tasks import CLASSIFICATION


def test_a_run_of_numbers(valued_run: Path, value_table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    document = explain_model(valued_run, value_table, out, ExplainOptions(limit=5, workers=1))
    assert document["n_explained"] == 5
    assert (out / "explain.html").is_file()
    assert len(list((out / "maps").iterdir())) == 5
    with (out / "maps.csv").open(encoding="utf-8", newline="") as stream:
        numbers = [float(row["predicted"]) for row in csv.DictReader(stream)]
    assert numbers == sorted(numbers, reverse=True)
    stored = json.loads((out / "explain.json").read_text())
    assert [row["predicted"] for row in stored["rows"]] == pytest.approx(numbers)


def test_a_model_of_classes_goes_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "task_in", lambda folder: CLASSIFICATION)
    monkeypatch.setattr(values, "model_folder", lambda run: run)
    monkeypatch.setattr(values, "explain", lambda *given: {"failures": [], "given": len(given)})
    assert explain_model(tmp_path, tmp_path, tmp_path / "out")["given"] == 5
