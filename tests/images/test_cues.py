"""Border, info bar and thumbnail of one image."""

import numpy as np
import pytest

from graticule.images import cues
from graticule.images.cues import CUE_NAMES, N_CUES, measure_cues
from graticule.phantoms.infobar import MAKES, Acquisition, bar_rows, stamp

RNG = np.random.default_rng(11)
SHOT = Acquisition(pixel_size_nm=20.0, energy_kv=10.0, working_distance_mm=8.5, number=7)


def named(values: np.ndarray, name: str) -> float:
    return float(values[CUE_NAMES.index(name)])


def noise(shape: tuple[int, ...], low: int = 90, high: int = 160) -> np.ndarray:
    return RNG.integers(low, high, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3, 3), (13, 117), (80, 80, 3), (512, 400), (1500, 700, 3)])
def test_any_size_gives_finite_numbers(shape: tuple[int, ...]) -> None:
    values = measure_cues(noise(shape), None)
    assert values.shape == (N_CUES,)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


def test_slices_cover_all_names_once() -> None:
    parts = (cues.BORDER, cues.BAR, cues.LOWER_STRIP, cues.UPPER_STRIP, cues.BRIGHTNESS, cues.THUMBNAIL_COLOURS)
    parts += (cues.MARKS,)
    covered = [name for part in parts for name in CUE_NAMES[part]]
    assert covered == list(CUE_NAMES)
    assert all(name.startswith("upper_strip") for name in CUE_NAMES[cues.UPPER_STRIP])
    assert CUE_NAMES[cues.BRIGHTNESS] == ("brightness", "contrast")


def test_marks_are_those_that_were_found() -> None:
    image = noise((60, 70))
    assert measure_cues(image, None)[cues.MARKS].tolist() == [0, 0, 0]
    assert measure_cues(image, None, (0.0, 0.0))[cues.MARKS].tolist() == [1, 0, 0]
    assert measure_cues(image, None, (0.25, 0.5))[cues.MARKS].tolist() == [1, 0.25, 0.5]


def test_grey_and_equal_channels_agree() -> None:
    grey = noise((60, 70))
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    np.testing.assert_allclose(measure_cues(grey, None), measure_cues(colour, None), rtol=1e-5, atol=1e-4)


def test_border_sees_each_side_and_colour_and_not_the_middle() -> None:
    image = np.full((100, 100, 3), 50, dtype=np.uint8)
    image[:5] = (200, 10, 30)
    image[20:80, 20:80] = noise((60, 60, 3))
    values = measure_cues(image, None)
    assert named(values, "border_upper_red") == pytest.approx(200)
    assert named(values, "border_upper_green") == pytest.approx(10)
    assert named(values, "border_lower_red") == pytest.approx(50)
    assert named(values, "border_lower_sd") == 0
    assert named(values, "border_left_red") == pytest.approx(50 + 150 * 0.05)


def test_thumbnail_is_the_mean_of_its_cells() -> None:
    image = np.kron(np.arange(16, dtype=np.uint8).reshape(4, 4) * 10, np.ones((8, 8), dtype=np.uint8))
    values = measure_cues(image, None)[cues.THUMBNAIL_COLOURS].reshape(4, 4, 3)
    np.testing.assert_allclose(values[..., 1], np.arange(16).reshape(4, 4) * 10)


def test_a_thumbnail_of_a_large_image_is_close_to_the_exact_mean() -> None:
    image = noise((512, 512, 3), 0, 255)
    exact = image.reshape(4, 128, 4, 128, 3).mean(axis=(1, 3))
    found = measure_cues(image, None)[cues.THUMBNAIL_COLOURS].reshape(4, 4, 3)
    assert np.abs(found - exact).max() < 12  # 256 of 16,384 pixels: standard error 4.6


@pytest.mark.parametrize("make", sorted(MAKES))
def test_a_bar_shows_whether_its_rows_are_known_or_not(make: str) -> None:
    plain = noise((512, 512))
    stamped = stamp(plain, make, SHOT)
    rows = bar_rows(make, 512)
    assert rows is not None
    known, unseen, without = measure_cues(stamped, rows), measure_cues(stamped, None), measure_cues(plain, None)
    assert named(known, "bar_present") == 1
    assert named(known, "bar_height_share") == pytest.approx((rows[1] - rows[0]) / 512)
    assert abs(named(without, "lower_strip_mean")) < 3
    assert abs(named(unseen, "lower_strip_mean")) > 20
    assert abs(named(known, "lower_strip_mean")) > 20
    # The picture above the bar does not change.
    assert np.abs(known[cues.BORDER][:4] - without[cues.BORDER][:4]).max() < 3


def test_a_bar_at_the_top_is_told_from_one_at_the_bottom() -> None:
    image = noise((200, 200))
    image[:20] = 0
    values = measure_cues(image, (0, 20))
    assert named(values, "bar_at_top") == 1
    assert named(values, "upper_strip_mean") < -100
    assert abs(named(values, "lower_strip_mean")) < 5
    assert named(values, "border_upper_red") > 100
    flipped = measure_cues(image[::-1], (180, 200))
    assert named(flipped, "bar_at_top") == 0
    assert named(flipped, "lower_strip_mean") == pytest.approx(named(values, "upper_strip_mean"), abs=5)


def test_a_bar_over_everything_counts_as_none() -> None:
    image = noise((40, 40))
    np.testing.assert_array_equal(measure_cues(image, (0, 40)), measure_cues(image, None))


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.uint16), np.zeros((0, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8)],
)
def test_other_arrays_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        measure_cues(pixels, None)
