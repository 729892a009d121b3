"""Bootstrap weights: how often each sample counts in each replicate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graticule.arrays import FloatArray, IntArray

CHUNK_BYTES = 16 * 2**20


def draw_weights(
    units: IntArray, strata: IntArray, n_boot: int, generator: np.random.Generator
) -> Iterator[FloatArray]:
    """Bootstrap weights of samples, in chunks of shape (b, n), Fortran order, that add up to `n_boot` rows.

    Parameters
    ----------
    units : int array, shape (n,)
        Unit of each sample, 0 to U - 1: whole units are drawn (samples themselves, or groups).
    strata : int array, shape (U,)
        Stratum of each unit; each stratum is drawn from apart and keeps its size (classes). A stratum of one unit
        has weight 1 throughout and adds no variance.
    """
    n_units = len(strata)
    members = [np.flatnonzero(strata == s) for s in np.unique(strata)]
    step = max(1, min(n_boot, CHUNK_BYTES // (8 * max(len(units), 1))))
    identity = n_units == len(units) and bool((units == np.arange(n_units)).all())
    for at in range(0, n_boot, step):
        b = min(step, n_boot - at)
        drawn = np.empty((n_units, b))
        for rows in members:
            m = len(rows)
            picks = generator.integers(m, size=(max(m - 1, 1), b)) * b + np.arange(b)
            drawn[rows] = np.bincount(picks.ravel(), minlength=m * b).reshape(m, b)
            if m > 1:
                drawn[rows] *= m / (m - 1)
        yield (drawn if identity else drawn[units]).T
