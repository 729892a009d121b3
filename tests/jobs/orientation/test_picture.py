"""The directions of one image, from pixels and from files: info bars, masks, depths, refusals."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.directions.scenes import apart, wires

from graticule.errors import ImageError
from graticule.images.image import Image
from graticule.jobs.options import PictureOptions
from graticule.jobs.orientation.picture import (
    TILE,
    FileToMeasure,
    image_from,
    measure_file,
    measure_image,
    smaller,
    unmeasured,
)
from graticule.phantoms.infobar import Acquisition, append_bar

OPTIONS = PictureOptions()


def eight(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("make", ["zeiss", "thermo", "jeol", "hitachi", "tescan"])
def test_an_info_bar_is_cut_off_and_changes_nothing(make: str) -> None:
    picture = eight(wires(35, share=0.6, side=320))
    plain = measure_image(Image(picture), "plain", OPTIONS).directions.figures
    barred, _ = append_bar(picture, make, Acquisition(5.0, 10.0, 5.0, 7))
    found = measure_image(Image(barred), "barred", OPTIONS)
    assert found.bar
    assert found.directions.figures.first.share.value == pytest.approx(plain.first.share.value, abs=0.01)
    kept = measure_image(Image(barred), "barred", PictureOptions(info_bar="keep"))
    assert not kept.bar


def test_depth_and_colour_do_not_matter() -> None:
    picture = eight(wires(35, share=0.6))
    grey = measure_image(Image(picture), "8", OPTIONS).directions.figures.first
    deep = measure_image(Image(picture.astype(np.uint16) * 200 + 900), "16", OPTIONS).directions.figures.first
    colour = measure_image(Image(np.dstack([picture // 2, picture, picture // 3])), "RGB", OPTIONS).directions.figures
    real = measure_image(image_from(picture / 1e4 - 3), "float", OPTIONS).directions.figures.first
    for other in (deep, colour.first, real):
        assert other.share.value == pytest.approx(grey.share.value, abs=0.02)
        assert apart(other.direction.value, grey.direction.value) < 0.2


def test_a_mask_of_the_stored_size_is_cut_as_the_picture_is() -> None:
    picture = eight(wires(35, share=0.9, side=320))
    picture[200:] = np.rot90(picture)[200:]
    barred, (top, _) = append_bar(picture, "zeiss", Acquisition(5.0, 10.0, 5.0, 7))
    mask = np.zeros(barred.shape, dtype=np.bool_)
    mask[:200] = True
    found = measure_image(Image(barred), "x", OPTIONS, mask)
    assert top == 320
    assert found.directions.figures.first.share.value > 0.75
    with pytest.raises(ImageError, match="its mask has 320 x 320 pixels"):
        measure_image(Image(barred), "x", OPTIONS, mask[:320])


def test_a_small_picture_is_told_what_it_needs() -> None:
    with pytest.raises(ImageError, match=r"20 x 30 pixels are too few: at a sigma of 1\.5 each side needs 32"):
        measure_image(Image(np.zeros((30, 20), np.uint8)), "x", OPTIONS)
    assert measure_image(Image(np.zeros((32, 40), np.uint8)), "x", OPTIONS).directions.verdict == "no structure"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((9, 9, 9)), "of a stack give one plane"),
        (np.full((40, 40), np.nan), "not finite"),
        (np.zeros((0, 40)), "at least one"),
        (np.array([["a"]]), "numbers"),
    ],
)
def test_arrays_that_are_no_pictures(values: np.ndarray, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        image_from(values)


def test_arrays_of_other_kinds_are_pictures() -> None:
    for kind in (np.bool_, np.int64, np.float16):
        assert measure_image(image_from(np.zeros((40, 40), kind)), "x", OPTIONS).directions.verdict == "no structure"


def test_a_file_with_mask_and_surveys(tmp_path: Path) -> None:
    picture, mask = eight(wires(35, share=0.9, side=400)), np.full((400, 400), 255, np.uint8)
    mask[:, 200:] = 0
    PIL.Image.fromarray(picture).save(tmp_path / "a.png")
    PIL.Image.fromarray(mask).save(tmp_path / "mask.png")
    found = measure_file(FileToMeasure(tmp_path / "a.png", tmp_path / "mask.png", survey=True, tile=True), OPTIONS)
    assert (found.width, found.height) == (400, 400)
    assert len(found.sha256) == 64
    assert found.survey.startswith(b"\x89PNG")
    assert found.found is not None
    assert found.found.survey is not None
    assert max(found.found.survey.shape) == TILE
    assert np.ptp(found.found.survey[:, 180:].astype(int), axis=2).max() == 0
    assert smaller(np.zeros((50, 40, 3), np.uint8)).shape == (50, 40, 3)
    assert unmeasured("why").error == "why"
