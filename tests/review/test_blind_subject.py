"""A blind test is reviewed without any opinion, whatever was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graticule.arrays import Pixels, object_array
from graticule.errors import RunError
from graticule.jobs.review import open_review
from graticule.progress import Silent
from graticule.review.blind_subject import of_blind_test
from graticule.synthesis.blind import draw_blind, write_blind


def pixels(place: int) -> Pixels:
    return np.random.default_rng(place).integers(0, 256, (12, 12), dtype=np.uint8)


@pytest.fixture
def test(tmp_path: Path) -> Path:
    label = object_array(["oil"] * 20)
    draw = draw_blind(label, label, 0)
    assert draw is not None
    (tmp_path / "blind").mkdir()
    about = [("oil", f"{i}.tif") for i in range(40)]
    write_blind(tmp_path / "blind", tmp_path / "truth.csv", draw, 20, pixels, about, 0)
    return tmp_path / "blind"


def test_all_files_repeats_too_are_asked_in_no_order_and_nothing_is_told(test: Path, tmp_path: Path) -> None:
    with open_review(test, str(tmp_path / "blind.db")) as review:
        items = review.desk.items
        assert len(items) == 32 + 8
        assert items.asked()["classes"] == ["generated", "real"]
        assert review.desk.settings.blind
        assert items.path.tolist() != sorted(items.path.tolist())
        assert set(items.suggested) == {"generated"}
        assert review.subject.bundle is None
        assert review.subject.notes == []


def test_a_test_without_its_images(test: Path) -> None:
    for file in test.glob("*.png"):
        file.unlink()
    with pytest.raises(RunError, match="none of the 40 images of this blind test is there"):
        of_blind_test(test, Silent())
