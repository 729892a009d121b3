"""Registration: a picture is found again under a planted symmetry, shift and crop, another one is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from graticule.split.duplicates.registration import correlation, full_similarity, register, warp
from graticule.split.duplicates.symmetry import inverse, symmetric

SCENE = gaussian_filter(np.random.default_rng(0).normal(size=(48, 48)), 1.2).astype(np.float32)
OTHER = gaussian_filter(np.random.default_rng(1).normal(size=(32, 32)), 1.2).astype(np.float32)
PAIR = np.array([[0, 1]])


@pytest.mark.parametrize("symmetry", [0, 1, 2, 5])
def test_a_turned_and_shifted_picture_is_found_again(symmetry: int) -> None:
    a, b = SCENE[8:40, 8:40], symmetric(SCENE[9:41, 6:38], symmetry)
    found = register(np.stack([a, b]), PAIR)
    assert found.similarity[0] > 0.9
    assert int(found.by_symmetry[0].argmax()) == inverse(symmetry)


def test_another_picture_is_not_like_it() -> None:
    assert register(np.stack([SCENE[8:40, 8:40], OTHER]), PAIR).similarity[0] < 0.5


def test_standing_still_is_no_motion_and_a_picture_correlates_with_itself() -> None:
    picture = SCENE[None, :32, :32]
    moved, inside = warp(picture, np.zeros((1, 4), np.float32))
    assert moved == pytest.approx(picture, abs=1e-5)
    assert correlation(picture, moved, inside)[0] == pytest.approx(1, abs=1e-5)
    assert correlation(picture, -moved, inside)[0] == pytest.approx(-1, abs=1e-5)


def test_similarity_in_full_detail_is_of_the_pixels() -> None:
    rng = np.random.default_rng(2)
    grey = gaussian_filter(rng.normal(128, 200, (96, 96)), 2).clip(0, 255)
    noisy = (grey + rng.normal(0, 2, grey.shape)).clip(0, 255)
    colour = [np.repeat(p.astype(np.uint8)[:, :, None], 3, axis=2) for p in (grey, noisy, grey[::-1].T)]
    assert full_similarity(colour[0], colour[0]) > 0.99
    assert full_similarity(colour[0], colour[1]) > 0.8
    assert full_similarity(colour[0], colour[2]) > 0.9
