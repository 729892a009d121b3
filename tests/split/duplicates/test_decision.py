"""Which pairs stand out from all others: copies with a gap behind them, not members of a crowd of one sort."""

from __future__ import annotations

import numpy as np

from graticule.split.duplicates.decision import crowded


def test_images_with_many_near_candidates_are_worth_a_farther_look() -> None:
    pairs = np.array([[0, 1], [0, 2], [0, 3], [4, 5]])
    near = np.full(4, 0.99, np.float32)
    assert crowded(pairs, near, 6, 3).tolist() == [0]
    assert crowded(pairs, near, 6, 1).tolist() == [0, 1, 2, 3, 4, 5]
    assert crowded(pairs, np.full(4, 0.5, np.float32), 6, 1).tolist() == []
