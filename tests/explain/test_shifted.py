"""Moved pictures: the mean of their coarse maps tells places of half a cell apart, and nothing moves away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graticule.explain.shifted import MOVES, PARTS, laid_together, moved

SIDE, CELLS = 128, 4


def coarse(pixels: Any) -> Any:
    """A network with cells of 32 pixels that sees redness: mean of each cell, shape (N, 4, 4)."""
    blocks = pixels[..., 0].reshape(len(pixels), CELLS, SIDE // CELLS, CELLS, SIDE // CELLS)
    return blocks.mean(axis=(2, 4))


def spot(row: int, column: int) -> Any:
    pixels = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    pixels[0, row - 3 : row + 3, column - 3 : column + 3, 0] = 255
    return pixels


@pytest.mark.parametrize(("row", "column"), [(48, 48), (32, 96), (80, 64), (64, 16), (112, 112), (4, 64)])
def test_a_spot_is_found_in_its_half_cell(row: int, column: int) -> None:
    pixels = spot(row, column)
    found = laid_together([coarse(one) for one in moved(pixels, CELLS)])[0]
    cell = SIDE // (PARTS * CELLS)
    best = np.argwhere(found == found.max())
    assert len(best) <= 9  # of 256 cells; a single map leaves 16 that are alike, moved ones 4, more at the rim
    centre = (best.mean(axis=0) + 0.5) * cell
    assert np.abs(centre - (row, column)).max() <= SIDE / CELLS / 4 + cell / 2


def test_moves_go_where_they_say() -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    step = SIDE // (PARTS * CELLS)
    for one, (down, right) in zip(moved(pixels, CELLS), MOVES, strict=True):
        assert one.shape == pixels.shape
        assert (one[:, 40, 50] == pixels[:, 40 + step * down, 50 + step * right]).all()


def test_a_level_map_keeps_its_total() -> None:
    level = np.full((2, 3, CELLS, CELLS), 0.5)
    found = laid_together([level] * len(MOVES))
    assert found.shape == (2, 3, PARTS * CELLS, PARTS * CELLS)
    np.testing.assert_allclose(found.sum(axis=(-2, -1)), level.sum(axis=(-2, -1)))
    np.testing.assert_allclose(found, found[0, 0, 0, 0])
