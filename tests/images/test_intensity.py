"""Pixel values of any depth become 8 bits by a policy that is chosen once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.errors import OptionError
from graticule.images.image import Image
from graticule.images.intensity import (
    Intensity,
    IntensityError,
    PixelRange,
    choose_intensity,
    full_range,
    holds_every_value,
    pixel_kind,
    pixel_range,
    reason,
    to_uint8,
)

EIGHT = np.arange(256, dtype=np.uint8).reshape(16, 16)


def wide(pixels: NDArray, bits: int) -> Image:
    """An integer image whose depth is said to be `bits`."""
    return Image(pixels.astype(np.uint16), bits=bits)


def test_eight_bits_are_left_alone() -> None:
    assert to_uint8(Image(EIGHT), Intensity()) is EIGHT


@pytest.mark.parametrize(
    "image",
    [
        Image(EIGHT.astype(np.uint16) * 257),
        wide(np.rint(EIGHT * (4095 / 255)), 12),
        Image((EIGHT / 255).astype(np.float32)),
        Image(EIGHT / 255.0),
        Image((EIGHT.astype(np.int32) * 257 - 32768).astype(np.int16)),
    ],
    ids=["16 bit", "12 bit", "float32", "float64", "signed"],
)
def test_the_full_range_of_every_depth_is_one_picture(image: Image) -> None:
    assert np.array_equal(to_uint8(image, Intensity()), EIGHT)


def test_kinds_and_their_full_ranges() -> None:
    found = {
        pixel_kind(image): full_range(image)
        for image in (
            Image(EIGHT),
            wide(EIGHT, 12),
            Image(EIGHT.astype(np.uint16)),
            Image(EIGHT.astype(np.int16)),
            Image(EIGHT / np.float32(255)),
        )
    }
    assert found == {
        "8 bit": (0, 255),
        "12 bit": (0, 4095),
        "16 bit": (0, 65535),
        "16 bit signed": (-32768, 32767),
        "32 bit float": (0, 1),
    }


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 7), (40, 51), (40, 51, 3), (217, 90)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_extremes_and_percentiles_are_those_of_numpy_to_the_last_digit(shape: tuple[int, ...], dtype: type) -> None:
    rng = np.random.default_rng(len(shape) * shape[0])
    for top in (1, 2, 90, 255):
        pixels = (rng.integers(0, top, shape) * (1 if dtype == np.uint8 else 120)).astype(dtype)
        found = pixel_range(Image(pixels))
        assert (found.low, found.high) == (pixels.min(), pixels.max())
        assert (found.percentile_low, found.percentile_high) == tuple(np.percentile(pixels, (0.1, 99.9)))


def test_floating_point_outside_0_to_1_has_no_full_range() -> None:
    with pytest.raises(IntensityError, match="values from -1 to 3 have no full range"):
        to_uint8(Image(np.array([[-1.0, 3.0]])), Intensity())


@pytest.mark.parametrize(
    ("kind", "high", "window"),
    [
        ("16 bit", 900.0, (0, 1023)),
        ("16 bit", 4000.0, (0, 4095)),
        ("16 bit", 5000.0, (0, 16383)),
        ("16 bit", 40000.0, (0, 65535)),
        ("32 bit float", 0.9, (0, 1)),
        ("32 bit float", 200.0, (0, 255)),
        ("32 bit float", 60000.0, (0, 65535)),
    ],
)
def test_auto_takes_the_smallest_usual_range(kind: str, high: float, window: tuple[float, float]) -> None:
    chosen, words = choose_intensity("auto", [PixelRange(kind, 2.0 if high > 2 else 0.0, high, 3 * high / 100, high)])
    assert chosen.windows == ((kind, *window),)
    assert f"{kind} from {window[0]} to {window[1]}" in words


def test_auto_falls_back_on_percentiles_where_values_fill_little_of_the_range() -> None:
    values = ((30000.0, 34000.0, 30100.0, 33900.0), (29000.0, 33000.0, 29900.0, 32900.0))
    ranges = [PixelRange("16 bit", *own) for own in values]
    chosen, _ = choose_intensity("auto", ranges)
    assert chosen.windows == (("16 bit", 29900.0, 33900.0),)


def test_auto_keeps_the_sign() -> None:
    chosen, _ = choose_intensity("auto", [PixelRange("32 bit float", -0.8, 0.9, -0.7, 0.8)])
    assert chosen.windows == (("32 bit float", -1.0, 1.0),)
    image = Image(np.array([[-1.0, 0.0, 1.0]], np.float32))
    np.testing.assert_array_equal(to_uint8(image, chosen), [[0, 128, 255]])


def test_auto_says_when_there_is_nothing_to_choose() -> None:
    assert choose_intensity("auto", []) == (Intensity(), "8-bit values as they are")


@pytest.mark.parametrize("asked", ["full", "percentile", "image", "50:150"])
def test_the_record_says_that_the_user_chose(asked: str) -> None:
    chosen, _ = choose_intensity(asked, [PixelRange("16 bit", 2.0, 900.0, 3.0, 890.0)])
    assert reason(asked, chosen) == f"chosen by the user with --intensity {asked}"


def test_the_record_says_what_decided_where_nothing_was_asked_for() -> None:
    deep, _ = choose_intensity("auto", [PixelRange("16 bit", 2.0, 900.0, 3.0, 890.0)])
    assert reason("auto", deep).startswith("by default: the smallest usual range that holds the values found")
    assert "25%" in reason("auto", deep)
    assert reason("auto", Intensity()) == "by default: the images hold 8-bit values, which are left alone"


def test_percentiles_of_the_data_set_and_of_each_image() -> None:
    rng = np.random.default_rng(0)
    dim = Image(rng.integers(100, 200, (50, 50)).astype(np.uint8))
    bright = Image(rng.integers(150, 250, (50, 50)).astype(np.uint8))
    of_all, _ = choose_intensity("percentile", [pixel_range(dim), pixel_range(bright)])
    assert to_uint8(dim, of_all).mean() < to_uint8(bright, of_all).mean() - 50
    of_each, _ = choose_intensity("image", [])
    assert abs(to_uint8(dim, of_each).mean() - to_uint8(bright, of_each).mean()) < 5


def test_a_fixed_window_clips_and_holds_for_every_kind() -> None:
    chosen, _ = choose_intensity("50:150", [pixel_range(Image(EIGHT.astype(np.uint16)))])
    exact = np.clip((EIGHT.astype(float) - 50) * 2.55, 0, 255)
    mapped = to_uint8(Image(EIGHT), chosen)
    assert np.abs(mapped - exact).max() <= 0.5 + 1e-4
    np.testing.assert_array_equal(to_uint8(Image(EIGHT.astype(np.uint16)), chosen), mapped)


def test_the_mapping_is_monotone_and_blank_images_are_fine() -> None:
    values = Image(np.linspace(-3, 7, 1000).reshape(10, 100))
    chosen, _ = choose_intensity("auto", [pixel_range(values)])
    assert (np.diff(to_uint8(values, chosen).ravel().astype(int)) >= 0).all()
    for blank in (np.full((3, 3), 7.5), np.zeros((3, 3), np.uint16)):
        for request in ("auto", "percentile", "image"):
            policy, _ = choose_intensity(request, [pixel_range(Image(blank))])
            assert to_uint8(Image(blank), policy).shape == (3, 3)


def test_another_kind_than_the_training_images_is_refused_by_name() -> None:
    with pytest.raises(IntensityError, match=r"of 16 bit, the model was trained on 8 bit.*--any-depth"):
        to_uint8(Image(EIGHT.astype(np.uint16)), Intensity(kinds=("8 bit",)))


def test_json_round_trip() -> None:
    policy = Intensity("full", (("16 bit", 0.0, 4095.0),), ("16 bit", "8 bit"), (0.0, 0.25))
    assert Intensity.from_json(policy.to_json()) == policy
    assert Intensity.from_json(Intensity("image").to_json()) == Intensity("image")


def test_a_bundle_of_an_earlier_version_has_no_recorded_shares() -> None:
    old = {"policy": "full", "windows": [["16 bit", 0.0, 4095.0]], "kinds": ["16 bit"]}
    assert Intensity.from_json(old).outside == (0.0, 0.0)


@pytest.mark.parametrize("outside", [(-0.1, 0.0), (0.0, 1.5), (float("nan"), 0.0)])
def test_shares_that_are_none_are_refused(outside: tuple[float, float]) -> None:
    with pytest.raises(OptionError, match="shares from 0 to 1"):
        Intensity(outside=outside)


@pytest.mark.parametrize(
    ("kind", "window", "holds"),
    [
        ("8 bit", None, True),
        ("16 bit", None, True),
        ("16 bit", (0.0, 65535.0), True),
        ("16 bit", (0.0, 65534.0), False),
        ("16 bit", (1.0, 65535.0), False),
        ("12 bit", (0.0, 4095.0), True),
        ("16 bit signed", (-32768.0, 32767.0), True),
        ("32 bit float", None, False),
        ("32 bit float", (0.0, 1.0), False),
    ],
)
def test_a_window_that_no_value_can_lie_outside_of(kind: str, window: tuple[float, float] | None, holds: bool) -> None:
    assert holds_every_value(Intensity(windows=() if window is None else ((kind, *window),)), kind) == holds
