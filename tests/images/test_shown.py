"""Images for people: 8 bits, RGB, small; the model's own view of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.errors import ImageError
from graticule.images.decode import ImageFile, decode_file
from graticule.images.intensity import Intensity
from graticule.images.pool import answer_of, decoder
from graticule.images.preprocess import Preprocessing
from graticule.images.shown import read_rgb, shown_as_model_reads, shrunk
from graticule.workers.pool import WorkerPool

WriteImages = Callable[..., list[Path]]


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """Grey, 12 of 16 bits: a ramp of 400 columns."""
    file = tmp_path / "deep.png"
    PIL.Image.fromarray(np.tile(np.linspace(0, 4095, 400).astype(np.uint16), (40, 1))).save(file)
    return file


def test_values_of_any_depth_become_rgb_of_8_bits(deep: Path) -> None:
    rgb = read_rgb(deep)
    assert (rgb.shape, rgb.dtype) == ((40, 400, 3), np.uint8)
    assert (rgb[:, :, 0] == rgb[:, :, 2]).all()
    assert int(rgb.min()) <= 1
    assert int(rgb.max()) >= 254
    assert (np.diff(rgb[0, :, 0].astype(int)) >= 0).all()


def test_only_larger_pictures_are_made_smaller(deep: Path) -> None:
    assert read_rgb(deep, side=100).shape == (10, 100, 3)
    assert read_rgb(deep, side=400).shape == read_rgb(deep, side=4000).shape == (40, 400, 3)
    assert shrunk(PIL.Image.new("L", (1, 900)), 30).size == (1, 30)


def test_an_image_that_the_policy_of_the_model_does_not_fit_is_shown_all_the_same(deep: Path) -> None:
    settings = Preprocessing(64, intensity=Intensity(kinds=("8 bit",)))
    assert "16 bit" in decode_file(ImageFile(deep), settings).error
    shown = shown_as_model_reads(deep, settings)
    assert (shown.pixels.shape, shown.pixels.dtype, shown.bar) == ((40, 400), np.uint8, None)
    assert int(shown.pixels.max()) >= 254


def test_a_page_gets_its_pictures_from_a_worker(write_images: WriteImages, tmp_path: Path) -> None:
    (file,) = write_images(1)
    with WorkerPool(1) as pool:
        np.testing.assert_array_equal(answer_of(pool, read_rgb, file), read_rgb(file))
        with pytest.raises(ImageError, match=r"gone\.png: No such file"):
            answer_of(pool, read_rgb, tmp_path / "gone.png")
        decode = decoder(pool, Preprocessing(16))
        here = decode_file(ImageFile(file), Preprocessing(16))
        assert decode(ImageFile(file)).facts == here.facts != b""
        assert decode(ImageFile(tmp_path / "gone.png")).error == "No such file or directory"
