"""What conformal prediction counts: units that weigh alike, and the quantile that a new unit stays below.

The scores of K units and of one new unit are exchangeable, so the new one lies at or below the quantile of the K scores
and infinity with the probability asked for (Vovk, Gammerman and Shafer, 2005). A group of n_k related images is one
unit: each image weighs 1 / ((K + 1) n_k), infinity 1 / (K + 1) (Lee, Barber and Willett, 2023).
"""

import math

import numpy as np

from graticule.arrays import FloatArray, IntArray, numbered

_SLACK = 1e-9


def share_of_unit(unit: IntArray) -> FloatArray:
    """Weight 1 / (images of the unit) of each image, shape (n,): every unit weighs 1."""
    codes = numbered(unit)
    return np.asarray(1.0 / np.bincount(codes)[codes], dtype=np.float64)


def needed(level: float) -> int:
    """Units below which nothing can be excluded at this level: 9 at 0.90, 19 at 0.95, 99 at 0.99."""
    return math.ceil(1.0 / (1.0 - level) - _SLACK) - 1


def conformal_quantile(scores: FloatArray, weight: FloatArray, level: float) -> float:
    """Smallest score that a new unit stays at or below with probability `level`; infinite where units are too few.

    Parameters
    ----------
    scores : float array, shape (n,)
    weight : float array, shape (n,)
        `share_of_unit`, or ones where images are the units; K in sum.
    level : float
        In (0, 1).
    """
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order]) / (weight.sum() + 1.0)
    place = int(np.searchsorted(reached, level - _SLACK, side="left"))
    return float(scores[order[place]]) if place < len(order) else math.inf
