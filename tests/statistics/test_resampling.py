"""Bootstrap weights: whole units, strata that keep their size, the variance of a mean."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.statistics import resampling
from graticule.statistics.resampling import draw_groups, draw_weights


def test_strata_keep_their_size_and_units_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    strata = np.array([0] * 7 + [1] * 12 + [2])
    monkeypatch.setattr(resampling, "CHUNK_BYTES", 8 * 20 * 6)
    weights = np.concatenate(list(draw_weights(np.arange(20), strata, 50, np.random.default_rng(0))))
    assert weights.shape == (50, 20)
    np.testing.assert_allclose(weights[:, :7].sum(axis=1), 7.0)
    np.testing.assert_allclose(weights[:, 7:19].sum(axis=1), 12.0)
    np.testing.assert_array_equal(weights[:, 19], 1.0)
    units = np.arange(20) % 5
    grouped = np.concatenate(list(draw_weights(units, np.zeros(5, int), 30, np.random.default_rng(0))))
    np.testing.assert_array_equal(grouped[:, :5], grouped[:, 5:10])


def test_rescaled_bootstrap_has_the_unbiased_variance_of_a_mean() -> None:
    values = np.array([0.0, 1.0, 4.0, 2.0, 7.0])
    weights = np.concatenate(list(draw_weights(np.arange(5), np.zeros(5, int), 40_000, np.random.default_rng(0))))
    means = weights @ values / 5
    assert means.mean() == pytest.approx(values.mean(), rel=0.01)
    assert means.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.03)


def test_both_orders_of_drawing_have_the_same_law() -> None:
    strata = np.array([0] * 4 + [1] * 6)
    drawn = [
        np.concatenate(list(draw_weights(np.arange(10), strata, 20_000, np.random.default_rng(1), by_replicate=order)))
        for order in (False, True)
    ]
    assert not np.array_equal(*drawn)
    for weights in drawn:
        np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.03)
        np.testing.assert_allclose(weights[:, :4].sum(axis=1), 4.0)
        # m - 1 draws of m units scaled by m / (m - 1): variance 1 of each weight
        np.testing.assert_allclose(weights.var(axis=0), 1.0, atol=0.05)


def test_a_replicate_at_a_time_is_what_the_generator_gives_a_replicate_at_a_time() -> None:
    one, other = np.random.default_rng(5), np.random.default_rng(5)
    weights = np.concatenate(list(draw_weights(np.arange(5), np.zeros(5, int), 3, one, by_replicate=True)))
    expected = [np.bincount(other.integers(5, size=4), minlength=5) * (5 / 4) for _ in range(3)]
    np.testing.assert_array_equal(weights, expected)


def test_groups_are_drawn_one_less_than_there_are() -> None:
    times = np.array(list(draw_groups(7, 30_000, np.random.default_rng(0))))
    assert times.shape == (30_000, 7)
    np.testing.assert_array_equal(times.sum(axis=1), 6)
    # the mean of a replicate has the variance of the mean of seven values, without bias
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])
    assert (times @ values / 6).var() == pytest.approx(values.var(ddof=1) / 7, rel=0.03)
