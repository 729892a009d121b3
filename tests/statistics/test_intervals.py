"""Golden numbers, ranges and coverage of the interval formulas."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.statistics import intervals
from graticule.statistics.intervals import cluster_t, score_interval, share_limits, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_golden(successes: int, trials: int, low: float, high: float) -> None:
    found = wilson(np.array(float(successes)), np.array(float(trials)))
    assert found[0] == pytest.approx(low, abs=5e-5)
    assert found[1] == pytest.approx(high, abs=5e-5)


def test_wilson_without_trials_is_undefined() -> None:
    low, high = wilson(np.array([0.0, 3.0]), np.array([0.0, 3.0]))
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert high[1] == 1.0


def test_score_interval_holds_the_value_at_both_ends() -> None:
    value = np.linspace(0.0, 1.0, 101)
    for n in (0.5, 3.0, 1e6):
        low, high = score_interval(value, np.full(101, n), 1.96)
        assert ((low >= 0) & (low <= value) & (value <= high) & (high <= 1)).all()


def coverage(n_groups: int, correlation: float, accuracy: float, sizes: int = 30) -> float:
    rng = np.random.default_rng(0)
    scale = 1 / correlation - 1
    rate = rng.beta(accuracy * scale, (1 - accuracy) * scale, size=(3000, n_groups))
    trials = np.full((3000, n_groups), float(sizes))
    low, high = cluster_t(rng.binomial(sizes, rate).astype(float), trials)
    return float(((low <= accuracy) & (accuracy <= high)).mean())


@pytest.mark.parametrize("n_groups", [10, 20])
@pytest.mark.parametrize("accuracy", [0.7, 0.95, 0.99])
def test_cluster_interval_covers(n_groups: int, accuracy: float) -> None:
    assert 0.925 <= coverage(n_groups, 0.1, accuracy) <= 0.99


def test_wilson_does_not_cover_grouped_data_but_the_cluster_interval_does() -> None:
    rng = np.random.default_rng(1)
    rate = rng.beta(2.1, 0.9, size=(2000, 12))
    hits = rng.binomial(30, rate).astype(float)
    low, high = wilson(hits.sum(axis=1), np.full(2000, 360.0))
    assert ((low <= 0.7) & (high >= 0.7)).mean() < 0.6
    low, high = cluster_t(hits, np.full((2000, 12), 30.0))
    assert ((low <= 0.7) & (high >= 0.7)).mean() > 0.93


def test_cluster_interval_of_faultless_groups() -> None:
    trials = np.full(12, 25.0)
    low, high = cluster_t(trials.copy(), trials)
    assert high == 1.0
    assert 0.9 < low < wilson(np.array(300.0), np.array(300.0))[0]


def test_groups_without_trials_count_for_nothing() -> None:
    hits, trials = np.array([9.0, 5.0, 8.0, 10.0]), np.full(4, 10.0)
    padded = cluster_t(np.append(hits, [0.0, 0.0]), np.append(trials, [0.0, 0.0]))
    assert cluster_t(hits, trials) == pytest.approx(padded)
    assert np.isnan(cluster_t(np.array([3.0]), np.array([4.0]))[0])
    assert np.isnan(cluster_t(np.zeros(3), np.zeros(3))[0])


def test_cluster_interval_does_not_depend_on_group_order_and_mirrors() -> None:
    rng = np.random.default_rng(2)
    trials = rng.integers(1, 40, 15).astype(float)
    hits = rng.binomial(trials.astype(int), 0.8).astype(float)
    order = rng.permutation(15)
    low, high = cluster_t(hits, trials)
    assert cluster_t(hits[order], trials[order]) == pytest.approx((low, high))
    assert cluster_t(trials - hits, trials) == pytest.approx((1 - high, 1 - low))


def test_effective_number_of_groups() -> None:
    assert intervals.effective_number(np.full(8, 5.0)) == pytest.approx(8)
    assert intervals.effective_number(np.array([100.0, 1.0, 1.0])) == pytest.approx(102**2 / 10002)
    assert intervals.effective_number(np.zeros(3)) == 0.0


def test_bounded_interval_of_a_share_is_wilsons() -> None:
    value, n = np.array(0.9), 250.0
    error = np.sqrt(value * (1 - value) / n)
    found = intervals.bounded_interval(value, error, np.array(250.0), 1.959964)
    assert found == pytest.approx(wilson(value * n, np.array(n)), abs=1e-6)


@pytest.mark.parametrize("interval", [intervals.bounded_interval, intervals.ranking_interval])
def test_bounded_intervals_stay_in_range(interval) -> None:  # type: ignore[no-untyped-def]
    value = np.array([0.0, 1e-9, 0.5, 0.999, 1.0, np.nan])
    error = np.array([0.0, 1e-3, 0.3, 0.2, 0.0, 0.1])
    low, high = interval(value, error, np.full(6, 20.0), 2.0)
    assert np.isnan(low[5])
    assert np.isnan(high[5])
    assert ((low >= 0) & (low <= value) & (value <= high) & (high <= 1))[:5].all()
    assert low[4] == pytest.approx(20 / 24)


def test_loss_interval() -> None:
    low, high = intervals.loss_interval(np.array([0.2, 0.0]), np.array([0.02, 0.0]), 2.0, 2.0)
    np.testing.assert_allclose(low, [0.2 * np.exp(-0.2), 0.0])
    np.testing.assert_allclose(high, [0.2 * np.exp(0.2), 0.0])
    assert intervals.loss_interval(np.array(1.9), np.array(1.0), 2.0, 2.0)[1] == 2.0


def test_calibrated_ece_reaches_down_to_zero() -> None:
    rng = np.random.default_rng(3)
    null = np.abs(rng.normal(0.05, 0.01, 500))
    low, high = intervals.ece_interval(0.05, null + 0.02, null, 1.96, 0.95)
    assert low == 0.0
    assert high >= 0.05
    low, _ = intervals.ece_interval(0.3, rng.normal(0.31, 0.01, 500), null, 1.96, 0.95)
    assert 0.2 < low < 0.3


def test_standard_error_ignores_undefined_replicates() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, 2.0], [5.0, np.nan]])
    np.testing.assert_allclose(intervals.standard_error(values), [2.0, np.nan])


def test_limits_of_a_share_are_those_of_its_sampling_unit() -> None:
    rng = np.random.default_rng(0)
    hit, unit = rng.random(200) < 0.9, np.arange(200) // 10 * 3 + 5
    assert share_limits(hit, None) == pytest.approx(np.array(wilson(np.array(float(hit.sum())), np.array(200.0))))
    trials, hits = np.full(20, 10.0), hit.reshape(20, 10).sum(axis=1).astype(float)
    assert share_limits(hit, unit, 0.9) == pytest.approx(np.array(cluster_t(hits, trials, 0.9)))
    assert np.isnan(share_limits(hit, np.arange(200) // 25)).all()
