"""Groups of related samples, and what is drawn where there are groups."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.statistics.resampling import draw_weights


@dataclass(frozen=True)
class Groups:
    """Groups of related samples (patients, slides, lots).

    Attributes
    ----------
    codes : int array, shape (n,)
        Position of each sample's group in `names`.
    names : object array of str, shape (G,)
        Sorted.
    """

    codes: IntArray
    names: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.names)

    def count(self, cells: IntArray, n_cells: int) -> FloatArray:
        """Samples per group and cell, shape (G, n_cells); `cells` of shape (n,) in 0 to n_cells - 1."""
        flat = np.bincount(self.codes * n_cells + cells, minlength=len(self) * n_cells)
        return flat.reshape(len(self), n_cells).astype(np.float64)


def bootstrap_weights(y: IntArray, groups: Groups | None, n_boot: int, seed: int) -> Iterator[FloatArray]:
    """Chunks of weights (b, n): samples drawn within each class, or whole groups where there are groups.

    The same labels, groups and seed give the same weights: two models drawn with them are paired.
    """
    generator = np.random.default_rng(seed)
    if groups is None:
        return draw_weights(np.arange(len(y)), y, n_boot, generator)
    return draw_weights(groups.codes, np.zeros(len(groups), dtype=np.int64), n_boot, generator)
