"""How far intervals reach: quantiles of groups that weigh alike, on one side or both, and estimates without groups."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.value_reach import each_side, reach_of, two_sided
from graticule.statistics.conformal_quantiles import conformal_quantile


def test_one_reach_for_both_sides_or_one_each() -> None:
    score, unit = np.linspace(-1, 3, 41), np.arange(41)
    below, above = reach_of(score, unit, True, False, 0.9)
    assert below == above == conformal_quantile(np.abs(score), np.ones(41), 0.9)
    below, above = reach_of(score, unit, True, True, 0.9)
    assert below < 1.01 < 2.8 < above


def test_a_side_of_its_own_takes_twice_the_units() -> None:
    assert each_side(0.9) == pytest.approx(0.95)
    assert [two_sided(n, True, 0.9) for n in (18, 19)] == [False, True]
    assert not two_sided(100, False, 0.9)


def test_few_groups_give_the_wider_of_two_estimates() -> None:
    # three groups; the largest has small errors, so images alone would look too good
    unit = np.repeat([0, 1, 2], [60, 5, 5])
    score = np.concatenate([np.linspace(0, 1, 60), np.full(5, 4.0), np.full(5, 8.0)])
    below, above = reach_of(score, unit, True, False, 0.9)
    assert below == above == 8.0
    images_alone = conformal_quantile(score, np.ones(70), 0.9)
    assert above >= images_alone


def test_few_images_reach_infinitely_far() -> None:
    assert reach_of(np.ones(8), np.arange(8), False, False, 0.9) == (np.inf, np.inf)
    assert reach_of(np.ones(9), np.arange(9), False, False, 0.9) == (1.0, 1.0)
