"""Whether two computations agree, on pictures that are the same each time."""

import numpy as np

from graticule.networks.parity import TOLERANCE, largest_difference, sample_pictures


def test_differences_are_parts_of_the_largest_value() -> None:
    expected = np.array([[1.0, -4.0], [2.0, 0.0]])
    assert largest_difference(expected + np.array([[0.0, 0.0], [0.5, 0.0]]), expected) == 0.5 / 4.0
    assert not largest_difference(np.full((2, 2), np.nan), expected) <= TOLERANCE


def test_half_precision_does_not_pass_and_single_precision_does() -> None:
    expected = np.random.default_rng(0).normal(size=(100, 50))
    assert largest_difference(expected.astype(np.float32), expected) <= TOLERANCE
    assert largest_difference(expected * (1 + 4e-3), expected) > TOLERANCE


def test_pictures_are_fine_and_coarse_and_the_same_each_time() -> None:
    pictures = sample_pictures(6, 50)
    assert (pictures.shape, pictures.dtype) == ((6, 50, 50, 3), "uint8")
    np.testing.assert_array_equal(pictures, sample_pictures(6, 50))
    same = [float((picture[1:] == picture[:-1]).mean()) for picture in pictures[:3]]
    assert same[0] < same[1] < same[2]
    assert len(np.unique(pictures.reshape(6, -1), axis=0)) == 6
