"""The steps of a judgement: which images are real, which are judged, what stands on the sheet."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.jobs.synthesize import drawn

from graticule.errors import ManifestError
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.judge import canvas_of_file, generated_images, judge_images, real_images, sheets_of
from graticule.progress import Silent

OPTIONS = SynthesizeOptions(workers=1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    drawn.write(tmp_path / "real", drawn.real)
    drawn.write(tmp_path / "copied", drawn.copied)
    return tmp_path


def test_synthetic_rows_of_the_data_are_no_real_images(place: Path) -> None:
    with (place / "data.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("path", "label", "origin", "group"))
        for i, image in enumerate(sorted((place / "real").glob("*/*.png"))):
            origin = "synthetic" if i % 5 == 0 else "real"
            rows.writerow((image.relative_to(place).as_posix(), image.parent.name, origin, f"day {i % 3}"))
    found = real_images(place / "data.csv", None, OPTIONS)
    assert len(found) == 96
    assert set(found.columns["seen"]) == {"yes"}
    both = real_images(place / "data.csv", place / "copied", OPTIONS)
    assert both.columns["seen"].tolist() == ["yes"] * 96 + [""] * 48
    assert all(file.is_file() for file in both.files())


def test_a_class_that_the_data_have_not(place: Path) -> None:
    (place / "copied" / "dark").rename(place / "copied" / "oil")
    with pytest.raises(ManifestError, match=r"--held-out .* 'oil'; allowed are 'bright', 'dark'"):
        real_images(place / "real", place / "copied", OPTIONS)


def test_the_sheet_begins_with_what_is_most_like_a_copy(place: Path) -> None:
    real = real_images(place / "real", None, OPTIONS)
    made = generated_images(place / "copied", real)
    judged = judge_images(real, made, None, OPTIONS, Silent())
    assert (judged.side, judged.input_size) == (32, 96)
    for sheet in sheets_of(judged):
        ratios = [row[2] for row in sheet.rows]
        assert ratios[:6] == sorted(ratios[:6])
        for image, parent, _, flagged in sheet.rows[:6]:
            assert flagged
            assert parent is not None
            # a copy stands beside its original
            assert image.name == parent.name
        assert sheet.held_out == []
        assert len(sheet.real) == 12


def test_a_canvas_is_read_as_the_network_reads_the_image(place: Path) -> None:
    canvas = canvas_of_file(ImageFile(place / "real" / "dark" / "000.png"), Preprocessing(96), 32)
    assert not isinstance(canvas, str)
    assert canvas.shape == (32, 32)
    assert 0 <= canvas.min() < canvas.max() <= 1
