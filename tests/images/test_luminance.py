"""Images as brightness: full depth kept, luminance of colour, bars and marks off."""

import numpy as np
import pytest

from graticule.images.burnt_in.infobar import Bar
from graticule.images.image import Image
from graticule.images.luminance import LUMINANCE, brightness_of, rows_beside


def test_sixteen_bits_are_not_rounded_to_eight() -> None:
    pixels = (np.arange(80 * 80).reshape(80, 80) * 7 % 60_000).astype(np.uint16)
    found = brightness_of(Image(pixels))
    assert found.grey.dtype == np.float32
    assert (found.grey == pixels).all()
    assert found.counts is None
    assert found.bar is None


def test_colour_counts_by_its_luminance() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    assert brightness_of(Image(pixels)).grey == pytest.approx(pixels @ LUMINANCE, abs=1e-3)
    assert LUMINANCE.sum() == pytest.approx(1)


def test_rows_beside_a_bar_above_or_below() -> None:
    assert list(range(10)[rows_beside(None, 10)]) == list(range(10))
    assert list(range(10)[rows_beside(Bar(8, 10, "pixels"), 10)]) == list(range(8))
    assert list(range(10)[rows_beside(Bar(0, 2, "pixels"), 10)]) == list(range(2, 10))


def test_marks_are_left_out_only_when_asked() -> None:
    pixels = np.random.default_rng(0).integers(60, 90, (160, 160)).astype(np.uint8)
    assert brightness_of(Image(pixels)).counts is None
    counts = brightness_of(Image(pixels), marks="mask").counts
    assert counts is not None
    assert counts.shape == pixels.shape
