"""Coarse maps made finer by moving the picture: evidence of the same network, read with its cells laid elsewhere.

A network that ends at a stride of 32 pixels divides a picture of 128 pixels into 4 x 4 cells. Moved by a quarter of a
cell up or down and left or right, the four pictures have cells that overlap by half: the mean of their maps, each moved
back, tells places of half a cell apart, as shift-and-add resolves what single coarse images cannot (Ur and Gross,
"Improved resolution from subpixel shifted pictures", 1992). What enters at the rim is the picture mirrored.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from graticule.arrays import FloatArray, Pixels

COARSE = 12  # fewer cells along a side are made finer
PARTS = 4  # a picture is moved by this part of a cell
MOVES = tuple(itertools.product((-1, 1), repeat=2))


def moved(pixels: Pixels, cells: int) -> Iterator[Pixels]:
    """The pictures moved by each of `MOVES`: row r shows what was at row r + the move.

    Parameters
    ----------
    pixels : uint8 array, shape (N, S, S, 3)
    cells : int
        Along each side of the map.
    """
    side = pixels.shape[1]
    step = max(1, round(side / (PARTS * cells)))
    wide = np.pad(pixels, ((0, 0), (step, step), (step, step), (0, 0)), mode="reflect")
    for down, right in MOVES:
        top, left = step * (1 + down), step * (1 + right)
        yield np.ascontiguousarray(wide[:, top : top + side, left : left + side])


def laid_together(maps: list[FloatArray]) -> FloatArray:
    """Mean of the maps of `moved` pictures, each moved back.

    Parameters
    ----------
    maps : list of arrays, shape (..., g, g)
        In the order of `MOVES`.

    Returns
    -------
    float array, shape (..., 4 g, 4 g)
        As evidence per cell: a map that is the same everywhere keeps its total.
    """
    cells = PARTS * maps[0].shape[-1]
    total, covers = np.zeros((*maps[0].shape[:-2], cells, cells)), np.zeros((cells, cells))
    for one, (down, right) in zip(maps, MOVES, strict=True):
        fine = one.repeat(PARTS, axis=-2).repeat(PARTS, axis=-1) / PARTS**2
        here = _inside(cells, down), _inside(cells, right)
        there = _inside(cells, -down), _inside(cells, -right)
        total[..., here[0], here[1]] += fine[..., there[0], there[1]]
        covers[here] += 1
    return np.asarray(total / covers)


def _inside(cells: int, move: int) -> slice:
    """Cells that stay in sight when all are moved on by `move`."""
    return slice(max(move, 0), cells + min(move, 0))
