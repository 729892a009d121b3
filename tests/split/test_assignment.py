"""Placing units in bins: every class in every bin, and no bin much fuller than its share."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.split.assignment import assign, class_totals


def test_totals_are_of_classes_by_bin() -> None:
    counts = np.array([[2, 0], [1, 1], [0, 3]])
    assert class_totals(counts, np.array([0, 1, 1]), 3).tolist() == [[2, 0], [1, 4], [0, 0]]


@pytest.mark.parametrize("seed", range(4))
def test_single_samples_are_spread_to_within_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = np.eye(3, dtype=np.int64)[np.repeat([0, 1, 2], [20, 11, 5])]
    totals = class_totals(counts, assign(counts, np.full(4, 0.25), rng), 4)
    assert np.abs(totals - np.array([20, 11, 5]) / 4).max() <= 1


def test_shares_are_kept_and_the_same_generator_gives_the_same_places() -> None:
    counts = np.random.default_rng(1).integers(0, 4, (60, 2)) + np.eye(2, dtype=np.int64)[np.arange(60) % 2]
    weights = np.array([0.5, 0.3, 0.2])
    place = assign(counts, weights, np.random.default_rng(0))
    totals = class_totals(counts, place, 3)
    assert totals / counts.sum(axis=0) == pytest.approx(np.repeat(weights[:, None], 2, axis=1), abs=0.03)
    assert assign(counts, weights, np.random.default_rng(0)).tolist() == place.tolist()


def test_a_class_of_as_many_units_as_bins_has_one_in_each() -> None:
    counts = np.array([[5, 0]] * 6 + [[3, 1]] * 3)
    totals = class_totals(counts, assign(counts, np.full(3, 1 / 3), np.random.default_rng(0)), 3)
    assert totals[:, 1].tolist() == [1, 1, 1]
