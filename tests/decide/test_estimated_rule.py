"""The estimated rule: what it keeps in new groups, by simulation; its limits; words about what is in reach."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.acceptance import find_rule
from graticule.decide.decisions import expected_errors
from graticule.decide.estimated_rule import GROUP_LEVEL, accuracy_in_new_groups, estimated, loosest, reachable
from graticule.decide.evidence import Evidence
from graticule.statistics.intervals import cluster_t

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def in_groups(n_groups: int, size: int, rng: np.random.Generator) -> Drawn:
    """Best scores, chances of being right, and groups: each group errs by a factor of its own, one in 20 ten times."""
    unit = np.repeat(np.arange(n_groups), rng.integers(size // 2, size * 3 // 2, n_groups))
    factor = np.where(rng.random(n_groups) < 0.05, 10.0, np.exp(rng.normal(0, 0.8, n_groups)))
    score = 0.5 + 0.5 * rng.beta(4, 0.35, len(unit))
    return score, np.clip(1 - factor[unit] * (1 - score), 0, 1), unit


@pytest.mark.parametrize(("n_groups", "target"), [(14, 0.98), (14, 0.95), (40, 0.98)])
def test_what_is_accepted_in_new_groups_is_as_accurate_as_asked(n_groups: int, target: float) -> None:
    rng = np.random.default_rng(n_groups)
    score, chance, _ = in_groups(3000, 60, rng)
    order = np.argsort(-score)
    ranked, errors = -score[order], np.append(0.0, np.cumsum(1 - chance[order]))
    pooled = {True: np.zeros(2), False: np.zeros(2)}
    for _ in range(60):
        seen, chance, unit = in_groups(n_groups, 60, rng)
        right = rng.random(len(seen)) < chance
        for grouped, total in pooled.items():
            threshold = loosest(seen, right, np.ones(len(seen)), unit if grouped else None, target)
            above = int(np.searchsorted(ranked, -threshold, side="left"))
            total += (above, errors[above])
    accuracy = {grouped: 1 - wrong / accepted for grouped, (accepted, wrong) in pooled.items()}
    # with groups taken for what they are the target is kept; images taken for independent fall short of that
    assert accuracy[True] >= target
    assert accuracy[True] > accuracy[False]
    assert pooled[True][0] > 0.3 * pooled[False][0]


def test_the_limit_is_that_of_a_share_in_groups() -> None:
    score, chance, unit = in_groups(12, 40, np.random.default_rng(0))
    right = np.random.default_rng(1).random(len(score)) < chance
    thresholds, low = accuracy_in_new_groups(score, right, np.ones(len(score)), unit)
    assert (np.diff(thresholds) < 0).all()
    assert thresholds[-1] == -1.0
    for i in (30, -1):
        accepted = score > thresholds[i]
        counts = [np.bincount(unit[mask], minlength=13).astype(float) for mask in (accepted & right, accepted)]
        plain = float(cluster_t(*counts, GROUP_LEVEL)[0])
        counts[1][12] = 1.0  # one error of one more group
        assert low[i] == pytest.approx(min(plain, float(cluster_t(*counts, GROUP_LEVEL)[0])), abs=1e-12)


def test_order_names_and_weight_of_the_whole_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    score, chance, unit = in_groups(20, 40, rng)
    right, order = rng.random(len(score)) < chance, rng.permutation(len(score))
    found = loosest(score, right, np.ones(len(score)), unit, 0.95)
    again = loosest(score[order], right[order], np.full(len(score), 7.0), 100 - unit[order], 0.95)
    assert np.isfinite(found)
    assert found == again


def test_one_image_to_a_group_is_judged_nearly_as_images_are() -> None:
    rng = np.random.default_rng(3)
    score = 0.5 + 0.5 * rng.beta(4, 0.35, 3000)
    right = rng.random(3000) < score
    plain = estimated(score, right, np.ones(3000), 0.98)
    single = loosest(score, right, np.ones(3000), np.arange(3000), 0.98)
    assert single >= plain
    assert (score > plain).mean() - (score > single).mean() < 0.06


def test_few_groups_reach_little_even_without_an_error() -> None:
    score, right = np.linspace(0.5, 1, 600), np.ones(600, bool)
    weight = np.ones(600)
    assert np.isfinite(estimated(score, right, weight, 0.99))
    assert loosest(score, right, weight, np.zeros(600, int), 0.5) == np.inf
    assert loosest(score, right, weight, np.arange(600) % 3, 0.99) == np.inf
    assert np.isfinite(loosest(score, right, weight, np.arange(600) % 60, 0.99))
    assert loosest(score[:0], right[:0], weight[:0], np.zeros(0, int), 0.9) == np.inf


def test_a_group_that_errs_counts_as_one_of_few() -> None:
    unit = np.repeat(np.arange(15), 100)
    right = np.ones(1500, bool)
    score = np.random.default_rng(4).uniform(0.6, 1, 1500)
    right[:12] = False  # 12 errors of 1,500, all of them in one group
    spread = np.ones(1500, bool)
    spread[::125] = False  # 12 errors in 12 groups
    weight = np.ones(1500)
    reached = [score > loosest(score, truth, weight, unit, 0.985) for truth in (right, spread)]
    assert reached[0].mean() < reached[1].mean()


def test_expected_errors_in_groups_have_wider_limits() -> None:
    rng = np.random.default_rng(5)
    score, chance, unit = in_groups(30, 60, rng)
    y = (rng.random(len(score)) >= chance).astype(int)
    proba = np.column_stack([score, 1 - score])
    fold = np.arange(len(y)) % 5
    images = find_rule(Evidence(proba, proba, y, fold, np.arange(len(y)), False, True), 0.9)
    groups = find_rule(Evidence(proba, proba, y, fold, unit, True, True), 0.9)
    few = find_rule(Evidence(proba, proba, y, fold, unit % 6, True, True), 0.9)
    found = [expected_errors(rule, np.full(100, 0.99)) for rule in (images, groups, few)]
    assert [f["method"] for f in found] == ["clopper-pearson", "cluster-t", "too_few_groups"]
    assert found[1]["high"] - found[1]["low"] > found[0]["high"] - found[0]["low"]
    assert found[1]["low"] <= found[1]["value"] <= found[1]["high"]
    assert (found[2]["low"], found[2]["high"]) == (0.0, 100.0)


def test_what_is_in_reach_is_said_for_groups() -> None:
    n = 600
    proba = np.column_stack([np.linspace(0.6, 1, n), 1 - np.linspace(0.6, 1, n)])
    evidence = Evidence(proba, proba, np.zeros(n, int), np.arange(n) % 5, np.arange(n) % 8, True, True)
    rule = find_rule(evidence, 0.995)
    assert rule.status == "not certifiable"
    assert "no threshold reaches 99.50% on the 8 groups at hand, allowing for how they differ" in rule.words
    assert "is reached, with 100% accepted" in rule.words
    one = reachable(proba[:, 0], np.ones(n, bool), np.ones(n), np.zeros(n, int))
    assert one == "not even 50 % is reached"
