"""The eight symmetries of the square: each is undone by its inverse, and shifts turn with the plane."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.split.duplicates.symmetry import (
    SYMMETRIES,
    describe_change,
    each_symmetric,
    inverse,
    symmetric,
    turned_shift,
)

PICTURE = np.random.default_rng(0).normal(size=(9, 9)).astype(np.float32)


@pytest.mark.parametrize("symmetry", range(SYMMETRIES))
def test_the_inverse_undoes_a_symmetry(symmetry: int) -> None:
    np.testing.assert_array_equal(symmetric(symmetric(PICTURE, symmetry), inverse(symmetry)), PICTURE)


def test_the_eight_are_different_and_may_be_applied_one_to_each_picture() -> None:
    made = each_symmetric(np.repeat(PICTURE[None], SYMMETRIES, axis=0), np.arange(SYMMETRIES))
    assert len({picture.tobytes() for picture in made}) == SYMMETRIES
    np.testing.assert_array_equal(made[5], symmetric(PICTURE, 5))


@pytest.mark.parametrize("symmetry", range(SYMMETRIES))
def test_a_shift_turns_as_the_point_that_it_moves(symmetry: int) -> None:
    point = np.zeros((9, 9), np.float32)
    point[4 + 1, 4 + 3] = 1
    ((down, right),) = turned_shift(np.array([[1.0, 3.0]], np.float32), symmetry)
    ((row, column),) = np.argwhere(symmetric(point, symmetry))
    assert (row - 4, column - 4) == (down, right)


def test_words_name_a_turn_that_stands_out_and_no_turn_of_a_round_object() -> None:
    still = np.zeros(4, np.float32)
    one = np.full(SYMMETRIES, 0.1, np.float32)
    one[inverse(1)] = 0.99
    assert describe_change(one, still) == "rotated by 90 degrees"
    assert "perhaps rotated or mirrored" in describe_change(np.full(SYMMETRIES, 0.95, np.float32), still)
