"""Units that weigh alike, and quantiles that new units stay below as often as promised."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graticule.statistics.conformal_quantiles import conformal_quantile, needed, share_of_unit


def test_needed_units() -> None:
    assert [needed(level) for level in (0.8, 0.9, 0.95, 0.99)] == [4, 9, 19, 99]


def test_every_unit_weighs_one() -> None:
    unit = np.array([7, 7, 7, 2, 5, 5])
    np.testing.assert_allclose(share_of_unit(unit), [1 / 3, 1 / 3, 1 / 3, 1, 1 / 2, 1 / 2])


@pytest.mark.parametrize(("level", "expected"), [(0.9, 9.0), (0.8, 8.0), (0.81, 9.0), (0.91, math.inf)])
def test_quantile_of_nine_units_by_hand(level: float, expected: float) -> None:
    scores = np.array([3.0, 1, 2, 9, 8, 7, 4, 5, 6])
    assert conformal_quantile(scores, np.ones(9), level) == expected


def test_images_of_a_group_share_its_weight() -> None:
    # three groups: a has 1 and 9, b has 2, c has 3; at 0.5 of 4 units a weight of 2 has to be reached
    scores, unit = np.array([1.0, 9, 2, 3]), np.array([0, 0, 1, 2])
    assert conformal_quantile(scores, share_of_unit(unit), 0.5) == 3.0
    assert conformal_quantile(scores, share_of_unit(unit), 0.375) == 2.0


def test_a_new_unit_stays_below_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    below = [float(rng.normal()) <= conformal_quantile(rng.normal(size=19), np.ones(19), 0.9) for _ in range(4000)]
    assert np.mean(below) == pytest.approx(0.9, abs=0.015)
