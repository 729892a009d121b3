"""Whether label shift holds: the level of the tests, what they notice, and when they refuse."""

from __future__ import annotations

import numpy as np
from tests.counting.test_prior_shift import calibration, scores

from graticule.counting.label_shift import MIN_NEW, check_label_shift, moment_p_value, novelty_faults, score_bins


def test_the_test_keeps_its_level_under_label_shift() -> None:
    rng = np.random.default_rng(5)
    p = []
    for _ in range(60):
        known = calibration(rng, 450)
        new = scores(rng.choice(3, 500, p=rng.dirichlet(np.ones(3))), rng)
        p.append(check_label_shift(new, known, None, rng).p or 0.0)
    assert np.mean(np.array(p) < 0.05) <= 0.13  # binomial: 5 % would give more than 7 of 60 once in 100


def test_the_test_rejects_images_that_differ_in_more_than_their_mix() -> None:
    rng = np.random.default_rng(6)
    known = calibration(rng)
    moved = scores(rng.choice(3, 1000, p=[0.2, 0.3, 0.5]), rng, move=np.array([0.0, 1.2]))
    result = check_label_shift(moved, known, None, rng)
    assert not result.passed
    assert "no mixture" in result.reasons[0]


def test_moments_notice_images_that_moved_a_little() -> None:
    rng = np.random.default_rng(12)
    p: dict[float, list[float]] = {0.0: [], 0.5: []}
    for move, values in p.items():
        for _ in range(40):
            known = calibration(rng, 600)
            y = rng.choice(3, 800, p=rng.dirichlet(np.ones(3)))
            new = scores(y, rng, move=move * np.array([0.6, 0.8]))
            values.append(moment_p_value(known.calibration(new), known))
    assert np.mean(np.array(p[0.0]) < 0.05) <= 0.15
    assert np.mean(np.array(p[0.5]) < 0.05) >= 0.6


def test_constant_new_scores_are_refused() -> None:
    rng = np.random.default_rng(13)
    result = check_label_shift(np.tile([0.5, 0.3, 0.2], (400, 1)), calibration(rng), None, rng)
    assert (result.passed, len(result.reasons)) == (False, 1)


def test_few_images_are_refused_rather_than_passed() -> None:
    rng = np.random.default_rng(8)
    known = calibration(rng)
    for n in (1, MIN_NEW - 1):
        result = check_label_shift(scores(np.zeros(n, dtype=np.int64), rng), known, None, rng)
        assert (result.passed, result.p) == (False, None)
        assert f"{n} images" in result.reasons[0]


def test_too_much_novelty_is_a_refusal() -> None:
    rng = np.random.default_rng(9)
    known = calibration(rng)
    new = scores(rng.integers(0, 3, 400), rng)
    assert check_label_shift(new, known, rng.uniform(size=400), rng).passed
    result = check_label_shift(new, known, rng.uniform(0, 0.4, size=400), rng)
    assert not result.passed
    assert "novelty" in result.reasons[0]
    assert novelty_faults(np.full(400, np.nan), 900) == []


def test_bins_are_filled_by_both_samples_and_do_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(11)
    old, new = (scores(rng.integers(0, 3, n), rng) for n in (500, 800))
    bins, n_bins = score_bins(old, new)
    assert np.bincount(bins, minlength=n_bins).min() >= 20
    order = rng.permutation(800)
    shuffled, _ = score_bins(old, new[order])
    np.testing.assert_array_equal(shuffled[500:], bins[500:][order])
    assert score_bins(np.full((50, 3), 1 / 3), np.full((60, 3), 1 / 3))[1] == 1
