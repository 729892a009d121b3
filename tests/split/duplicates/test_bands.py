"""Bands of pictures: of mean 0 and deviation 1, blind to brightness and contrast."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from graticule.split.duplicates.bands import bands_of, detail, padded_product

PICTURES = gaussian_filter(np.random.default_rng(0).normal(size=(3, 32, 32)), (0, 1, 1)).astype(np.float32)


def test_products_are_those_of_matrices() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(1, 5, 7)), rng.normal(size=(4, 7, 6))
    assert padded_product(one, other) == pytest.approx(one @ other, abs=1e-5)


def test_bands_are_standardised_and_know_neither_brightness_nor_contrast() -> None:
    bands = bands_of(PICTURES)
    for band in (bands.outline, bands.fine):
        assert band.mean(axis=(1, 2)) == pytest.approx(0, abs=1e-4)
        assert band.std(axis=(1, 2)) == pytest.approx(1, abs=1e-3)
    assert bands_of(40 + 3 * PICTURES).fine == pytest.approx(bands.fine, abs=5e-3)


def test_a_slope_over_the_picture_is_no_detail() -> None:
    slope = np.linspace(0, 3, 32, dtype=np.float32)[None, None, :]
    plain, tilted = (detail(p, 0.9, 2.5, 0.1)[:, 6:-6, 6:-6].ravel() for p in (PICTURES, PICTURES + slope))
    assert np.corrcoef(plain, tilted)[0, 1] > 0.95
