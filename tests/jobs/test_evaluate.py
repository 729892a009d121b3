"""`evaluate` as a function: metrics of the scores it writes, and what makes them too good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.jobs.drawn import KINDS

from graticule.errors import ManifestError
from graticule.jobs.evaluate import evaluate
from graticule.jobs.options import EvaluateOptions
from graticule.predictions import read_predictions


def test_the_figures_are_those_of_the_scores_and_known_pictures_are_said(
    run: Path, table: Path, tmp_path: Path, reading_drawn: None
) -> None:
    told = evaluate(run, table, tmp_path / "out", EvaluateOptions())
    scored = read_predictions(tmp_path / "out" / "predictions.parquet")
    assert scored.classes == KINDS
    assert set(scored.part) == {"test"}
    right = float((scored.proba.argmax(axis=1) == scored.y).mean())
    assert told["metrics"]["accuracy"]["value"] == pytest.approx(right)
    assert told["data"]["group_column"] == "group"
    assert any("have the same pixels as training images" in text for text in told["warnings"])
    assert any("held-out part, which was opened 2 times" in text for text in told["warnings"])
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["n"] == 90


def test_a_label_that_the_model_does_not_know_is_refused_and_nothing_is_left(
    run: Path, table: Path, tmp_path: Path, reading_drawn: None
) -> None:
    strange = table.with_name("strange.csv")
    strange.write_text("path,label\nimages/00000.png,zebra\n")
    with pytest.raises(ManifestError, match="zebra"):
        evaluate(run, strange, tmp_path / "out", EvaluateOptions())
    assert not (tmp_path / "out" / "DONE").exists()
