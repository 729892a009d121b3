"""`train` as a function: a complete folder that a reader can trust, or an error and none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from graticule.errors import GraticuleError, ManifestError, OptionError
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.predictions import read_predictions

OPTIONS = TrainOptions(head="logistic", folds=3, near_duplicates="exact")


def test_the_folder_is_whole_and_its_figures_are_those_of_its_scores(trained: Path) -> None:
    names = {file.name for file in trained.iterdir()}
    assert {"run.json", "metrics.json", "decisions.json", "report.html", "failures.csv", "model", "DONE"} <= names
    assert "work" not in names
    metrics, scored = (
        json.loads((trained / "metrics.json").read_text()),
        read_predictions(trained / "predictions.parquet"),
    )
    for part, told in (("cv", metrics), ("test", metrics["test"])):
        own = scored.of_part(part)
        assert told["n"] == len(own)
        assert told["accuracy"]["value"] == pytest.approx(float((own.proba.argmax(axis=1) == own.y).mean()))


def test_the_same_seed_gives_the_same_scores(trained: Path, table: Path, tmp_path: Path, reading_drawn: None) -> None:
    train(table, tmp_path / "again", TrainOptions(head="logistic", folds=3, test_size=0.2, near_duplicates="exact"))
    first, again = (read_predictions(run / "predictions.parquet") for run in (trained, tmp_path / "again"))
    np.testing.assert_array_equal(first.proba, again.proba)
    assert first.part.tolist() == again.part.tolist()


def test_nothing_is_written_where_nothing_can_be_trained(table: Path, tmp_path: Path, reading_drawn: None) -> None:
    lines = table.read_text().splitlines()
    one = table.with_name("one-class.csv")
    one.write_text("\n".join(line for line in lines if ",a," in line or line.startswith("path")))
    for data, error in ((one, ManifestError), (table.parent / "none", GraticuleError)):
        with pytest.raises(error):
            train(data, tmp_path / "run", OPTIONS)
        assert not (tmp_path / "run").exists()
    with pytest.raises(OptionError, match="inside"):
        train(table.parent / "images", table.parent / "images" / "run", OPTIONS)
