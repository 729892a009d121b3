"""Risk against coverage: the area is the mean of the running risk, and the curve ends at the error of all."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.risk_coverage import TARGETS, accepted_shares, coverage_at, risk_coverage
from graticule.statistics.intervals import wilson


def test_the_curve_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    score = rng.uniform(size=40)
    right = rng.uniform(size=40) < score
    curve = risk_coverage(score, right)
    ranked = ~right[np.argsort(-score)]
    running = np.cumsum(ranked) / np.arange(1, 41)
    assert curve.area == running.mean()
    np.testing.assert_allclose(curve.risk, running)
    assert curve.coverage[-1] == 1.0
    assert ((curve.low <= curve.risk) & (curve.risk <= curve.high)).all()


def test_a_few_groups_leave_the_limits_open() -> None:
    score, right = np.linspace(0, 1, 30), np.arange(30) > 5
    assert np.isnan(risk_coverage(score, right, np.arange(30) % 3).low).all()


def test_perfect_answers_can_all_but_one_be_accepted_at_every_target() -> None:
    found = coverage_at(np.linspace(0.5, 1, 2000), np.ones(2000, bool))
    assert [row["target"] for row in found] == list(TARGETS)
    assert all(row["coverage"] > 0.99 for row in found)


def test_the_curve_counts_errors_from_the_best_score_down() -> None:
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    curve = risk_coverage(score, np.array([True, True, False, True, False]))
    np.testing.assert_allclose(curve.coverage, [0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(curve.risk, [0, 0, 1 / 3, 1 / 4, 2 / 5])
    assert curve.area == pytest.approx(np.mean([0, 0, 1 / 3, 1 / 4, 2 / 5]))
    low, high = wilson(np.array([2.0]), np.array([5.0]))
    assert (curve.low[-1], curve.high[-1]) == pytest.approx((low[0], high[0]))


def test_the_order_of_the_images_does_not_matter_and_the_last_point_is_the_error() -> None:
    rng = np.random.default_rng(0)
    score, right, unit = rng.random(400), rng.random(400) < 0.8, np.arange(400) // 20
    order = rng.permutation(400)
    for groups in (None, unit):
        a = risk_coverage(score, right, groups)
        b = risk_coverage(score[order], right[order], None if groups is None else groups[order])
        np.testing.assert_allclose(a.risk, b.risk)
        np.testing.assert_allclose(a.low, b.low)
        assert a.risk[-1] == pytest.approx(1 - right.mean())


def test_few_groups_give_no_band() -> None:
    rng = np.random.default_rng(1)
    curve = risk_coverage(rng.random(90), rng.random(90) < 0.9, np.arange(90) // 10)
    assert np.isnan(curve.low).all()
    assert np.isnan(curve.high).all()


def test_a_faultless_model_is_accepted_and_a_guessing_one_is_not() -> None:
    score = np.linspace(0.5, 1.0, 2000)
    assert [row["target"] for row in coverage_at(score, np.ones(2000, dtype=bool))] == list(TARGETS)
    assert (accepted_shares(score, np.ones(2000, dtype=bool), np.ones(2000), None) > 0.95).all()
    guesses = np.arange(2000) % 2 == 0
    assert (accepted_shares(score, guesses, np.ones(2000), None) < 0.02).all()
