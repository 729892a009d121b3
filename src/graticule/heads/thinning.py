"""Fewer samples where a search needs no more: drawn by class, or group by group."""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import numbered

# more tell candidates apart no better
SEARCH_LIMIT = 5000


def thinned(
    y: NDArray[np.int64],
    group: NDArray[np.object_] | None,
    *,
    least_groups: int,
    least_per_class: int,
    seed: int,
) -> NDArray[np.int64]:
    """Sorted rows for a search: all of (n,), or about `SEARCH_LIMIT` drawn by class, or by whole groups.

    Where the groups that were drawn lack a class, all rows are kept.
    """
    n = len(y)
    if n <= SEARCH_LIMIT:
        return np.arange(n)
    rng = np.random.default_rng(seed)
    if group is None:
        per_class = max(least_per_class, SEARCH_LIMIT // len(np.unique(y)))
        drawn = [rng.permutation(np.flatnonzero(y == k))[:per_class] for k in np.unique(y)]
        return np.sort(np.concatenate(drawn))
    index = numbered(group.astype(str))
    sizes = np.bincount(index)
    order = rng.permutation(len(sizes))
    sizes = sizes[order]
    taken = order[: max(least_groups, int(np.searchsorted(np.cumsum(sizes), SEARCH_LIMIT)))]
    rows = np.flatnonzero(np.isin(index, taken))
    return rows if len(np.unique(y[rows])) == len(np.unique(y)) else np.arange(n)
