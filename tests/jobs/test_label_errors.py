"""`label-errors` as a function: the files tell of the same labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from graticule.errors import RunError
from graticule.jobs.label_errors import label_errors
from graticule.predictions import Predictions, read_predictions


def test_list_document_and_cleaned_manifest_agree(run: Path, tmp_path: Path) -> None:
    told = label_errors(run, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "label_errors.json").read_text())
    assert {name: written[name] for name in told} == told
    scored = read_predictions(run / "predictions.parquet")
    n = len(scored.of_part("cv"))
    assert (told["n"], told["n_held_out"]) == (n, len(scored) - n)
    with (tmp_path / "out" / "label_errors.csv").open(encoding="utf-8", newline="") as stream:
        ranked = list(csv.DictReader(stream))
    assert len(ranked) == n
    with (tmp_path / "out" / "cleaned_manifest.csv").open(encoding="utf-8", newline="") as stream:
        cleaned = list(csv.DictReader(stream))
    assert len(cleaned) == len(scored)
    assert {row["path"] for row in cleaned if not row["label"]} == {row["path"] for row in ranked[: told["n_listed"]]}
    assert "<h1>Which labels are wrong?</h1>" in (tmp_path / "out" / "label_errors.html").read_text(encoding="utf-8")


def test_a_run_without_out_of_fold_scores_is_refused(run: Path, tmp_path: Path) -> None:
    test: Predictions = read_predictions(run / "predictions.parquet").of_part("test")
    (run / "predictions.parquet").unlink()
    test.write(run / "predictions.parquet")
    with pytest.raises(RunError, match="no out-of-fold scores"):
        label_errors(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
