"""Nearest neighbours: the pairs of a set in bounded memory, exact or among the nearest cells, and few of few rows."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, IntArray

EXACT_BELOW = 30_000
_BLOCK_BYTES = 48 * 2**20
_CELLS = 1.0  # times the square root of the number of rows
_PROBES = 12
_PER_CELL = 60
_ROUNDS = 6
_PART = 8_192
_GROUP = 64


def neighbour_pairs(queries: Float32Array, base: Float32Array, k: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Pairs of rows (i, j), i < j, where base row j is among the k rows most like query i, or the other way round.

    Parameters
    ----------
    queries, base : float32 array, shape (n, d)
        Unit length; row i of both belongs to the same image, which is no neighbour of itself.
    k : int
        Neighbours per row, at least 1.
    seed : int
        Of the centres of the cells, which are used from `EXACT_BELOW` rows on: time grows with n ** 1.5 in place of
        n ** 2, and a neighbour may be missed.

    Returns
    -------
    int64 array, shape (pairs, 2)
        Each pair once, sorted.
    """
    n = len(base)
    if n < 2:
        return np.empty((0, 2), dtype=np.int64)
    search = _exact(queries, base, k) if n < EXACT_BELOW else _cells(queries, base, k, seed)
    codes = np.unique(np.concatenate([np.minimum(i, j) * n + np.maximum(i, j) for i, j in search]))
    return np.column_stack([codes // n, codes % n])


def _exact(queries: Float32Array, base: Float32Array, k: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    n = len(base)
    k = min(k, n - 1)
    block = max(1, _BLOCK_BYTES // (4 * n))
    for start in range(0, n, block):
        rows = np.arange(start, min(n, start + block))
        likeness = queries[rows] @ base.T
        likeness[np.arange(len(rows)), rows] = -np.inf
        yield np.repeat(rows, k), _top(likeness, k).ravel()


def _top(likeness: Float32Array, k: int) -> NDArray[np.int64]:
    """Columns of the k largest entries of each row; long rows by the maxima of groups first, which reads them once."""
    n_rows, n = likeness.shape
    groups = n // _GROUP
    if groups <= 4 * k:
        return np.argpartition(-likeness, k - 1, axis=1)[:, :k]
    whole = likeness[:, : groups * _GROUP].reshape(n_rows, groups, _GROUP)
    chosen = np.argpartition(-whole.max(axis=2), k - 1, axis=1)[:, :k]
    columns = (chosen[:, :, None] * _GROUP + np.arange(_GROUP)).reshape(n_rows, -1)
    rest = np.broadcast_to(np.arange(groups * _GROUP, n), (n_rows, n - groups * _GROUP))
    columns = np.concatenate([columns, rest], axis=1)
    values = np.take_along_axis(likeness, columns, axis=1)
    best = np.argpartition(-values, k - 1, axis=1)[:, :k]
    return np.take_along_axis(columns, best, axis=1)


def _cells(
    queries: Float32Array, base: Float32Array, k: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """An inverted file (Sivic and Zisserman 2003): only the cells around the centres most like a query are searched."""
    n = len(base)
    centres = _centres(base, max(1, round(_CELLS * np.sqrt(n))), np.random.default_rng(seed))
    home = np.concatenate([_like(base[part], centres, 1) for part in _parts(n)])[:, 0]
    asked = np.concatenate([_like(queries[part], centres, min(_PROBES, len(centres))) for part in _parts(n)])
    stored = _members(home, len(centres))
    asking = _members(asked.ravel(), len(centres))
    best = np.full((n, k), -np.inf, dtype=np.float32)
    place = np.full((n, k), -1, dtype=np.int64)
    for members, questions in zip(stored, asking, strict=True):
        block = max(1, _BLOCK_BYTES // (4 * max(1, len(members))))
        for rows in np.split(questions // asked.shape[1], range(block, len(questions), block)):
            if len(rows) and len(members):
                _keep_best(queries, base, rows, members, best, place)
    rows, rank = np.nonzero(place >= 0)
    yield rows, place[rows, rank]


def _keep_best(
    queries: Float32Array,
    base: Float32Array,
    rows: NDArray[np.int64],
    members: NDArray[np.int64],
    best: Float32Array,
    place: NDArray[np.int64],
) -> None:
    """Enter the members of a cell that are more like some queries than what these have found so far."""
    likeness = queries[rows] @ base[members].T
    likeness[rows[:, None] == members] = -np.inf
    k = best.shape[1]
    new = _top(likeness, min(k, len(members)))
    value = np.concatenate([best[rows], np.take_along_axis(likeness, new, axis=1)], axis=1)
    column = np.concatenate([place[rows], members[new]], axis=1)
    kept = np.argpartition(-value, k - 1, axis=1)[:, :k]
    best[rows] = np.take_along_axis(value, kept, axis=1)
    place[rows] = np.where(np.isneginf(best[rows]), -1, np.take_along_axis(column, kept, axis=1))


def _parts(n: int) -> list[slice]:
    return [slice(start, start + _PART) for start in range(0, n, _PART)]


def _like(rows: Float32Array, centres: Float32Array, k: int) -> NDArray[np.int64]:
    """The k centres most like each row, shape (n, k)."""
    likeness = rows @ centres.T
    return likeness.argmax(axis=1)[:, None] if k == 1 else np.argpartition(-likeness, k - 1, axis=1)[:, :k]


def _members(cell: NDArray[np.int64], n_cells: int) -> list[NDArray[np.int64]]:
    """Places of each cell's number, in order."""
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.searchsorted(cell[order], np.arange(1, n_cells)))


def _centres(base: Float32Array, n_cells: int, rng: np.random.Generator) -> Float32Array:
    """Spherical k-means (Dhillon and Modha 2001) on a sample, a few rounds; shape (n_cells, d), unit length."""
    sample = base[np.sort(rng.choice(len(base), min(len(base), _PER_CELL * n_cells), replace=False))]
    centres = sample[np.sort(rng.choice(len(sample), min(n_cells, len(sample)), replace=False))]
    for _ in range(_ROUNDS):
        home = np.concatenate([_like(sample[part], centres, 1) for part in _parts(len(sample))])[:, 0]
        order = np.argsort(home, kind="stable")
        filled, start = np.unique(home[order], return_index=True)
        total = np.add.reduceat(sample[order], start, axis=0)
        centres[filled] = total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)
    return centres


def most_alike(likeness: NDArray[np.floating], k: int) -> IntArray:
    """Columns of the k largest entries of each row, largest first; ties by column."""
    some = np.sort(np.argpartition(-likeness, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(likeness, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1).astype(np.int64)


def nearest(reference: Float32Array, asked: Float32Array, n: int = 3) -> IntArray:
    """Rows of the reference (m, q) nearest to each of l rows by their distance, nearest first; shape (l, min(n, m))."""
    squared = (reference * reference).sum(axis=1)[None] - 2.0 * (asked @ reference.T)
    return most_alike(-squared, min(n, len(reference)))
