"""Gradients and the level of noise."""

import numpy as np
import pytest
from tests.directions.scenes import apart, stripes, wires

from graticule.directions.gradient import gaussian_gradient, noise_energy, noise_level


@pytest.mark.parametrize("period", [3.0, 4.0, 7.3])
def test_directions_of_fine_stripes_are_right_at_every_angle(period: float) -> None:
    for direction in np.arange(0, 180, 7.5):
        right, down = gaussian_gradient(stripes(float(direction), period, 96), 1.0)
        assert right.shape == down.shape == (96, 96)
        inner = (slice(12, -12), slice(12, -12))
        strong = np.hypot(right, down)[inner] > 0.3 * np.hypot(right, down)[inner].max()
        found = np.degrees(np.arctan2(right[inner], down[inner]))[strong] % 180
        assert max(apart(float(one), float(direction)) for one in found[::17]) < 0.1


def test_the_level_of_white_noise_is_found_with_and_without_structure() -> None:
    noise = np.random.default_rng(0).normal(0, 12, (300, 200)).astype(np.float32)
    assert noise_level(noise) == pytest.approx(12, rel=0.03)
    assert noise_level(wires(30, noise=12)) == pytest.approx(12, rel=0.12)
    assert noise_level(np.full((50, 50), 7, np.float32)) == 0
    assert noise_level(np.zeros((2, 9), np.float32)) == 0


@pytest.mark.parametrize("sigma", [1.0, 1.5, 3.0])
def test_the_energy_of_noise_is_what_noise_gives(sigma: float) -> None:
    noise = np.random.default_rng(1).normal(0, 5, (700, 700)).astype(np.float32)
    right, down = gaussian_gradient(noise, sigma)
    assert float((right**2 + down**2).mean()) == pytest.approx(noise_energy(5, sigma), rel=0.05)
    assert noise_energy(5, sigma) == pytest.approx(25 / (4 * np.pi * sigma**4), rel=0.02)
