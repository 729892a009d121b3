"""Values beyond the window: counted, told, and never a flat picture in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from graticule.images.beyond import BRIGHTER, DARKER, SPARED, beyond, largest, outside_window
from graticule.images.decode import ImageFile, decode_file
from graticule.images.facts import Facts
from graticule.images.image import Image
from graticule.images.intensity import ANY_DEPTH, Intensity
from graticule.images.preprocess import Preprocessing
from graticule.phantoms.infobar import Acquisition, bar_rows, stamp

TWELVE = Intensity(windows=(("16 bit", 0.0, 4095.0),))


def shares(pixels: NDArray, intensity: Intensity) -> tuple[float, float]:
    return outside_window(Image(pixels), intensity)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_shares_are_those_of_a_plain_count(dtype: type) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 6000, (40, 50)).astype(dtype)
    window = (500.0, 4095.0)
    intensity = Intensity(windows=((ANY_DEPTH, *window),))
    expected = (np.mean([v < 500 for v in pixels.ravel()]), np.mean([v > 4095 for v in pixels.ravel()]))
    assert shares(pixels, intensity) == expected


def test_nothing_lies_outside_the_range_of_a_type_or_of_the_image_itself() -> None:
    pixels = np.array([[0, 65535]], np.uint16)
    assert shares(pixels, Intensity()) == (0.0, 0.0)
    assert shares(pixels, Intensity("image")) == (0.0, 0.0)
    assert shares(pixels, Intensity(windows=(("12 bit", 0.0, 100.0),))) == (0.0, 0.0)
    assert shares(pixels, TWELVE) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("outside", "trained", "said"),
    [
        ((0.0, 0.0), (0.0, 0.0), ""),
        ((0.0, SPARED), (0.0, 0.0), ""),
        ((0.0, 2 * SPARED), (0.0, 0.0), BRIGHTER),
        ((2 * SPARED, 0.0), (0.0, 0.0), DARKER),
        ((0.2, 0.3), (0.0, 0.0), BRIGHTER),
        ((0.3, 0.2), (0.0, 0.0), DARKER),
        ((0.0, 0.3), (0.0, 0.3), ""),  # no more than in a training image
        ((0.0, 0.31), (0.0, 0.3), BRIGHTER),
        ((0.3, 0.31), (0.0, 0.4), DARKER),
    ],
)
def test_an_image_is_beyond_when_more_of_it_lies_outside_than_of_any_training_image(
    outside: tuple[float, float], trained: tuple[float, float], said: str
) -> None:
    assert beyond(outside, replace(TWELVE, outside=trained)) == said


def test_the_largest_shares_are_taken_side_by_side() -> None:
    assert largest([(0.1, 0.0), (0.0, 0.4), (0.2, 0.1)]) == (0.2, 0.4)
    assert largest([]) == (0.0, 0.0)


def written(folder: Path, pixels: NDArray) -> ImageFile:
    tifffile.imwrite(folder / "image.tif", pixels)
    return ImageFile(folder / "image.tif")


def reading(intensity: Intensity, **more: str) -> Preprocessing:
    return Preprocessing(size=16, intensity=intensity, **more)


def test_the_share_is_a_fact_of_every_decoded_image(tmp_path: Path) -> None:
    pixels = np.full((20, 20), 100, np.uint16)
    pixels[:5] = 9000
    found = decode_file(written(tmp_path, pixels), reading(TWELVE))
    assert Facts.from_bytes(found.facts).outside == (0.0, 0.25)
    assert not found.error


@pytest.mark.parametrize(
    ("low", "high", "window", "why"),
    [
        (5000, 9000, (0.0, 4095.0), BRIGHTER),
        (10, 90, (100.0, 4095.0), DARKER),
        (1, 90, (0.0, 65535.0), ""),  # inside the window, but less than a grey level of it
    ],
)
def test_a_picture_that_is_flat_only_after_mapping_is_a_failure(
    tmp_path: Path, low: int, high: int, window: tuple[float, float], why: str
) -> None:
    pixels = np.random.default_rng(0).integers(low, high, (20, 20)).astype(np.uint16)
    found = decode_file(written(tmp_path, pixels), reading(Intensity(windows=(("16 bit", *window),))))
    assert found.pixels is None
    assert f"from {pixels.min()} to {pixels.max()} become one grey level" in found.error
    assert ("brighter" in found.error, "darker" in found.error) == (why == BRIGHTER, why == DARKER)
    assert found.beyond == why


@pytest.mark.parametrize("value", [0, 700, 60000])
def test_a_picture_that_is_flat_as_stored_is_none(tmp_path: Path, value: int) -> None:
    assert not decode_file(written(tmp_path, np.full((20, 20), value, np.uint16)), reading(TWELVE)).error
    assert not decode_file(written(tmp_path, np.full((20, 20), 7, np.uint8)), reading(Intensity())).error


def test_text_of_an_info_bar_does_not_hide_a_flat_picture(tmp_path: Path) -> None:
    frame = stamp(np.full((768, 1024), 255, np.uint8), "thermo", Acquisition(5.0, 5.0, 5.0, 1))
    top, _ = bar_rows("thermo", 768) or (0, 0)
    pixels = frame.astype(np.uint16) * 16
    pixels[:top] = np.random.default_rng(0).integers(5000, 60000, (top, 1024))
    file = written(tmp_path, pixels)
    assert not decode_file(file, reading(TWELVE, info_bar="keep")).error
    assert decode_file(file, reading(TWELVE)).beyond == BRIGHTER
