"""Units of a split: joined by group or by pixels, numbered by their first sample."""

from __future__ import annotations

import numpy as np

from graticule.arrays import object_array
from graticule.split.components import class_counts, components, joined, number_by_appearance


def test_groups_and_duplicates_join_through_each_other() -> None:
    group = object_array(["x", "x", "y", "", "", "z"])
    duplicates = np.array([7, 3, 3, 9, -1, -1])
    assert components(6, group, duplicates).tolist() == [0, 0, 0, 1, 2, 3]
    assert components(6, group, None).tolist() == [0, 0, 1, 2, 3, 4]
    assert components(6, None, duplicates).tolist() == [0, 1, 1, 2, 3, 4]
    assert components(3, None, None).tolist() == [0, 1, 2]


def test_pairs_chain() -> None:
    found = joined(6, np.array([[0, 3], [3, 5], [1, 2]]))
    assert found[0] == found[3] == found[5]
    assert found[1] == found[2]
    assert len(set(found.tolist())) == 3


def test_numbers_go_by_the_first_sample() -> None:
    assert number_by_appearance(np.array([9, 4, 9, 7, 4])).tolist() == [0, 1, 0, 2, 1]


def test_classes_are_counted_by_unit() -> None:
    assert class_counts(np.array([0, 1, 0, 1]), np.array([2, 0, 2, 1]), 3).tolist() == [[0, 0, 2], [1, 1, 0]]
