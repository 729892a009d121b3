"""Nearest neighbours against a full sort of all distances."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.features import neighbours
from graticule.features.neighbours import most_alike, nearest, neighbour_pairs


def unit_rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def brute(rows: np.ndarray, k: int) -> set[tuple[int, int]]:
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, -np.inf)
    best = np.argsort(-likeness, axis=1)[:, :k]
    return {(min(i, int(j)), max(i, int(j))) for i in range(len(rows)) for j in best[i]}


@pytest.mark.parametrize(("n", "k"), [(2, 1), (30, 3), (900, 4), (5, 9)])
def test_exact_pairs_are_those_of_a_full_sort(n: int, k: int) -> None:
    rows = unit_rows(n, 12)
    pairs = neighbour_pairs(rows, rows, k)
    assert {tuple(pair) for pair in pairs.tolist()} == brute(rows, min(k, n - 1))
    assert (np.diff(pairs[:, 0] * n + pairs[:, 1]) > 0).all()


def test_cells_find_nearly_all_neighbours_of_rows_in_bunches(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    bunches = np.repeat(unit_rows(100, 24), 20, axis=0) + 0.15 * rng.normal(size=(2000, 24))
    rows = (bunches / np.linalg.norm(bunches, axis=1, keepdims=True)).astype(np.float32)
    exact = {tuple(pair) for pair in neighbour_pairs(rows, rows, 5).tolist()}
    monkeypatch.setattr(neighbours, "EXACT_BELOW", 100)
    found = {tuple(pair) for pair in neighbour_pairs(rows, rows, 5).tolist()}
    assert len(found & exact) > 0.97 * len(exact)
    assert (neighbour_pairs(rows, rows, 5) == neighbour_pairs(rows, rows, 5)).all()


def test_one_row_has_no_neighbour() -> None:
    assert neighbour_pairs(unit_rows(1, 4), unit_rows(1, 4), 3).shape == (0, 2)


def test_most_alike_is_the_stable_order_of_all_columns() -> None:
    likeness = np.random.default_rng(2).normal(size=(20, 50))
    np.testing.assert_array_equal(most_alike(likeness, 6), np.argsort(-likeness, axis=1, kind="stable")[:, :6])
    assert most_alike(np.array([[0.5, 2.0, 2.0, 0.1]]), 3).tolist() == [[1, 2, 0]]


def test_nearest_is_by_distance_and_copies_come_in_order() -> None:
    rng = np.random.default_rng(3)
    reference, asked = rng.normal(size=(40, 6)).astype(np.float32), rng.normal(size=(5, 6)).astype(np.float32)
    distance = np.linalg.norm(asked[:, None] - reference[None], axis=2)
    np.testing.assert_array_equal(nearest(reference, asked), np.argsort(distance, axis=1)[:, :3])
    assert nearest(reference[:2], asked, 3).shape == (5, 2)
    copies = np.repeat(reference[:1], 3, axis=0)
    assert nearest(copies, asked[:1]).tolist() == [[0, 1, 2]]
