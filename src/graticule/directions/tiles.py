"""Tiles of a picture: pixels of one tile are not independent, tiles nearly are. What chance gives follows from them."""

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.directions.distribution import moment

MOST_PER_SIDE, LEAST_PER_SIDE = 8, 3  # tiles along the side of a square picture
_SCALES_WIDE = 16.0  # a tile is so many times sigma wide at least, so that what one pixel says reaches few tiles
_SEED = 20261201
_DRAWS = 4000


def tiles_per_side(shape: tuple[int, ...], sigma: float) -> int:
    """How many tiles along the side of a picture of so many pixels, for gradients of a scale."""
    wide = int(np.sqrt(shape[0] * shape[1]) / (_SCALES_WIDE * sigma))
    return min(MOST_PER_SIDE, max(LEAST_PER_SIDE + 1, wide))


def tile_numbers(shape: tuple[int, int], per_side: int) -> IntArray:
    """Number of the tile of each place, shape (r, c): near squares, some `per_side` squared of them."""
    side = max(1.0, np.sqrt(shape[0] * shape[1]) / per_side)
    rows, columns = (max(1, round(length / side)) for length in shape)
    row = np.arange(shape[0]) * rows // max(shape[0], 1)
    column = np.arange(shape[1]) * columns // max(shape[1], 1)
    return np.asarray(row[:, None] * columns + column, dtype=np.int64)


def in_larger_tiles(tiles: FloatArray, numbers: IntArray, coarse: IntArray) -> FloatArray:
    """Sums of tiles by the larger tile that most of their places lie in.

    Parameters
    ----------
    tiles : float array, shape (T, d)
    numbers, coarse : int arrays, shape (r, c)
        Numbers of small and of large tiles.
    """
    large = int(coarse.max()) + 1
    shared = np.bincount(numbers.ravel() * large + coarse.ravel(), minlength=len(tiles) * large)
    home = shared.reshape(len(tiles), large).argmax(axis=1)
    out = np.zeros((large, tiles.shape[1]))
    np.add.at(out, home, tiles)
    return out


def resampled(tiles: FloatArray, n_boot: int) -> FloatArray:
    """Sums over tiles drawn with replacement, shape (n_boot, d); the same draws each time.

    Parameters
    ----------
    tiles : float array, shape (T, d)
        Tiles without weight are left out.
    n_boot : int
    """
    used = tiles[tiles.sum(axis=1) > 0]
    if not len(used):
        return np.zeros((n_boot, tiles.shape[1]))
    n = len(used)
    picks = np.random.default_rng(_SEED).integers(n, size=(n_boot, n))
    times = np.bincount((picks + n * np.arange(n_boot)[:, None]).ravel(), minlength=n * n_boot).reshape(n_boot, n)
    return np.asarray(times @ used)


def chance_of(tiles: FloatArray, order: int = 2) -> float:
    """How often tiles that point anywhere, each on its own, have a sum at least as long as these: a p-value.

    Rayleigh's test with weights: each tile's vector (its weight times its moment) is turned at random, and the
    length of the sum compared. It asks nothing of noise or of how far neighbouring pixels are alike within a tile.

    Parameters
    ----------
    tiles : float array, shape (T, 180)
    order : int
        Of the moment: 2 for a direction, 4 for two that cross at right angles too.

    Returns
    -------
    float
        From 0 to 1; 1 without weight.
    """
    vectors = moment(tiles, order) * tiles.sum(axis=1)
    lengths = np.abs(vectors)
    lengths = lengths[lengths > 0]
    if not len(lengths):
        return 1.0
    seen = abs(vectors.sum())
    # far out the draws say nothing, and the sum of many is nearly normal
    tail = float(np.exp(-(seen**2) / (lengths**2).sum()))
    if tail < 1e-4 and len(lengths) > 12:
        return tail
    turns = np.random.default_rng(_SEED).uniform(0, 2 * np.pi, size=(_DRAWS, len(lengths)))
    drawn = np.abs((lengths * np.exp(1j * turns)).sum(axis=1))
    return float((1 + (drawn >= seen).sum()) / (1 + _DRAWS))
