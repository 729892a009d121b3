"""Nearest neighbours in bounded memory: exact by blocked matrix products, or by a forest of random halvings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]

EXACT_BELOW = 200_000
_BLOCK_BYTES = 48 * 2**20
_LEAF = 256
_TREES = 12
_GROUP = 64


def neighbour_pairs(queries: Rows, base: Rows, k: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Pairs of rows (i, j), i < j, where base row j is among the k rows most like query i, or the other way round.

    Parameters
    ----------
    queries, base : float32 array, shape (n, d)
        Unit length; row i of both belongs to the same image, which is no neighbour of itself.
    k : int
        Neighbours per row, at least 1.
    seed : int
        Of the random halvings, which are used from `EXACT_BELOW` rows on: time n log n, a neighbour may be missed.

    Returns
    -------
    int64 array, shape (pairs, 2)
        Each pair once, sorted.
    """
    n = len(base)
    if n < 2:
        return np.empty((0, 2), dtype=np.int64)
    search = _exact(queries, base, k) if n < EXACT_BELOW else _forest(queries, base, k, seed)
    codes = np.unique(np.concatenate([np.minimum(i, j) * n + np.maximum(i, j) for i, j in search]))
    return np.column_stack([codes // n, codes % n])


def _exact(queries: Rows, base: Rows, k: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    n = len(base)
    k = min(k, n - 1)
    block = max(1, _BLOCK_BYTES // (4 * n))
    for start in range(0, n, block):
        rows = np.arange(start, min(n, start + block))
        likeness = queries[rows] @ base.T
        likeness[np.arange(len(rows)), rows] = -np.inf
        yield np.repeat(rows, k), _top(likeness, k).ravel()


def _top(likeness: Rows, k: int) -> NDArray[np.int64]:
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


def _forest(queries: Rows, base: Rows, k: int, seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Random projection trees (Dasgupta and Freund 2008): rows are halved at the median of a random direction."""
    rng = np.random.default_rng(seed)
    for _ in range(_TREES):
        parts = [(np.arange(len(base)), np.arange(len(base)))]
        while parts:
            stored, asked = parts.pop()
            if len(stored) <= _LEAF:
                if len(asked) and len(stored) > k:
                    likeness = queries[asked] @ base[stored].T
                    likeness[asked[:, None] == stored] = -np.inf
                    yield np.repeat(asked, k), stored[_top(likeness, k)].ravel()
                continue
            one, two = base[rng.choice(stored, 2, replace=False)]
            height, asked_height = base[stored] @ (one - two), queries[asked] @ (one - two)
            middle = np.median(height)
            left, asked_left = height <= middle, asked_height <= middle
            if left.all():  # many equal rows: any halves do
                left = np.arange(len(stored)) < len(stored) // 2
            parts += [(stored[left], asked[asked_left]), (stored[~left], asked[~asked_left])]
