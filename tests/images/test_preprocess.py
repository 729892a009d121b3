"""From an image to the square input of a network."""

import dataclasses
import json

import numpy as np
import PIL.Image
import pytest

from graticule.errors import OptionError
from graticule.formats.selection import Selection
from graticule.images.image import Image
from graticule.images.intensity import Intensity
from graticule.images.preprocess import Preprocessing, picture_of, prepare
from graticule.phantoms.infobar import Acquisition, bar_rows, stamp

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
    assert set(json.loads(base.key())) == set(dataclasses.asdict(base))
    assert Preprocessing.from_json(json.loads(base.key())) == base
    assert base.key() != Preprocessing(225).key()
    assert base.key() == Preprocessing(224).key()


def test_unknown_settings_are_refused() -> None:
    for settings in ({"resample": "area"}, {"info_bar": "half"}, {"marks": "blur"}, {"scale_nm": -1.0}, {"size": 0}):
        with pytest.raises(OptionError, match=str(next(iter(settings.values())))):
            Preprocessing(**{"size": 224, **settings})  # type: ignore[arg-type]


def test_settings_survive_the_way_through_json() -> None:
    settings = Preprocessing(
        96,
        intensity=Intensity(windows=(("12 bit", 0.0, 4095.0),), kinds=("12 bit", "8 bit")),
        info_bar="keep",
        scale_nm=2.5,
        selection=Selection(z="max", channel=(2, 1, 0)),
    )
    assert Preprocessing.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_accepted_kinds_change_no_key() -> None:
    strict = Preprocessing(96, intensity=Intensity(kinds=("8 bit",)))
    assert strict.key() == Preprocessing(96).key()
    assert Preprocessing(96, intensity=Intensity("image")).key() != Preprocessing(96).key()


def disc(radius: float, side: int) -> Image:
    """A bright disc of a radius in pixels, in the middle of a dark square."""
    y, x = np.indices((side, side)) - (side - 1) / 2
    return Image(np.where(np.hypot(x, y) < radius, 220, 40).astype(np.uint8))


def test_at_one_scale_an_object_has_one_size_whatever_its_pixels_and_its_frame() -> None:
    settings = Preprocessing(64, scale_nm=10.0)
    shown = [
        prepare(disc(radius, side), settings, pixel_size)
        for radius, side, pixel_size in ((20, 80, 10.0), (40, 120, 5.0), (10, 30, 20.0), (20, 400, 10.0))
    ]
    area = [int((picture[:, :, 0] > 130).sum()) for picture in shown]
    assert max(area) - min(area) <= 0.06 * np.pi * 20**2
    assert abs(area[0] - np.pi * 20**2) <= 0.04 * np.pi * 20**2
    squeezed = [prepare(disc(radius, side), Preprocessing(64)) for radius, side in ((20, 80), (20, 400))]
    assert (squeezed[0][:, :, 0] > 130).sum() > 10 * (squeezed[1][:, :, 0] > 130).sum()


def test_what_lacks_around_a_small_picture_is_its_border() -> None:
    picture = prepare(disc(5, 20), Preprocessing(64, scale_nm=10.0), 10.0)
    assert (picture[:20] == 40).all()
    assert (picture[:, -20:] == 40).all()


def test_extreme_scales_make_no_huge_picture() -> None:
    for pixel_size in (1e-3, 1e6):
        assert prepare(disc(20, 80), Preprocessing(32, scale_nm=10.0), pixel_size).shape == (32, 32, 3)


def test_an_info_bar_is_cut_off_unless_kept() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 200, (400, 400)).astype(np.uint8)
    barred = stamp(pixels, "zeiss", Acquisition(5.0, 10.0, 8.0, 1))
    top, bottom = bar_rows("zeiss", 400) or (0, 0)
    cut = picture_of(Image(barred), Preprocessing(64))
    assert cut.bar is not None
    assert abs(cut.bar.top - top) <= 2
    assert cut.bar.bottom == bottom
    assert cut.shown.shape[0] == cut.bar.top
    kept = picture_of(Image(barred), Preprocessing(64, info_bar="keep"))
    assert kept.bar == cut.bar
    np.testing.assert_array_equal(kept.shown, barred)
    assert picture_of(Image(pixels), Preprocessing(64)).bar is None
