"""The acceptance rule: golden numbers of the binomial bound, its error rate by simulation, groups, mixes, words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from graticule.decide.acceptance import certified, exact_interval, find_rule, least_accepted
from graticule.decide.estimated_rule import estimated
from graticule.decide.evidence import SHIPPED, Evidence


def evidence_of(confidence: np.ndarray, right: np.ndarray, *, shipped: bool = True, unit: np.ndarray | None = None):
    """Two classes; the score of class 0 is the confidence, and the label is 0 where the answer is right."""
    n = len(confidence)
    proba = np.column_stack([confidence, 1 - confidence])
    fold = np.full(n, SHIPPED) if shipped else np.arange(n) % 5
    units = np.arange(n) if unit is None else unit
    return Evidence(proba, proba, (~right).astype(int), fold, units, unit is not None, not shipped)


def simulated(n: int, rng: np.random.Generator, gap: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and answers that are right with that probability less a gap."""
    score = 0.5 + 0.5 * rng.beta(4, 0.35, n)
    return score, rng.random(n) < score - gap


def test_the_numbers_that_certify_99_percent() -> None:
    assert [least_accepted(0.99, 0.05, r) for r in (0, 1, 2)] == [299, 473, 628]
    assert least_accepted(0.95, 0.05) == 59


def test_299_right_answers_certify_and_298_do_not() -> None:
    score = np.linspace(0.5, 1, 299)
    assert certified(score, np.ones(299, bool), 0.99, 0.05) < 0.5
    assert certified(score[:298], np.ones(298, bool), 0.99, 0.05) == np.inf


@pytest.mark.parametrize(("n", "target"), [(480, 0.95), (2000, 0.99), (2000, 0.95)])
def test_the_true_accuracy_falls_below_the_target_as_rarely_as_promised(n: int, target: float) -> None:
    rng = np.random.default_rng(n)
    big = np.sort(0.5 + 0.5 * rng.beta(4, 0.35, 200_000))[::-1]
    accuracy = np.cumsum(big) / np.arange(1, len(big) + 1)
    bad = 0
    for _ in range(400):
        threshold = certified(*simulated(n, rng), target, 0.05)
        above = int(np.searchsorted(-big, -threshold, side="left"))
        bad += above > 0 and accuracy[above - 1] < target
    # 5 % promised; 400 repeats have a standard error of 1.1 %
    assert bad / 400 <= 0.075


def test_the_rule_is_guaranteed_on_scores_of_the_shipped_model_only() -> None:
    score, right = simulated(3000, np.random.default_rng(0))
    own, folds = find_rule(evidence_of(score, right)), find_rule(evidence_of(score, right, shipped=False))
    assert (own.status, folds.status) == ("guaranteed", "estimated")
    assert "--calibration" in folds.words
    assert 0 < own.accepted < folds.accepted


def test_too_few_images_are_named_and_the_estimate_is_offered() -> None:
    rule = find_rule(evidence_of(np.linspace(0.5, 1, 200), np.ones(200, bool)), 0.99)
    assert rule.status == "estimated"
    assert "not certifiable with 200 images: 299 accepted without an error are the least" in rule.words


def test_a_target_out_of_reach_says_what_is_in_reach() -> None:
    rng = np.random.default_rng(2)
    rule = find_rule(evidence_of(rng.uniform(0.5, 1, 500), rng.random(500) < 0.9), 0.995)
    assert rule.status == "not certifiable"
    assert not rule.accepts(np.array([[1.0, 0.0]])).any()
    assert "is reached" in rule.words


def test_a_constant_score_accepts_all_or_nothing() -> None:
    right = np.arange(1000) % 50 > 0
    assert find_rule(evidence_of(np.full(1000, 0.8), right), 0.95).accepted == 1000
    assert find_rule(evidence_of(np.full(1000, 0.8), right), 0.99).accepted == 0


def test_one_image_per_group_is_drawn() -> None:
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(400), 5)
    right = np.repeat(rng.random(400) < 0.999, 5)
    score = rng.uniform(0.9, 1, 2000)
    assert find_rule(evidence_of(score, right, unit=unit), 0.98).status == "guaranteed"
    few = find_rule(evidence_of(score, right, unit=unit % 50), 0.98)
    assert few.status == "estimated"
    assert "50 groups" in few.words
    assert "no guarantee with 10 groups" in find_rule(evidence_of(score, right, unit=unit % 10), 0.98).words


def test_a_rare_class_needs_its_own_bound() -> None:
    rng = np.random.default_rng(4)
    y = (rng.random(6000) < 0.02).astype(int)
    proba = np.where(rng.random(6000) < 0.5, 0.99, 0.97)
    proba = np.column_stack([proba, 1 - proba])  # everything is called common
    evidence = Evidence(proba, proba, y, np.full(6000, SHIPPED), np.arange(6000), False, False)
    overall, each = find_rule(evidence, 0.95), find_rule(evidence, 0.95, per_class=True)
    assert overall.status == each.status == "guaranteed"
    assert each.threshold[1] == np.inf


def test_the_mix_to_come_decides() -> None:
    rng = np.random.default_rng(5)
    y = np.repeat([0, 1], 2000)
    right = np.where(y == 0, True, rng.random(4000) < 0.8)
    given = np.where(right, y, 1 - y)
    score = rng.uniform(0.8, 1, 4000)
    proba = np.where(given[:, None] == [0, 1], score[:, None], 1 - score[:, None])
    evidence = Evidence(proba, proba, y, np.full(4000, SHIPPED), np.arange(4000), False, False)
    even = find_rule(evidence, 0.97)
    common = find_rule(evidence, 0.97, prevalence=np.array([0.98, 0.02]))
    assert even.status != "guaranteed"
    assert common.status == "guaranteed"
    assert "the mix of classes given" in common.words


def test_the_estimated_threshold_lies_between_two_scores() -> None:
    score = np.array([0.9, 0.8, 0.8, 0.7])
    right = np.array([True, True, True, False])
    threshold = estimated(score, right, np.ones(4), 0.75)
    assert threshold == 0.7
    assert (score > threshold).sum() == 3


def test_intervals_agree_with_scipy() -> None:
    for errors, n in ((0, 30), (3, 200), (30, 30)):
        theirs = binomtest(errors, n).proportion_ci(method="exact")
        assert exact_interval(errors, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert exact_interval(0, 0) == (0.0, 1.0)
