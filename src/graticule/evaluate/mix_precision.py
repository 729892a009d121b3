"""Precision at a stated mix of classes: how often each class is taken for each, and what that means at the mix.

The images judged need not have the mix that is asked about, where a rare class may stand against a thousand times as
many others. What does not depend on the mix are the rates of confusion of each true class, and precision follows from
these: p_j = w_j R_jj / sum_i w_i R_ij, with the share w_i of class i (Bayes' rule). Its ends are those of the rates:
every false answer as rare, and every right one as frequent, as the images judged allow, or the other way round.
"""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import FloatArray
from graticule.statistics.intervals import MIN_GROUPS, clopper_pearson, cluster_t
from graticule.statistics.ratios import divide, mean_where


@dataclass(frozen=True)
class WithEnds:
    """A value with its lower and its upper end, arrays of one shape; NaN where not known."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


def rate_limits(hits: FloatArray, trials: FloatArray, level: float, *, grouped: bool) -> tuple[FloatArray, FloatArray]:
    """Limits of a rate: Clopper and Pearson's of independent images, `cluster_t` of images in groups.

    Parameters
    ----------
    hits, trials : float arrays, shape (..., G)
        Per group; one group of all images where they are independent.
    level : float
    grouped : bool

    Returns
    -------
    low, high : float arrays, shape (...,)
        NaN without trials, or with trials in fewer than `MIN_GROUPS` groups.
    """
    if not grouped:
        return clopper_pearson(hits.sum(axis=-1), trials.sum(axis=-1), level)
    enough = (trials > 0).sum(axis=-1) >= MIN_GROUPS
    low, high = cluster_t(hits, trials, level)
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)


def confusion_rates(by_group: FloatArray, level: float, *, grouped: bool) -> WithEnds:
    """Share of each true class that is given each class, shape (K, K), rows the true class.

    Parameters
    ----------
    by_group : float array, shape (G, K, K)
        Confusion matrices, rows the label; of one group where images are independent.
    level : float
    grouped : bool
    """
    hits = np.moveaxis(by_group, 0, -1)
    trials = np.broadcast_to(hits.sum(axis=1, keepdims=True), hits.shape)
    low, high = rate_limits(hits, trials, level, grouped=grouped)
    return WithEnds(divide(hits.sum(axis=-1), trials.sum(axis=-1)), low, high)


def precision_at(rates: WithEnds, share: FloatArray) -> WithEnds:
    """Precision of each class at a mix, shape (K,).

    Parameters
    ----------
    rates : WithEnds, shape (K, K)
    share : float array, shape (K,)
        Share of each class of the mix, summing to 1; classes with 0 do not occur.
    """

    def at(right: FloatArray, wrong: FloatArray) -> FloatArray:
        hit = share * np.diagonal(right)
        # 0 x NaN: a class that does not occur and was not judged
        weighted = np.where(share[:, None] > 0, share[:, None] * wrong, 0.0)
        false = np.maximum(weighted.sum(axis=0) - np.diagonal(weighted), 0.0)
        return divide(hit, hit + false)

    return WithEnds(at(rates.value, rates.value), at(rates.low, rates.high), at(rates.high, rates.low))


def macro_precision_at(precision: WithEnds, share: FloatArray) -> WithEnds:
    """Mean precision over the classes of the mix, shape (); one that is never given counts as 0.

    All rates stand at their ends together, so that the ends are wider than chance makes them where there are several.
    """
    present = share > 0
    return WithEnds(
        mean_where(np.nan_to_num(precision.value), present),
        np.asarray(precision.low[present].mean()),
        np.asarray(precision.high[present].mean()),
    )
