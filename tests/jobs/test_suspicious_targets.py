"""`label-errors` of a run of numbers: list, table and page, and runs of classes as before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.label_errors.test_suspicious_run import planted
from tests.report.values.conftest import write_values

from graticule.jobs import suspicious_targets
from graticule.jobs.suspicious_targets import find_wrong_answers

__all__ = ["write_values"]
WriteValues = Callable[..., Path]


def test_everything_is_written(write_values: WriteValues, tmp_path: Path) -> None:
    folder = write_values()
    path = planted(folder)
    out = tmp_path / "out"
    document = find_wrong_answers(folder, out)
    assert {file.name for file in out.iterdir()} >= {
        "label_errors.csv", "label_errors.json", "label_errors.html", "cleaned_manifest.csv"
    }  # fmt: skip
    assert json.loads((out / "label_errors.json").read_text())["errors"] == document["errors"]
    cleaned = (out / "cleaned_manifest.csv").read_text().splitlines()
    assert cleaned[0].startswith("path,fraction")
    assert any(line.startswith(f"{path},,") for line in cleaned)


def test_a_run_of_classes_goes_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "DONE").touch()
    monkeypatch.setattr(suspicious_targets, "label_errors", lambda run, out, reporter: {"n": 0})
    assert find_wrong_answers(tmp_path, tmp_path / "out") == {"n": 0}
