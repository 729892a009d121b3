"""Descriptors that the symmetries of the square leave alone, and candidates found by them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from graticule.split.duplicates.candidates import descriptors
from graticule.split.duplicates.symmetry import SYMMETRIES, symmetric

PICTURES = gaussian_filter(np.random.default_rng(0).normal(size=(12, 32, 32)), (0, 1.5, 1.5)).astype(np.float32)


@pytest.mark.parametrize("symmetry", range(SYMMETRIES))
def test_turning_and_mirroring_change_no_descriptor(symmetry: int) -> None:
    turned = descriptors(np.ascontiguousarray(symmetric(PICTURES, symmetry)))
    distance = np.linalg.norm(descriptors(PICTURES)[:, None] - turned[None], axis=2)
    others = distance[~np.eye(12, dtype=bool)].min()
    assert np.diag(distance).max() < 0.001 * others


def test_a_shifted_picture_is_nearer_to_itself_than_to_others() -> None:
    plain, moved = descriptors(PICTURES), descriptors(np.roll(PICTURES, 1, axis=2))
    distance = np.linalg.norm(plain[:, None] - moved[None], axis=2)
    assert (distance.argmin(axis=1) == np.arange(12)).all()
