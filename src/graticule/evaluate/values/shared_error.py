"""How much of the errors the images of a unit share, and what follows for how well squared errors are known."""

import numpy as np

from graticule.arrays import FloatArray
from graticule.evaluate.values.figures import ScoredValues
from graticule.statistics.ratios import divide


def shared_sums(scored: ScoredValues) -> FloatArray:
    """What `shared_share` needs of each unit, shape (U, 6): 1, n, n^2, sum, sum^2 / n, squares about the mean."""
    unit, error = scored.unit, scored.error
    size = np.bincount(unit).astype(np.float64)
    total = np.bincount(unit, weights=error)
    within = np.bincount(unit, weights=(error - (total / size)[unit]) ** 2)
    return np.stack([np.ones(len(size)), size, size**2, total, total**2 / size, within], axis=1)


def shared_share(sums: FloatArray) -> FloatArray:
    """Share of the variance of the errors that lies between units, from sums (B, 6) over units, shape (B,).

    Intraclass correlation by analysis of variance with units of unequal size (Donner and Koval, 1980), cut at 0; NaN
    where every unit is one image.
    """
    units, n, squares, total, of_means, within = sums.T
    between = divide(of_means - total**2 / n, units - 1.0)
    inside = divide(within, n - units)
    size = divide(n - squares / n, units - 1.0)
    apart = np.maximum(divide(between - inside, size), 0.0)
    return divide(apart, apart + inside)


def error_of_squares(scored: ScoredValues) -> float:
    """Relative standard error of the mean squared error if errors were normal and shared within units as they are.

    A few units without large errors show neither large errors nor how uncertain their mean square is: a bootstrap of it
    covers 89 % where 95 % are asked for. Errors seldom have lighter tails than normal ones, so this is a lower bound.
    """
    sums = shared_sums(scored).sum(axis=0)
    share = float(np.nan_to_num(shared_share(sums[None])[0]))
    n, pairs = float(sums[1]), float(sums[2] - sums[1])
    return float(np.sqrt(2.0 * (n + share**2 * pairs)) / n)
