"""Bootstrap weights: how often each sample counts in each replicate."""

from collections.abc import Iterator

import numpy as np

from graticule.arrays import FloatArray, IntArray

CHUNK_BYTES = 16 * 2**20


def draw_weights(
    units: IntArray, strata: IntArray, n_boot: int, generator: np.random.Generator, *, by_replicate: bool = False
) -> Iterator[FloatArray]:
    """Bootstrap weights of samples, in chunks of shape (b, n), Fortran order, that add up to `n_boot` rows.

    Parameters
    ----------
    units : int array, shape (n,)
        Unit of each sample, 0 to U - 1: whole units are drawn (samples themselves, or groups).
    strata : int array, shape (U,)
        Stratum of each unit; each stratum is drawn from apart and keeps its size (classes). A stratum of one unit
        has weight 1 throughout and adds no variance.
    n_boot : int
    generator : numpy Generator
    by_replicate : bool
        Whether the generator gives one replicate after another, or one draw of all replicates after another.

    Notes
    -----
    The rescaled bootstrap (Rao and Wu, 1988): m - 1 draws from m units, scaled by m / (m - 1), so that the variance
    over replicates is unbiased for a mean. Plain draws of m from m are too narrow by the factor (m - 1) / m, which
    matters for classes of ten images or ten patients.
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
            draws = max(m - 1, 1)
            picks = generator.integers(m, size=(b, draws)).T if by_replicate else generator.integers(m, size=(draws, b))
            drawn[rows] = np.bincount((picks * b + np.arange(b)).ravel(), minlength=m * b).reshape(m, b)
            if m > 1:
                drawn[rows] *= m / (m - 1)
        yield (drawn if identity else drawn[units]).T


def draw_groups(n_groups: int, n_boot: int, generator: np.random.Generator) -> Iterator[IntArray]:
    """How often each of G groups is drawn, shape (G,), `n_boot` times: G - 1 draws (McCarthy and Snowden, 1985).

    Whole numbers, for statistics that take no weights: the draws are as few as the rescaled ones, but not scaled.
    """
    for _ in range(n_boot):
        yield np.bincount(generator.integers(n_groups, size=n_groups - 1), minlength=n_groups).astype(np.int64)
