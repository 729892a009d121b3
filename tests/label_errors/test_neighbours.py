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
