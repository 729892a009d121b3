"""Labels, scores and groups are checked before anything is measured on them."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.evaluate.sampling import checked_arrays, checked_groups
from graticule.predictions import Predictions


def scored(labels: list[str], proba: np.ndarray) -> Predictions:
    names = object_array([f"{i}.png" for i in range(len(labels))])
    part = object_array(["cv"] * len(labels))
    return Predictions(names, names, part, np.zeros(len(labels), int), object_array(labels), ("b", "a"), proba)


def test_labels_become_places_and_rounding_is_taken_off() -> None:
    y, proba = checked_arrays(scored(["a", "b"], np.array([[1.0 + 5e-7, 0.0], [0.25, 0.75]])))
    assert y.tolist() == [1, 0]
    assert proba.tolist() == [[1.0, 0.0], [0.25, 0.75]]


def test_what_is_no_probability_is_named_by_its_first_image() -> None:
    for bad in (-0.1, 1.1, np.nan):
        with pytest.raises(RunError, match=r"1 of 2 rows .* the first is 1\.png"):
            checked_arrays(scored(["a", "b"], np.array([[0.5, 0.5], [bad, 0.5]])))
    with pytest.raises(RunError, match="labels plate are not among"):
        checked_arrays(scored(["plate"], np.array([[0.5, 0.5]])))


def test_groups_are_numbered_in_the_order_of_their_names() -> None:
    groups = checked_groups(object_array(["p2", "p10", "p2"]), 3)
    assert groups is not None
    assert groups.names.tolist() == ["p10", "p2"]
    assert groups.codes.tolist() == [1, 0, 1]
    assert checked_groups(None, 3) is None
    with pytest.raises(RunError, match="1 of them empty"):
        checked_groups(object_array(["a", "", "b"]), 3)
