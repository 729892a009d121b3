"""Samples to grey or RGB: each rule against its formula, in bands of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from graticule.formats import colour
from graticule.formats.colour import (
    choose_channels,
    flatten_alpha,
    grey_if_equal,
    inks_to_rgb,
    invert,
    scale_to_byte,
    upright,
    ycbcr_to_rgb,
)
from graticule.formats.raster import Refused

RNG = np.random.default_rng(8)
RGBA = RNG.integers(0, 256, (11, 7, 4), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3)])
def test_turning_and_turning_back_is_nothing(shape: tuple[int, ...]) -> None:
    pixels = np.arange(np.prod(shape)).reshape(shape)
    back = {6: 8, 8: 6}
    seen = [upright(pixels, orientation) for orientation in range(1, 9)]
    for orientation, turned in enumerate(seen, 1):
        np.testing.assert_array_equal(upright(turned, back.get(orientation, orientation)), pixels)
        assert turned.shape[:2] == (shape[:2] if orientation < 5 else shape[1::-1])
    assert len({turned.tobytes() for turned in seen}) == 8
    np.testing.assert_array_equal(seen[5], np.rot90(pixels, -1))  # 6: turned clockwise
    for other in (0, 9, -1):
        np.testing.assert_array_equal(upright(pixels, other), pixels)


def test_transparency_by_its_formula() -> None:
    alpha = RGBA[..., 3:] / 255
    np.testing.assert_array_equal(flatten_alpha(RGBA, 255), np.rint(RGBA[..., :3] * alpha + 255 * (1 - alpha)))
    for opacity, expected in ((255, RGBA[..., :3]), (0, np.full((11, 7, 3), 255))):
        layer = np.full((11, 7, 1), opacity, np.uint8)
        np.testing.assert_array_equal(flatten_alpha(np.concatenate([RGBA[..., :3], layer], 2), 255), expected)
    shown = np.minimum(RGBA[..., :3], RGBA[..., 3:])
    joined = flatten_alpha(np.concatenate([shown, RGBA[..., 3:]], 2), 255, premultiplied=True)
    np.testing.assert_array_equal(joined, shown + (255 - RGBA[..., 3:]))
    np.testing.assert_array_equal(flatten_alpha(RGBA[..., [0, 3]], 255), flatten_alpha(RGBA, 255)[..., 0])
    np.testing.assert_array_equal(flatten_alpha(RGBA[..., :1], 255), RGBA[..., 0])
    with pytest.raises(Refused, match="5 channels"):
        flatten_alpha(np.zeros((2, 2, 5), np.uint8), 255)


def test_inks_at_their_ends() -> None:
    top = 65535
    inks = np.array([[[0, 0, 0, 0], [0, 0, 0, top], [top, 0, 0, 0], [top, top, top, 0]]], np.uint16)
    assert inks_to_rgb(inks, top)[0].tolist() == [[top] * 3, [0] * 3, [0, top, top], [0] * 3]


def test_luminance_and_chrominance_agree_with_pillow() -> None:
    pixels = RGBA[..., :3]
    independent = np.asarray(PIL.Image.fromarray(pixels, "YCbCr").convert("RGB")).astype(int)
    assert np.abs(ycbcr_to_rgb(pixels, 8) - independent).max() <= 1
    grey = np.full((1, 3, 3), 2048, np.uint16)
    grey[..., 0] = [[0, 1234, 4095]]
    np.testing.assert_array_equal(ycbcr_to_rgb(grey, 12), np.repeat(grey[..., :1], 3, axis=2))
    ends = np.array([[[16, 128, 128], [235, 128, 128]]], np.uint8)
    assert ycbcr_to_rgb(ends, 8, partial=True)[0].tolist() == [[0] * 3, [255] * 3]


@pytest.mark.parametrize(
    "change",
    [lambda a: flatten_alpha(a, 255), lambda a: inks_to_rgb(a, 255), lambda a: ycbcr_to_rgb(a[..., :3].copy(), 8)],
)
def test_the_size_of_a_band_changes_nothing(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole: NDArray[Any] = change(RGBA)
    for band in (1, 50, 100):
        monkeypatch.setattr(colour, "_BAND", band)
        np.testing.assert_array_equal(change(RGBA), whole)


@pytest.mark.parametrize("bits", range(1, 8))
def test_few_bits_take_the_whole_range_of_a_byte(bits: int) -> None:
    values = np.arange(2**bits)
    scaled = scale_to_byte(values, bits)
    np.testing.assert_array_equal(scaled, np.floor(values * 255 / (2**bits - 1) + 0.5))
    assert (scaled[0], scaled[-1], scaled.dtype) == (0, 255, "uint8")


def test_inverting_twice_is_nothing() -> None:
    for pixels, bits in ((RGBA, 8), (RGBA.astype(np.uint16), 12), (RGBA.view(np.int8), 8)):
        inverted = invert(pixels, bits)
        assert inverted.dtype == pixels.dtype
        np.testing.assert_array_equal(inverted, (-1 if pixels.dtype.kind == "i" else 2**bits - 1) - pixels.astype(int))
        np.testing.assert_array_equal(invert(inverted, bits), pixels)
    with pytest.raises(Refused, match="fractional"):
        invert(np.zeros((2, 2), np.float32), 32)


def test_channels_that_are_asked_for() -> None:
    assert choose_channels(RGBA, None) is RGBA
    np.testing.assert_array_equal(choose_channels(RGBA, (3,)), RGBA[..., 3])
    np.testing.assert_array_equal(choose_channels(RGBA, (3, 0, 0)), RGBA[..., [3, 0, 0]])
    np.testing.assert_array_equal(choose_channels(RGBA[..., 1], (0,)), RGBA[..., 1])
    with pytest.raises(Refused, match="no channel 4; allowed: --channel 0 to 3"):
        choose_channels(RGBA, (0, 4, 1))


def test_one_pixel_of_another_colour_keeps_a_picture_in_colour() -> None:
    grey = np.repeat(RNG.integers(0, 256, (40, 9, 1), dtype=np.uint8), 3, axis=2)
    np.testing.assert_array_equal(grey_if_equal(grey), grey[..., 0])
    for row in (16, 17):  # in the sparse sample and beside it
        coloured = grey.copy()
        coloured[row, 4, 2] ^= 1
        assert grey_if_equal(coloured) is coloured
