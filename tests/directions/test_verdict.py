"""The rule "no preferred direction": held by noise of every kind, and not in the way of what is aligned."""

import numpy as np
import pytest
import scipy.ndimage
from tests.directions.scenes import wires

from graticule.directions.measure import measure_directions
from graticule.directions.verdict import CROSSED, DIRECTION, EMPTY, NONE, is_crossed, verdict


@pytest.mark.parametrize(("side", "smooth"), [(256, 0.0), (256, 0.7), (256, 1.5), (512, 0.0), (512, 1.0), (128, 2.0)])
def test_noise_has_no_direction(side: int, smooth: float) -> None:
    """White and correlated alike; of a hundred each, see benchmarks/orientation.py."""
    named = 0
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(0, 20, (side, side)).astype(np.float32)
        found = measure_directions(scipy.ndimage.gaussian_filter(noise, smooth) if smooth else noise)
        named += found.verdict not in (NONE, EMPTY)
        assert np.isnan(found.figures.first.direction.value) == (found.verdict in (NONE, EMPTY))
    assert named <= 1


def test_aligned_wires_have_a_direction() -> None:
    assert all(measure_directions(wires(40, share=0.6, seed=seed)).verdict == DIRECTION for seed in range(8))


def test_one_colour_and_white_noise_have_no_structure() -> None:
    assert measure_directions(np.full((80, 90), 12, np.float32)).verdict == EMPTY
    assert measure_directions(np.random.default_rng(0).normal(0, 9, (256, 256)).astype(np.float32)).verdict == EMPTY


def test_two_directions_across_each_other_are_named_though_the_order_is_low() -> None:
    found = measure_directions(wires([20.0, 110.0], n=120))
    assert found.figures.order.value < 0.25
    assert found.verdict in (CROSSED, DIRECTION)
    assert sorted([found.figures.first.direction.value, found.figures.second.direction.value]) == pytest.approx(
        [20, 110], abs=2
    )


def test_few_tiles_and_little_structure_are_no_evidence() -> None:
    numbers = np.arange(64).reshape(8, 8)
    tiles = np.zeros((64, 180))
    tiles[:4, 30] = 1
    assert verdict(tiles, numbers, 8, 0.5) == (EMPTY, 1.0)
    tiles[:, 30] = 1
    assert verdict(tiles, numbers, 8, 0.001)[0] == EMPTY
    assert verdict(tiles, numbers, 8, 0.5)[0] == DIRECTION
    assert not is_crossed(np.ones((64, 180)))
