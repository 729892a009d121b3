"""Tests of equal accuracy against exact distributions, and their level on data without a difference."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from graticule.statistics.groups import Groups
from graticule.statistics.paired_tests import (
    bonett_price,
    count_patterns,
    draw_patterns,
    holm,
    mcnemar,
    sign_flip,
    unseen_in_average,
    unseen_in_share,
    unseen_in_specificity,
)


def group_codes(n: int, n_groups: int) -> Groups:
    codes = np.arange(n) % n_groups
    return Groups(codes, np.array([f"g{i}" for i in range(n_groups)], dtype=object))


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (3, 3), (1, 9), (12, 4), (0, 40), (211, 180)])
def test_mcnemar_is_the_binomial_test(only_a: int, only_b: int) -> None:
    right_a = np.array([True] * only_a + [False] * only_b + [True, False])
    right_b = np.array([False] * only_a + [True] * only_b + [True, False])
    expected = binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
    assert mcnemar(right_a, right_b)["p"] == pytest.approx(expected)


def test_sign_flip_is_exact() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        n_groups = int(rng.integers(6, 11))
        right_a, right_b = rng.random(60) < 0.6, rng.random(60) < 0.75
        groups = group_codes(60, n_groups)
        gain = np.array([(right_b[groups.codes == g] * 1 - right_a[groups.codes == g]).sum() for g in range(n_groups)])
        flips = np.array(list(product([-1, 1], repeat=n_groups))) @ gain
        expected = (np.abs(flips) >= abs(gain.sum())).mean()
        assert sign_flip(right_a, right_b, groups)["p"] == pytest.approx(expected)


def test_random_patterns_come_close_to_all_and_repeat() -> None:
    rng = np.random.default_rng(3)
    right_a, right_b = rng.random(800) < 0.6, rng.random(800) < 0.62
    groups = group_codes(800, 40)
    found = sign_flip(right_a, right_b, groups, seed=4, exact_cost=0)
    assert found == sign_flip(right_a, right_b, groups, seed=4, exact_cost=0)
    assert (found["method"], found["n_patterns"]) == ("monte-carlo", 20_000)
    exact = sign_flip(right_a, right_b, groups)
    assert (exact["method"], exact["n_patterns"]) == ("exact", None)
    assert found["p"] == pytest.approx(exact["p"], abs=0.015)
    gain = np.bincount(groups.codes, right_b * 1.0 - right_a)
    normal = abs(gain.sum()) / np.sqrt((gain**2).sum())
    assert found["p"] == pytest.approx(2 * norm.sf(normal), abs=0.06)


def test_patterns_of_steps_of_one_are_the_binomial_test() -> None:
    for m, observed in ((7, 5), (60, 24), (2000, 80)):
        expected = binomtest((m + observed + (m + observed) % 2) // 2, m, 0.5).pvalue
        assert count_patterns(np.ones(m, np.int64), observed) == pytest.approx(expected, rel=1e-9)


def test_random_patterns_in_pieces_count_the_same_share() -> None:
    moved = np.arange(1, 2001)
    assert draw_patterns(moved, int(moved.sum()), 0) == pytest.approx(1 / 20_001)
    assert draw_patterns(moved, 0, 0) == 1.0


def test_groups_that_hardly_move_cannot_give_a_small_p() -> None:
    right_a, right_b = np.zeros(40, bool), np.zeros(40, bool)
    right_b[:3] = True
    found = sign_flip(right_a, right_b, group_codes(40, 20))
    assert found["p"] == found["smallest_p"] == 0.25
    assert "differ in 3 of 20 groups only: p could not have been below 0.25" in found["note"]
    five = sign_flip(right_a, right_b, group_codes(40, 5))
    assert (five["p"], five["smallest_p"]) == (None, 0.0625)
    assert "would give p = 0.0625" in five["note"]


def test_sign_flip_keeps_its_level() -> None:
    rng = np.random.default_rng(5)
    groups = group_codes(120, 10)
    p = []
    for _ in range(400):
        shift = rng.choice([-0.3, 0.3], size=10)[groups.codes]
        p.append(sign_flip(rng.random(120) < 0.6 + shift, rng.random(120) < 0.6 - shift, groups)["p"])
    assert np.mean(np.array(p) <= 0.05) <= 0.08


def test_mcnemar_by_image_is_wrong_on_grouped_data_and_sign_flip_is_not() -> None:
    rng = np.random.default_rng(8)
    groups = group_codes(300, 20)
    wrong = {"mcnemar": 0, "sign-flip": 0}
    for _ in range(300):
        levels = rng.normal(0.75, 0.12, size=(2, 20)).clip(0, 1)[:, groups.codes]
        right_a, right_b = rng.random((2, 300)) < levels
        wrong["mcnemar"] += mcnemar(right_a, right_b)["p"] <= 0.05
        wrong["sign-flip"] += sign_flip(right_a, right_b, groups)["p"] <= 0.05
    assert wrong["mcnemar"] > 0.12 * 300
    assert wrong["sign-flip"] <= 0.085 * 300


def test_holm_golden() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, None, 0.9]) == [1.0, None, 1.0]
    assert holm([0.2]) == [0.2]


def test_unseen_variance_of_equal_classes_is_that_of_the_accuracy() -> None:
    sizes = np.array([50.0, 50.0, 0.0, 50.0])
    assert unseen_in_share(sizes, 1.0) == pytest.approx(2 / 150**2)
    assert unseen_in_average(sizes, 1.0) == pytest.approx(2 / 150**2)
    assert unseen_in_specificity(sizes, 2.0) == pytest.approx(2 * 2 / 150**2 / 2**2)
    uneven = np.array([50.0, 5.0])
    assert unseen_in_average(uneven, 3.0) > 3 * unseen_in_share(uneven, 3.0)


def test_bonett_price_golden_and_zero_discordance() -> None:
    right_a = np.array([True] * 36 + [True] * 4 + [False] * 10 + [False] * 50)
    right_b = np.array([True] * 36 + [False] * 4 + [True] * 10 + [False] * 50)
    gain, loss = 11 / 102, 5 / 102
    half = 1.959964 * np.sqrt((gain + loss - (gain - loss) ** 2) / 102)
    assert bonett_price(right_a, right_b, 0.95) == pytest.approx((gain - loss - half, gain - loss + half), abs=1e-6)
    low, high = bonett_price(right_a, right_a, 0.95)
    assert low < 0 < high
