"""Risk against coverage: the area is the mean of the running risk, and the curve ends at the error of all."""

from __future__ import annotations

import numpy as np

from graticule.decide.risk_coverage import TARGETS, coverage_at, risk_coverage


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
