"""Numbers for names: groups in their order, classes in the order given."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.arrays import class_codes, numbered, object_array


@pytest.mark.parametrize("values", [["b", "a", "b", "ä"], [7, -1, 7, 30], [2.5, 2.5]])
def test_numbers_are_places_among_the_sorted_different_values(values: list[object]) -> None:
    codes = numbered(values)
    assert codes.dtype == np.int64
    assert codes.tolist() == [sorted(set(values)).index(value) for value in values]  # type: ignore[type-var]


def test_numbers_of_nothing_and_of_a_column() -> None:
    assert numbered(np.empty(0, np.int64)).shape == (0,)
    assert numbered(np.array([[3], [1]])).tolist() == [1, 0]


def test_classes_are_numbered_as_they_are_given() -> None:
    labels = object_array(["fibre", "Zeolite", "fibre"])
    assert class_codes(labels, ("fibre", "Zeolite")).tolist() == [0, 1, 0]
    assert class_codes(labels.astype(str), ("Zeolite", "fibre")).tolist() == [1, 0, 1]
    assert class_codes(object_array([]), ("a",)).dtype == np.int64
    with pytest.raises(KeyError):
        class_codes(["plate"], ("fibre",))
