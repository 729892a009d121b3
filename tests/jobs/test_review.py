"""A review of a run: opened with its control sample and settings, and closed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.errors import OptionError
from graticule.files import sha256_file
from graticule.jobs.options import ReviewOptions
from graticule.jobs.review import open_review
from graticule.predictions import read_predictions
from graticule.review.sharing import Sharing, listen_for


def test_a_review_of_a_run_shows_its_cross_validated_images(run: Path, tmp_path: Path) -> None:
    with open_review(run, str(tmp_path / "labels.db"), ReviewOptions(double=True)) as review:
        items, settings = review.desk.items, review.desk.settings
        cv = read_predictions(run / "predictions.parquet").of_part("cv")
        assert sorted(items.path) == sorted(cv.path)
        assert [sha256_file(file) for file in review.pictures.files] == items.sha256.tolist()
        assert (settings.double, settings.blind, settings.source) == (True, False, "run run")
        assert settings.run_hash == sha256_file(run / "run.json")
        assert len(review.pictures.training) == 90
        assert not review.pictures.is_changed(0)


def test_nobody_takes_the_name_of_the_program(run: Path, tmp_path: Path) -> None:
    with open_review(run, str(tmp_path / "labels.db")) as review:
        listening = listen_for(Sharing(port=0))
        with listening.socket, pytest.raises(OptionError, match="the program itself"):
            review.app(listening, "Graticule")
