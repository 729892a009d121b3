"""How many labels are wrong: the confident joint, and the share with its interval."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from tests.label_errors.joint import confident_joint, confident_thresholds
from tests.label_errors.test_ranking import Floats, Ints, World

from graticule.label_errors.noise import estimate_noise


def by_hand(proba: Floats, y: Ints) -> Ints:
    """The confident joint, image by image."""
    k = proba.shape[1]
    threshold = [np.mean([p[j] for p, label in zip(proba, y, strict=True) if label == j]) for j in range(k)]
    joint = np.zeros((k, k), dtype=np.int64)
    for p, label in zip(proba, y, strict=True):
        reached = [j for j in range(k) if p[j] >= threshold[j] - 1e-12]
        if reached:
            joint[label, reached[int(np.argmax([p[j] for j in reached]))]] += 1
    return joint


@pytest.mark.parametrize("seed", range(6))
def test_confident_joint_is_that_of_the_paper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(5, 0.4), 300)
    y = np.array([rng.choice(5, p=p) for p in proba])
    joint = confident_joint(proba, y)
    assert joint.tolist() == by_hand(proba, y).tolist()
    assert joint.sum() <= 300


def test_confident_joint_agrees_with_cleanlab_where_definitions_agree() -> None:
    count: Any = importlib.import_module("cleanlab.count")
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.full(4, 0.15), 400)
    y = np.array([rng.choice(4, p=p) for p in proba])
    assert np.allclose(confident_thresholds(proba, y), count.get_confident_thresholds(y, proba))
    # cleanlab counts an image that reaches several thresholds for the likeliest class, even one below its threshold
    reached = proba >= confident_thresholds(proba, y)
    plain = reached[np.arange(400), proba.argmax(axis=1)] | (reached.sum(axis=1) < 2)
    theirs = count.compute_confident_joint(y, proba, calibrate=False)
    assert abs(confident_joint(proba, y) - theirs).sum() <= 2 * (~plain).sum()


def test_a_class_without_a_label_has_no_threshold() -> None:
    proba = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    assert confident_thresholds(proba, np.array([0, 1, 0])).tolist() == pytest.approx([0.65, 0.7, np.inf])


def test_the_interval_covers_the_planted_share() -> None:
    covered = []
    for seed in range(60):
        world = World(seed, n=800, spread=0.3)
        y, _ = world.labels(0.05)
        noise = estimate_noise(world.proba, y)
        covered.append(noise.low <= 0.05 <= noise.high)
    assert np.mean(covered) >= 0.9


def test_wrong_groups_widen_the_interval_and_few_groups_have_none() -> None:
    world = World(3, n=1200, spread=0.3)
    unit = np.arange(1200) // 20
    y = np.where(np.isin(unit, [4, 9, 33]), (world.truth + 1) % 4, world.truth)
    single, grouped = estimate_noise(world.proba, y), estimate_noise(world.proba, y, unit)
    assert grouped.share == single.share
    assert grouped.high - grouped.low > 1.5 * (single.high - single.low)
    assert np.isnan(estimate_noise(world.proba, y, unit % 5).low)


def test_pairs_name_the_planted_confusion() -> None:
    world = World(5, spread=0.3)
    y = world.truth.copy()
    y[np.flatnonzero(world.truth == 2)[:40]] = 1
    label, shown, rate, low, high = estimate_noise(world.proba, y).pairs()[0]
    assert (label, shown) == (1, 2)
    assert low <= 40 / (world.truth == 2).sum() <= high
    assert low <= rate <= high
