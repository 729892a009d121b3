"""How far intervals reach from a prediction: conformal quantiles of scores in which every unit weighs alike."""

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.statistics.conformal_quantiles import conformal_quantile, needed, share_of_unit


def two_sided(n_units: int, asymmetric: bool, level: float) -> bool:
    """Whether each side has a quantile of its own, which takes twice the units; else both have that of the size."""
    return asymmetric and n_units >= needed(each_side(level))


def each_side(level: float) -> float:
    """Level of one limit where both are to hold at `level`."""
    return 1.0 - (1.0 - level) / 2.0


def reach_of(score: FloatArray, unit: IntArray, grouped: bool, asymmetric: bool, level: float) -> tuple[float, float]:
    """How far intervals reach below and above, in units of the scale, from scores (n,) of units (n,)."""
    weight, tail = share_of_unit(unit), each_side(level)
    units = round(float(weight.sum()))
    if two_sided(units, asymmetric, level):
        return conformal_quantile(-score, weight, tail), conformal_quantile(score, weight, tail)
    size = np.abs(score)
    if units >= needed(level) or not grouped:
        return (conformal_quantile(size, weight, level),) * 2
    # too few groups for a promise: the wider of what images tell and what groups tell without the weight of infinity
    order = np.argsort(size, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    plain = float(size[order[min(int(np.searchsorted(reached, level - 1e-9)), len(size) - 1)]])
    return (max(plain, conformal_quantile(size, np.ones(len(size)), level)),) * 2
