"""Histograms of directions and their moments."""

import numpy as np
import pytest
from tests.directions.scenes import apart, stripes, wires

from graticule.directions.distribution import (
    BINS,
    CENTRES,
    WEIGHTINGS,
    deviation_of,
    direction_of,
    histograms,
    moment,
    nematic,
    smooth_round,
    structured,
    turned,
    weights_of,
)
from graticule.directions.tensor import structure_tensor


def test_a_direction_is_not_rounded_to_its_bin() -> None:
    for direction in (0.0, 0.2, 30.3, 90.0, 179.9):
        found = histograms(np.full((4, 4), direction, np.float32), np.ones((4, 4), np.float32))
        assert found.shape == (1, BINS)
        assert found.sum() == pytest.approx(16)
        assert apart(direction_of(complex(moment(found[0], 2))), direction) < 0.01


def test_moments_of_directions_one_by_one() -> None:
    generator = np.random.default_rng(0)
    direction = (40 + 10 * generator.normal(size=(50, 40))).astype(np.float32) % 180
    weights = generator.uniform(size=(50, 40)).astype(np.float32)
    tile = np.arange(2000).reshape(50, 40) % 3
    found = histograms(direction, weights, tile)
    for k in range(3):
        own = tile == k
        truth = (weights[own] * np.exp(2j * np.radians(direction[own]))).sum() / weights[own].sum()
        assert moment(found[k], 2) == pytest.approx(truth, abs=3e-4)
    whole = nematic(found.sum(axis=0))
    assert whole.direction == pytest.approx(40, abs=0.5)
    assert whole.deviation == pytest.approx(10, abs=0.5)
    assert whole.order == pytest.approx(np.exp(-2 * np.radians(10) ** 2), abs=0.02)


def test_two_crossed_directions_have_no_order_but_a_fourth_moment() -> None:
    crossed = np.zeros(BINS)
    crossed[[20, 110]] = 1, 1.02
    found = nematic(crossed)
    assert found.order < 0.02
    assert found.fourth == pytest.approx(1, abs=1e-6)
    assert nematic(np.ones(BINS)).order == pytest.approx(0, abs=1e-12)
    assert nematic(np.zeros(BINS)).deviation == deviation_of(0) == np.inf


def test_faint_and_bright_structure_count_alike_and_ground_does_not() -> None:
    picture = stripes(30, 9)
    picture[:, 40:80] = 128 + (picture[:, 40:80] - 128) * 0.4
    picture[:, 80:] = 128
    field = structure_tensor(picture + np.random.default_rng(0).normal(0, 1, picture.shape).astype(np.float32), 1.5)
    counted = structured(field, 0.02)
    assert counted[8:-8, 6:18].mean() > 0.95
    assert counted[8:-8, 24:36].mean() > 0.95
    assert counted[8:-8, 46:].mean() == 0
    for weighting in WEIGHTINGS:
        assert (weights_of(field, weighting, 0.02)[~field.inside] == 0).all()


def test_histograms_are_smoothed_round_the_circle_and_turned() -> None:
    one = np.zeros(BINS)
    one[0] = 1
    soft = smooth_round(one, 3.0)
    assert soft.sum() == pytest.approx(1)
    assert soft[1] == pytest.approx(soft[-1])
    peak = np.exp(-0.5 * ((CENTRES - 70) / 4) ** 2)
    assert apart(nematic(turned(peak, 50.25)).direction, 70 - 50.25) < 1e-6


def test_turning_the_picture_turns_the_distribution() -> None:
    picture = wires(20, share=0.6)
    fields = [structure_tensor(one, 1.5, every_pixel=True) for one in (picture, np.rot90(picture).copy())]
    upright, quarter = (histograms(f.direction, weights_of(f, "equal", 0.1))[0] for f in fields)
    assert np.abs(np.roll(upright, 90) - quarter).sum() < 0.002 * upright.sum()
