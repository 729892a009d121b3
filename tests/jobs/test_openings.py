"""Openings of a held-out part: counted where the same model scores the same images, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from graticule.jobs.openings import count_opening
from graticule.predictions import read_predictions


def test_each_opening_is_noted_with_what_it_was_for(run: Path) -> None:
    test = read_predictions(run / "predictions.parquet").of_part("test")
    (told,) = count_opening(run, test.take(np.arange(3)), "evaluate")
    assert told == "3 of the images are the run's held-out part, which was opened 2 times by now"
    assert "opened 3 times" in count_opening(run, test, "compare")[0]
    record = json.loads((run / "run.json").read_text())
    assert [opening["verb"] for opening in record["test_openings"]] == ["train", "evaluate", "compare"]
    assert {opening["model_sha256"] for opening in record["test_openings"]} == {record["bundle_sha256"]}
    assert "Held-out part opened again" in (run / "report.html").read_text(encoding="utf-8")


def test_other_images_or_other_scores_open_nothing(run: Path) -> None:
    scored, before = read_predictions(run / "predictions.parquet"), (run / "run.json").read_bytes()
    assert count_opening(run, scored.of_part("cv"), "evaluate") == []
    test = scored.of_part("test")
    assert count_opening(run, replace(test, proba=np.roll(test.proba, 1, axis=1)), "evaluate") == []
    assert (run / "run.json").read_bytes() == before
    assert count_opening(run / "model", test, "evaluate") == []
