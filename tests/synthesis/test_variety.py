"""The same few pictures are told from many, whichever way they are turned, and blur is not taken for it."""

import numpy as np
from scipy.ndimage import gaussian_filter
from tests.synthesis.drawn import blobs

from graticule.split.duplicates.symmetry import symmetric
from graticule.synthesis.distance import comparable
from graticule.synthesis.variety import variety_of

REAL = comparable(blobs(80, 0))
UNIT = np.arange(80)


def test_as_many_real_images_come_as_near() -> None:
    found = variety_of(comparable(blobs(60, 1)), REAL, UNIT)
    assert found.coverage > 0.85 * found.reference
    assert found.n_different == found.n == 60


def test_one_picture_turned_again_and_again() -> None:
    one = blobs(1, 2)[0]
    noise = np.random.default_rng(3).normal(0, 0.01, (60, *one.shape))
    made = np.stack([symmetric(one, i % 8) for i in range(60)]) + noise
    found = variety_of(comparable(made.astype(np.float32)), REAL, UNIT)
    assert found.coverage < 0.5 * found.reference
    assert found.close > 0.99


def test_identical_files_are_counted() -> None:
    found = variety_of(comparable(np.repeat(blobs(3, 4), 20, axis=0)), REAL, UNIT)
    assert (found.n, found.n_different) == (60, 3)
    assert found.coverage < 0.5 * found.reference


def test_blurred_images_are_no_few() -> None:
    found = variety_of(comparable(gaussian_filter(blobs(60, 5), (0, 1.5, 1.5))), REAL, UNIT)
    assert found.coverage > 0.7 * found.reference


def test_too_few_real_images_tell_nothing() -> None:
    found = variety_of(comparable(blobs(10, 6)), REAL[:6], UNIT[:6])
    assert np.isnan(found.coverage)
    assert found.n_different == 10
