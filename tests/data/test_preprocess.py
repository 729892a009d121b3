"""From an image to the square input of a network."""

import dataclasses
import json

import numpy as np
import PIL.Image
import pytest

from graticule.data.images import Image
from graticule.data.preprocess import Preprocessing, prepare
from graticule.errors import OptionError

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(30, 30), (30, 30, 3), (7, 90), (1, 1, 3)])
def test_shape_and_type(shape: tuple[int, ...], dtype: type) -> None:
    pixels = RNG.integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    prepared = prepare(Image(pixels), Preprocessing(32))
    assert prepared.shape == (32, 32, 3)
    assert prepared.dtype == np.uint8


def test_own_size_is_left_alone() -> None:
    pixels = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(prepare(Image(pixels), Preprocessing(32)), pixels)


def test_grey_and_equal_channels_are_the_same_input() -> None:
    grey = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
    as_colour = np.repeat(grey[:, :, None], 3, axis=2)
    one, other = (prepare(Image(pixels), Preprocessing(32)) for pixels in (grey, as_colour))
    np.testing.assert_array_equal(one, other)


def test_sixteen_bits_are_scaled_from_the_full_range() -> None:
    grey = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
    wide = grey.astype(np.uint16) * 257
    one, other = (prepare(Image(pixels), Preprocessing(32)) for pixels in (grey, wide))
    np.testing.assert_array_equal(one, other)


def test_shrinking_is_antialiased_and_the_whole_image_is_kept() -> None:
    board = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert np.abs(prepare(Image(board), Preprocessing(16)).astype(int) - 127.5).max() < 3
    halves = np.zeros((64, 256), np.uint8)
    halves[:, 128:] = 255
    prepared = prepare(Image(halves), Preprocessing(32))[:, :, 0]
    assert prepared[:, :14].max() == 0
    assert prepared[:, 18:].min() == 255


def test_resampling_is_pillows_bicubic() -> None:
    pixels = RNG.integers(0, 256, (50, 41, 3), dtype=np.uint8)
    expected = np.asarray(PIL.Image.fromarray(pixels).resize((24, 24), PIL.Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(prepare(Image(pixels), Preprocessing(24)), expected)


def test_key_names_every_setting() -> None:
    base = Preprocessing(224)
    assert json.loads(base.key()) == dataclasses.asdict(base)
    assert base.key() != Preprocessing(225).key()
    assert base.key() == Preprocessing(224).key()


def test_unknown_settings_are_refused() -> None:
    for settings in ({"resample": "area"}, {"intensity": "stretched"}, {"size": 0}):
        with pytest.raises(OptionError, match=str(next(iter(settings.values())))):
            Preprocessing(**{"size": 224, **settings})  # type: ignore[arg-type]
