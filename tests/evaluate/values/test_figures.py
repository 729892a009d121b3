"""Figures of predicted numbers: by hand, and against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress, spearmanr
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, r2_score, root_mean_squared_error

from graticule.evaluate.values.figures import (
    NORMAL_95,
    ScoredValues,
    score_values,
    thirds_of,
    value_statistics,
    weighted_spearman,
)


def sample(n: int = 60, ties: bool = False, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.uniform(1, 9, n)
    p = 1 + 0.8 * y + rng.normal(size=n)
    return (np.round(y), np.round(p)) if ties else (y, p)


def figures(y: np.ndarray, p: np.ndarray, weights: np.ndarray | None = None, mean: float = 5.0) -> dict[str, float]:
    scored = score_values(y, p, np.arange(len(y)), mean)
    w = np.ones((1, len(y))) if weights is None else weights[None].astype(float)
    found = value_statistics(scored, w) | {"spearman": weighted_spearman(scored, w)}
    return {key: float(each[0]) for key, each in found.items()}


def test_golden_numbers() -> None:
    # errors -1, 0, 1, 2 at 1, 2, 3, 6
    found = figures(np.array([1.0, 2, 3, 6]), np.array([0.0, 2, 4, 8]), mean=3.0)
    assert found["mae"] == pytest.approx(1.0)
    assert found["rmse"] == pytest.approx(np.sqrt(1.5))
    assert found["r2"] == pytest.approx(1 - 6 / 14)
    assert found["bias"] == pytest.approx(0.5)
    assert found["slope"] == pytest.approx(22 / 14)
    assert found["spearman"] == pytest.approx(1.0)
    deviation = np.std([-1, 0, 1, 2], ddof=1)
    assert found["agreement_low"] == pytest.approx(0.5 - NORMAL_95 * deviation)
    assert found["agreement_high"] == pytest.approx(0.5 + NORMAL_95 * deviation)
    assert found["relative"] == pytest.approx((1 + 0 + 1 / 3 + 1 / 3) / 4)


@pytest.mark.parametrize("ties", [False, True])
def test_as_scikit_learn_and_scipy_have_them(ties: bool) -> None:
    y, p = sample(ties=ties)
    found = figures(y, p, mean=float(y.mean()))
    assert found["mae"] == pytest.approx(mean_absolute_error(y, p))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(y, p))
    assert found["r2"] == pytest.approx(r2_score(y, p))
    assert found["slope"] == pytest.approx(linregress(y, p).slope)
    assert found["spearman"] == pytest.approx(spearmanr(y, p).statistic)
    assert found["relative"] == pytest.approx(mean_absolute_percentage_error(y, p))


@pytest.mark.parametrize("ties", [False, True])
def test_a_weight_of_two_is_the_image_twice(ties: bool) -> None:
    y, p = sample(ties=ties)
    times = np.random.default_rng(1).integers(0, 3, len(y))
    twice = figures(np.repeat(y, times), np.repeat(p, times))
    weighted = figures(y, p, times)
    # thirds are those of the images as they are; a replicate does not move their edges
    for key in ("mae", "rmse", "r2", "bias", "slope", "spearman", "agreement_low", "agreement_high", "relative"):
        assert weighted[key] == pytest.approx(twice[key]), key


def test_large_values_keep_their_digits() -> None:
    y, p = sample()
    near, far = figures(y, p), figures(y + 1e7, p + 1e7, mean=5.0 + 1e7)
    for key in ("mae", "rmse", "r2", "bias", "slope", "agreement_low"):
        assert far[key] == pytest.approx(near[key], rel=1e-6), key


def test_a_unit_does_not_scale_what_has_none() -> None:
    y, p = sample()
    one, other = figures(y, p), figures(1000 * y, 1000 * p, mean=5000.0)
    for key in ("r2", "slope", "spearman", "relative"):
        assert other[key] == pytest.approx(one[key])
    for key in ("mae", "rmse", "bias", "bias_low", "agreement_high"):
        assert other[key] == pytest.approx(1000 * one[key])


def test_regression_to_the_mean_shows_in_the_thirds_and_in_the_slope() -> None:
    y = np.linspace(0, 1, 90)
    found = figures(y, 0.5 + 0.6 * (y - 0.5), mean=0.5)
    assert found["bias"] == pytest.approx(0, abs=1e-12)
    assert found["slope"] == pytest.approx(0.6)
    assert found["bias_low"] == pytest.approx(-found["bias_high"])
    assert found["bias_low"] > 0.1


def test_a_model_that_says_the_mean_gains_nothing() -> None:
    y, _ = sample()
    found = figures(y, np.full(len(y), 4.0), mean=4.0)
    assert found["r2"] == pytest.approx(0.0)
    assert found["slope"] == pytest.approx(0.0)
    assert np.isnan(found["spearman"])


def test_what_is_undefined_is_no_number() -> None:
    flat = figures(np.full(5, 2.0), np.arange(5.0), mean=2.0)
    assert np.isnan(flat["slope"])
    assert np.isnan(flat["spearman"])
    assert np.isnan(flat["r2"])
    assert np.isnan(figures(np.array([0.0, 1]), np.array([1.0, 1]))["relative"])


def test_the_mean_of_the_training_images_may_differ_by_fold() -> None:
    y, p = sample(4)
    means = np.array([1.0, 1, 9, 9])
    scored: ScoredValues = score_values(y, p, np.arange(4), means)
    expected = 1 - ((p - y) ** 2).sum() / ((y - means) ** 2).sum()
    assert value_statistics(scored, np.ones((1, 4)))["r2"][0] == pytest.approx(expected)


def test_thirds() -> None:
    assert thirds_of(np.arange(9.0)).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(set(thirds_of(np.array([1.0, 1, 1, 1, 5])).tolist())) == 2
