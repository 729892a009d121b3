"""Wrong labels planted and found again; the share of them; agreement with the definitions of confident learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.errors import OptionError
from graticule.label_errors.ranking import CUT_OFF, find_label_errors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class World:
    """Images of K classes as points; scores of a model that knows the classes' shapes but no label."""

    def __init__(self, seed: int, n: int = 1500, k: int = 4, spread: float = 0.33, d: int = 12) -> None:
        rng = np.random.default_rng(seed)
        self.truth = rng.integers(0, k, n)
        self.fold = rng.integers(0, 5, n)
        centre = np.zeros((k, d))
        centre[np.arange(k), np.arange(k)] = 1.0
        points = centre[self.truth] + spread * rng.normal(size=(n, d))
        self.features = (np.sign(points) * points**2).astype(np.float32)  # undone by the signed root
        # the model sees each point blurred, so that its mistakes and those of neighbours differ
        seen = points + 0.6 * spread * rng.normal(size=(n, d))
        distance = ((seen[:, None, :] - centre) ** 2).sum(axis=2)
        scores = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / (2 * spread**2))
        self.proba: Floats = scores / scores.sum(axis=1, keepdims=True)
        self.rng = rng

    def labels(self, share: float, to: int | None = None) -> tuple[Ints, NDArray[np.bool_]]:
        """Labels of which a share is wrong: any other class, or always the one `to` places further."""
        k = self.proba.shape[1]
        wrong = np.zeros(len(self.truth), bool)
        wrong[self.rng.choice(len(wrong), round(share * len(wrong)), replace=False)] = True
        step = self.rng.integers(1, k, len(wrong)) if to is None else np.full(len(wrong), to)
        return np.where(wrong, (self.truth + step) % k, self.truth), wrong


def precision(order: Ints, wrong: NDArray[np.bool_]) -> float:
    """Share of wrong labels among as many first ones of the list."""
    return float(wrong[order[: wrong.sum()]].mean())


def test_a_golden_number_of_bayes_rule() -> None:
    world = World(1)
    y, _ = world.labels(0.05)
    found = find_label_errors(world.proba, y)
    chance = found.noise.transition()
    assert chance.sum(axis=0) == pytest.approx(np.ones(4))
    for i in (0, 17, 400):
        joint = [chance[y[i], j] * found.pooled[i, j] for j in range(4)]
        assert found.score[i] == pytest.approx(1 - joint[y[i]] / sum(joint), abs=1e-9)


@pytest.mark.parametrize("to", [None, 1])
@pytest.mark.parametrize("seed", range(3))
def test_planted_errors_come_first_and_the_true_class_is_suggested(seed: int, to: int | None) -> None:
    world = World(seed)
    y, wrong = world.labels(0.06, to)
    found = find_label_errors(world.proba, y, features=world.features, fold=world.fold)
    plain = np.argsort(world.proba[np.arange(len(y)), y], kind="stable")
    assert precision(found.order, wrong) > precision(plain, wrong)
    hits = found.listed & wrong
    assert hits.sum() / found.listed.sum() > 0.75
    assert (found.suggested[hits] == world.truth[hits]).mean() > 0.85


def test_scores_are_probabilities_that_come_true() -> None:
    scores, truth = [], []
    for seed in range(8):
        world = World(seed)
        y, wrong = world.labels(0.08)
        scores.append(find_label_errors(world.proba, y, features=world.features, fold=world.fold).score)
        truth.append(wrong)
    score, wrong = np.concatenate(scores), np.concatenate(truth)
    assert score.min() >= 0.0
    assert score.max() <= 1.0
    for low, high in ((0.0, 0.1), (0.3, 0.7), (0.9, 1.01)):
        inside = (score >= low) & (score < high)
        assert abs(wrong[inside].mean() - score[inside].mean()) < 0.1


def test_neighbours_help() -> None:
    gain = []
    for seed in range(5):
        world = World(seed)
        y, wrong = world.labels(0.06)
        with_them = find_label_errors(world.proba, y, features=world.features, fold=world.fold)
        gain.append(precision(with_them.order, wrong) - precision(find_label_errors(world.proba, y).order, wrong))
    assert np.mean(gain) > 0.02


@pytest.mark.parametrize("share", [0.0, 0.02, 0.05, 0.1])
def test_the_share_of_wrong_labels_is_told_within_two_points(share: float) -> None:
    off = []
    for seed in range(6):
        world = World(seed, n=2000)
        y, _ = world.labels(share)
        noise = find_label_errors(world.proba, y, features=world.features, fold=world.fold).noise
        assert noise.low <= noise.share <= noise.high
        off.append(noise.share - share)
    assert max(map(abs, off)) < 0.02


def test_copies_under_two_labels_come_first_beside_each_other() -> None:
    world = World(2)
    y, _ = world.labels(0.05)
    copies = np.arange(len(y))
    a, b = np.flatnonzero(world.truth == 0)[:2]
    copies[b], world.proba[b], y[a], y[b] = copies[a], world.proba[a], 0, 3
    found = find_label_errors(world.proba, y, copies=copies)
    assert set(found.order[:2].tolist()) == {int(a), int(b)}
    assert found.conflict.sum() == 2
    assert found.listed[[a, b]].all()
    assert found.score[b] > CUT_OFF > found.score[a]
    assert found.suggested[b] == 0


def test_copies_under_one_label_are_no_conflict() -> None:
    world = World(2)
    y, _ = world.labels(0.0)
    copies = np.arange(len(y))
    pair = np.flatnonzero(y == 1)[:2]
    copies[pair[1]] = copies[pair[0]]
    assert not find_label_errors(world.proba, y, copies=copies).conflict.any()


def test_the_order_of_images_and_classes_does_not_matter() -> None:
    world = World(6, n=600)
    y, _ = world.labels(0.05)
    found = find_label_errors(world.proba, y, features=world.features, fold=world.fold)
    mix = np.random.default_rng(1).permutation(600)
    swap = np.array([2, 0, 3, 1])
    again = find_label_errors(
        world.proba[mix][:, np.argsort(swap)], swap[y[mix]], features=world.features[mix], fold=world.fold[mix]
    )
    assert again.score == pytest.approx(found.score[mix], abs=1e-3)
    assert (again.suggested == swap[found.suggested[mix]]).mean() > 0.99


def test_clean_and_certain_labels_are_left_alone() -> None:
    y = np.repeat([0, 1, 2], 60)
    proba = np.full((180, 3), 0.01)
    proba[np.arange(180), y] = 0.98
    proba += np.random.default_rng(0).uniform(0, 1e-3, proba.shape)
    found = find_label_errors(proba / proba.sum(axis=1, keepdims=True), y)
    assert not found.listed.any()
    assert found.noise.share == 0.0


BAD: dict[str, Callable[[World], dict[str, Any]]] = {
    "scores that are no numbers": lambda w: {"proba": np.where(np.arange(60)[:, None] == 3, np.nan, w.proba)},
    "the same scores": lambda w: {"proba": np.full((60, 4), 0.25)},
    "one label": lambda w: {"y": np.zeros(60, np.int64)},
    "features that are no numbers": lambda w: {"features": np.full((60, 12), np.nan, np.float32)},
    "one fold": lambda w: {"fold": np.zeros(60, np.int64)},
}


@pytest.mark.parametrize("fault", BAD)
def test_what_cannot_be_judged_is_said(fault: str) -> None:
    world = World(0, n=60)
    sound: dict[str, Any] = {"proba": world.proba, "y": world.truth, "features": world.features, "fold": world.fold}
    given = sound | BAD[fault](world)
    with pytest.raises(OptionError, match=fault):
        find_label_errors(given["proba"], given["y"], features=given["features"], fold=given["fold"])
