"""Neighbours that have a say on a label."""

from __future__ import annotations

import numpy as np
import pytest
from tests.label_errors.test_ranking import World

from graticule.label_errors.neighbours import find_neighbours


def test_neighbours_are_of_other_folds_and_an_own_label_has_no_say() -> None:
    world = World(4, n=400)
    y = world.truth.copy()
    before = find_neighbours(world.features, y, world.fold, 4)
    assert (world.fold[before.row] != world.fold[:, None]).all()
    assert before.votes.sum(axis=1) == pytest.approx(np.ones(400))
    changed = y.copy()
    changed[7] = (y[7] + 1) % 4
    after = find_neighbours(world.features, changed, world.fold, 4)
    assert after.row[7].tolist() == before.row[7].tolist()
    assert after.votes[7].tolist() == before.votes[7].tolist()


def planted(n: int = 240) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of three separate classes, one direction of large noise; labels; folds."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    features = np.abs(rng.normal(size=(n, 12)) + 6 * np.eye(12)[y]).astype(np.float32)
    features[:, 11] = 40 * rng.random(n)
    return features, y, np.arange(n) // 3 % 4


def test_neighbours_are_of_other_folds_and_of_the_own_class() -> None:
    features, y, fold = planted()
    found = find_neighbours(features, y, fold, 3, k=10)
    assert found.row.shape == (240, 10)
    assert (fold[found.row] != fold[:, None]).all()
    assert (y[found.row] == y[:, None]).mean() > 0.95
    np.testing.assert_allclose(found.votes.sum(axis=1), 1.0)
    assert (found.votes.argmax(axis=1) == y).mean() > 0.98


def test_a_wrong_label_is_outvoted() -> None:
    features, y, fold = planted()
    given = y.copy()
    given[7] = (y[7] + 1) % 3
    votes = find_neighbours(features, given, fold, 3, k=10).votes
    assert votes[7].argmax() == y[7]


def test_without_other_folds_there_are_none_and_votes_are_even() -> None:
    features, y, _ = planted(60)
    found = find_neighbours(features, y, np.zeros(60, int), 3, k=5)
    assert (found.row == -1).all()
    np.testing.assert_allclose(found.votes, 1 / 3)
