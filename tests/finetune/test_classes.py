"""Telling classes apart as the goal: sizes, the first last layer, temperature, answers."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.finetune.classes import ClassGoal  # noqa: E402

Y = np.repeat([0, 1, 3], [10, 4, 6])
GOAL = ClassGoal(Y, 4)


def test_the_largest_and_the_smallest_class_that_is_there() -> None:
    assert GOAL.class_sizes(np.arange(20)) == (10, 4)
    assert GOAL.class_sizes(np.arange(8, 20)) == (6, 2)
    assert GOAL.strata(np.array([0, 19]), np.array([5, 6])).tolist() == [0, 3]
    assert (GOAL.n_samples, GOAL.outputs, GOAL.last_layer.output) == (20, 4, "scores")


def test_the_first_layer_tells_apart_what_the_features_tell_apart() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    features = rng.normal(0, 0.3, (60, 7)) + 4 * np.eye(3, 7)[y] + 100
    weights, bias = ClassGoal(y, 3).first_layer(features, np.arange(60))
    assert ((features @ weights.T + bias).argmax(axis=1) == y).all()
    two, offset = ClassGoal(y % 2, 2).first_layer(features[y < 2], np.flatnonzero(y < 2))
    # half of the evidence for one class, half against the other
    np.testing.assert_allclose(two[0], -two[1])
    np.testing.assert_allclose(offset[0], -offset[1])


def test_the_temperature_cools_scores_that_claim_too_much() -> None:
    rng = np.random.default_rng(1)
    logits = 8 * (np.eye(4)[Y] * (rng.random(20) < 0.6)[:, None] + 0.5 * rng.random((20, 4)))
    temperature = GOAL.settle(logits, np.arange(20))
    assert 0 < temperature < 1
    answers = GOAL.answers(logits, temperature)
    assert answers.sum(axis=1) == pytest.approx(1)
    assert answers.max() < GOAL.answers(logits, 1.0).max()
