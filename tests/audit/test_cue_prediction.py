"""A class told from a cue alone, on samples of other groups."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.audit.cue_prediction import permuted_labels, predict_from_cues
from graticule.statistics.association import Categorical


def test_labels_are_permuted_as_groups() -> None:
    units = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    y = units % 2
    drawn = permuted_labels(y, units, 50, np.random.default_rng(0))
    assert drawn.shape == (50, 12)
    assert all(len(set(row[units == g])) == 1 for row in drawn for g in range(4))
    assert (drawn.sum(axis=1) == 6).all()
    alone = permuted_labels(y, np.arange(12), 50, np.random.default_rng(0))
    assert (alone.sum(axis=1) == 6).all()
    assert len({tuple(row) for row in alone.tolist()}) > 40


def test_no_group_votes_for_itself() -> None:
    units = np.repeat(np.arange(8), 5)
    y = units % 2
    own = Categorical(units.astype(np.int64), 8)  # the group itself: perfect inside, unknown outside
    found = predict_from_cues([own, np.eye(8)[units]], y, units, seed=0, n_permutations=99)
    assert all(prediction.p_value > 0.05 for prediction in found)
    assert found[0].accuracy == pytest.approx(0.5)
