"""Ultrasound phantoms as a data set: what the class decides, and what it does not."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graticule.phantoms.families import write_phantom
from graticule.phantoms.options import PhantomOptions
from graticule.phantoms.ultrasound import CLASSES, phantom_frame, render_marked, render_plain

SMALL = (336, 448)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_frame_depends_on_its_three_numbers_and_on_nothing_else() -> None:
    one = render_plain(0, 3, 5)
    render_plain(1, 2, 5)
    np.testing.assert_array_equal(render_plain(0, 3, 5).image, one.image)
    assert (render_plain(0, 4, 5).image != one.image).any()


def test_marks_lie_over_the_same_scan() -> None:
    bare, marked = render_plain(1, 0, 2), render_marked(1, 0, 2)
    frame, _ = phantom_frame(1, 0, 2, marked=True)
    np.testing.assert_array_equal(bare.mask, marked.mask)
    np.testing.assert_array_equal(marked.image, frame.pixels)
    other = (bare.image != marked.image).any(axis=2)
    assert (other & ~frame.marks).mean() < 0.01  # the soft edges of letters
    assert (other & frame.marks).sum() > 0.9 * frame.marks.sum()


@pytest.mark.parametrize("index", range(4))
def test_a_cyst_is_darker_than_a_solid_mass_against_what_surrounds_it(index: int) -> None:
    contrast = []
    for k in range(len(CLASSES)):
        frame, mass = phantom_frame(k, index, 1, marked=False, shape=SMALL)
        inside = mass.covers(SMALL) & frame.sector
        grey = frame.pixels[:, :, 0].astype(float)
        contrast.append(grey[inside].mean() - grey[frame.sector & ~inside].mean())
    assert contrast[0] < contrast[1] < 0


@pytest.mark.parametrize(("marks", "bearing"), [("none", set()), ("cyst", {"cyst"}), ("all", {"cyst", "solid"})])
def test_marks_are_planted_where_they_were_asked_for(tmp_path: Path, marks: str, bearing: set[str]) -> None:
    record = write_phantom(
        "ultrasound", tmp_path / "set", PhantomOptions(n_per_class=2, seed=4, marks=marks, masks=True)
    )
    assert record["marks"] == marks
    for row in rows_of(tmp_path / "set"):
        image = np.asarray(Image.open(tmp_path / "set" / row["path"]))
        mask = np.asarray(Image.open(tmp_path / "set" / "masks" / row["path"]))
        assert image.shape == (480, 640, 3)
        assert mask.shape == (480, 640)
        assert mask.any()
        # the rightmost columns lie beside every scan
        assert (image[:, 600:].max() > 100) == (row["true_label"] in bearing)
        assert row["group"] == f"{row['true_label']}-000"
