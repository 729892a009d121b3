"""Deletion and insertion curves, intervals of their gains, and agreement of maps."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.explain.test_checks import MIDDLE, SIDE, red_share

from graticule.explain.fidelity import STEPS, area, curves, mean_interval, rank_correlation, resized_mean


def probabilities(region: tuple[slice, slice], pixels: Any) -> Any:
    scores = np.exp(red_share(region, pixels))
    return scores / scores.sum(axis=1, keepdims=True)


def test_curves_favour_a_map_that_is_right() -> None:
    pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
    pixels[MIDDLE] = 250
    right = np.zeros((16, 16))
    right[6:10, 6:10] = 1
    evaluate = partial(probabilities, MIDDLE)
    found = curves(evaluate, pixels, right, 0, np.random.default_rng(0))
    assert found.deletion.shape == (STEPS + 1,)
    assert found.deletion[0] == found.insertion[-1]
    assert area(found.deletion) < area(found.random_deletion) - 0.02
    assert area(found.insertion) > area(found.random_insertion) + 0.02
    wrong = curves(evaluate, pixels, -right, 0, np.random.default_rng(0))
    assert area(wrong.deletion) > area(found.random_deletion)


def test_area_of_a_straight_line_is_a_half() -> None:
    assert area(np.linspace(0, 1, STEPS + 1)) == pytest.approx(0.5)


def test_a_map_is_brought_to_cells_by_means() -> None:
    fine = np.arange(28.0 * 28).reshape(28, 28)
    assert np.allclose(resized_mean(fine, 14), fine.reshape(14, 2, 14, 2).mean(axis=(1, 3)))
    assert resized_mean(np.ones((7, 7)), 14).shape == (14, 14)
    assert np.allclose(resized_mean(np.full((25, 25), 3.0), 14), 3)


def test_rank_correlation_equals_that_of_scipy() -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(1)
    a, b = generator.normal(size=(2, 9, 9)).round(1)
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert np.isnan(rank_correlation(a, np.zeros((9, 9))))


def test_intervals_cover_the_mean_and_need_six_values() -> None:
    values = np.random.default_rng(2).normal(1, 1, 60).tolist()
    found = mean_interval(values)
    assert found["n"] == 60
    assert found["low"] < found["value"] < found["high"]  # type: ignore[operator]
    assert mean_interval(values[:5])["low"] is None
    assert mean_interval([]) == {"value": None, "low": None, "high": None, "n": 0}


@pytest.mark.parametrize("n", [6, 12])
def test_intervals_of_few_values_cover_what_they_say(n: int) -> None:
    # 2,000 draws: the standard error of the coverage is half a percent
    drawn = np.random.default_rng(n).normal(0.3, 2.0, (2000, n))
    found = [mean_interval(values.tolist()) for values in drawn]
    covered = np.mean([one["low"] <= 0.3 <= one["high"] for one in found])  # type: ignore[operator]
    assert 0.935 <= covered <= 0.965
