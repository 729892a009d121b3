"""Groups: counts per group and cell, and weights that pair two models."""

from __future__ import annotations

import numpy as np

from graticule.arrays import object_array
from graticule.statistics.groups import Groups, bootstrap_weights


def made(n: int, n_groups: int) -> Groups:
    return Groups(np.arange(n) % n_groups, object_array([f"g{i}" for i in range(n_groups)]))


def test_counts_are_those_of_a_loop() -> None:
    cells = np.random.default_rng(0).integers(4, size=50)
    groups = made(50, 7)
    expected = [[sum(cells[groups.codes == g] == c) for c in range(4)] for g in range(7)]
    np.testing.assert_array_equal(groups.count(cells, 4), expected)
    assert len(groups) == 7


def test_samples_are_drawn_within_classes_and_groups_whole() -> None:
    y = np.arange(60) % 3
    plain = np.concatenate(list(bootstrap_weights(y, None, 40, 1)))
    for k in range(3):
        np.testing.assert_allclose(plain[:, y == k].sum(axis=1), 20.0)
    groups = made(60, 12)
    whole = np.concatenate(list(bootstrap_weights(y, groups, 40, 1)))
    np.testing.assert_array_equal(whole, whole[:, :12][:, groups.codes])
    np.testing.assert_allclose(whole.sum(axis=1), 60.0)


def test_one_seed_pairs_two_models() -> None:
    y = np.arange(30) % 2
    for groups in (None, made(30, 10)):
        a, b, other = (np.concatenate(list(bootstrap_weights(y, groups, 10, seed))) for seed in (4, 4, 5))
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, other)
