"""Counts with intervals, control samples, and verdicts per specimen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from graticule.counting.counts import (
    Control,
    binomial_limits,
    control_sample,
    corrected_counts,
    corrected_shares,
    drawn_at_random,
    lacking_control,
    plain_counts,
    plain_shares,
    poisson_limits,
    same_precision,
)


def test_poisson_limits_are_those_of_the_tables() -> None:
    # Garwood (1936); Ulm (1990): 0, 1, 10 and 100 events
    low, high = poisson_limits(np.array([0.0, 1.0, 10.0, 100.0]))
    np.testing.assert_allclose(low, [0.0, 0.0253178, 4.795389, 81.36399], rtol=1e-5)
    np.testing.assert_allclose(high, [3.688879, 5.571643, 18.390356, 121.6272], rtol=1e-5)


def test_poisson_limits_are_where_the_tails_hold_a_fortieth() -> None:
    counts = np.array([1, 7, 60])
    low, high = poisson_limits(counts.astype(float))
    np.testing.assert_allclose(poisson.sf(counts - 1, low), 0.025)
    np.testing.assert_allclose(poisson.cdf(counts, high), 0.025)


def test_binomial_limits_hold_the_share_and_stand_at_the_ends() -> None:
    low, high = binomial_limits(np.array([0.0, 0.5, 1.0, 0.3]), np.array([20.0, 20.0, 20.0, 0.0]))
    assert low[0] == 0.0
    assert high[2] == 1.0
    np.testing.assert_allclose(high[0], 1.0 - low[2])
    assert low[1] < 0.5 < high[1]
    assert np.isnan([low[3], high[3]]).all()


def test_a_full_control_sample_gives_the_true_counts_back() -> None:
    rng = np.random.default_rng(0)
    called, true = rng.integers(0, 3, 500), rng.integers(0, 3, 500)
    control = control_sample(called, true, 3, 3)
    counts = np.bincount(called, minlength=3).astype(float)
    np.testing.assert_allclose(corrected_counts(counts, control).value, np.bincount(true, minlength=3))
    np.testing.assert_allclose(corrected_shares(counts, control).value.sum(), 1.0)


def test_the_corrected_count_is_unbiased() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1, 2], [60, 340, 1600])
    share = np.array([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05], [0.02, 0.03, 0.95]])
    called = (rng.uniform(size=(2000, 1)) > share.cumsum(axis=1)[truth]).sum(axis=1)
    found = []
    for _ in range(200):
        rows = np.concatenate([rng.choice(np.flatnonzero(called == k), 40, replace=False) for k in range(3)])
        control = control_sample(called[rows], truth[rows], 3, 3)
        found.append(corrected_counts(np.bincount(called, minlength=3).astype(float), control).value)
    values = np.array(found)
    error = values.std(axis=0) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - [60, 340, 1600]) < 4 * error).all()


@pytest.mark.parametrize(("least", "most"), [(20, 60), (100, 300)])
def test_the_interval_of_the_corrected_count_covers_the_expected_count(least: int, most: int) -> None:
    rng = np.random.default_rng(2)
    covered, share_covered = [], []
    for _ in range(250):
        mean = np.exp(rng.uniform(np.log(10), np.log(5000), 4))
        share = np.stack([rng.dirichlet(np.where(np.arange(4) == k, 8.0, 0.4)) for k in range(4)])
        counts = rng.poisson(mean).astype(float)
        n = np.minimum(rng.integers(least, most + 1, 4), np.maximum(counts, 1)).astype(int)
        cells = np.stack([rng.multinomial(n[k], share[k]) for k in range(4)])
        control = Control(cells / n[:, None], n, n.astype(float))
        for estimate, truth, found in (
            (corrected_counts(counts, control), mean @ share, covered),
            (corrected_shares(counts, control), mean @ share / mean.sum(), share_covered),
        ):
            found.append((estimate.low <= truth) & (truth <= estimate.high))
    assert 0.90 <= np.mean(covered) <= 0.985
    assert 0.90 <= np.mean(share_covered) <= 0.985


def test_no_error_among_few_control_images_does_not_mean_none() -> None:
    control = Control(np.eye(2), np.array([50, 50]), np.array([50.0, 50.0]))
    estimate = corrected_counts(np.array([100.0, 100_000.0]), control)
    assert estimate.value[0] == 100.0
    assert estimate.high[0] > 3_000  # of 50 without an error, up to 5 % may be wrong


def test_weights_undo_unequal_sampling() -> None:
    called = np.zeros(110, dtype=np.int64)
    true = np.repeat([0, 1], [10, 100])
    probability = np.repeat([0.01, 0.1], [10, 100])
    control = control_sample(called, true, 1, 2, probability)
    np.testing.assert_allclose(control.share, [[0.5, 0.5]])
    assert control.n_effective[0] < 110
    assert control.n[0] == 110


def test_called_classes_without_control_images_leave_nothing_to_say() -> None:
    control = control_sample(np.array([0, 0]), np.array([0, 1]), 2, 2)
    assert np.isnan(corrected_counts(np.array([5.0, 1.0]), control).value).all()
    assert np.isfinite(corrected_counts(np.array([5.0, 0.0]), control).value).all()
    assert lacking_control(np.array([5.0, 1.0]), control).tolist() == [1]


def test_plain_shares_of_nothing_are_undefined() -> None:
    assert np.isnan(plain_shares(np.zeros((1, 3))).value).all()
    np.testing.assert_allclose(plain_shares(np.array([[1.0, 3.0]])).value, [[0.25, 0.75]])
    assert plain_counts(np.zeros(3)).over(2.0).high[0] == pytest.approx(3.688879 / 2)


def test_a_difference_in_precision_is_found_and_none_is_not() -> None:
    rng = np.random.default_rng(3)
    called, specimen = rng.integers(0, 2, 600), rng.integers(0, 4, 600)
    same = (rng.uniform(size=600) < 0.8).astype(np.int64)
    other = (rng.uniform(size=600) < np.array([0.9, 0.9, 0.9, 0.5])[specimen]).astype(np.int64)
    found = same_precision(called, same, specimen, rng, 199)
    assert found is not None
    assert found > 0.05
    assert same_precision(called, other, specimen, rng, 199) == pytest.approx(1 / 200)
    assert same_precision(called, same, np.zeros(600, dtype=np.int64), rng) is None


def test_a_picked_control_sample_is_found_out_and_a_drawn_one_is_not() -> None:
    rng = np.random.default_rng(5)
    score, called = rng.uniform(size=2000), rng.integers(-1, 3, 2000)
    readable = np.flatnonzero(called >= 0)
    p = np.array([drawn_at_random(score, called, rng.choice(readable, 150, replace=False)) for _ in range(200)])
    assert (p < 0.05).mean() <= 0.10
    doubtful = readable[np.argsort(score[readable] + rng.normal(size=len(readable)))[:150]]
    assert drawn_at_random(score, called, doubtful) < 1e-4
    assert drawn_at_random(score, called, readable) == 1.0
