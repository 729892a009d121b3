"""Counts of images per class, with the error of counting and the error of the classifier in their intervals.

Two counts need no assumption on the new images beyond how they were drawn:

* the plain count of the images that the model calls a class. Its interval is that of a Poisson number (Garwood, 1936):
  it tells how far another draw of as many images may lie, and nothing of wrong calls;
* the count corrected by a control sample that a person labelled: T_c = sum_k N_k P(true c | called k), with P from the
  control images of each called class (post-stratification; Cochran, 1977, ch. 5A; Olofsson et al., 2014). It is
  unbiased where the control images were drawn at random among those of a called class.

The interval of the second joins a Poisson interval of each N_k and a binomial interval of each P by squared
distances to the estimate (MOVER; Zou and Donner, 2008). Unlike the delta method it stays honest where a control sample
holds no error of a kind: none among 100 does not mean none among 100,000. benchmarks/counts.py measures its coverage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, chi2, norm, rankdata

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.statistics.intervals import z_critical
from graticule.statistics.ratios import divide

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """Values with limits, three arrays of one shape; NaN where there is none to give."""

    value: FloatArray
    low: FloatArray
    high: FloatArray

    def over(self, divisor: float | FloatArray) -> Estimate:
        """All three divided by a known positive number, such as a volume."""
        return Estimate(self.value / divisor, self.low / divisor, self.high / divisor)


@dataclass(frozen=True)
class Control:
    """What a labelled control sample says of each called class.

    Attributes
    ----------
    share : float array, shape (K, C)
        P(true class c | called k); rows sum to 1, NaN where no control image was called k.
    n : int array, shape (K,)
        Control images called k.
    n_effective : float array, shape (K,)
        Equally weighted images that carry as much (Kish, 1965); `n` without weights.
    """

    share: FloatArray
    n: IntArray
    n_effective: FloatArray


def poisson_limits(count: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Exact limits of the mean of a Poisson number (Garwood, 1936); `count` >= 0, also fractional."""
    count = np.asarray(count, dtype=np.float64)
    low = np.where(count > 0, chi2.ppf(0.5 - level / 2.0, 2.0 * np.maximum(count, 1e-9)) / 2.0, 0.0)
    return low, np.asarray(chi2.ppf(0.5 + level / 2.0, 2.0 * count + 2.0) / 2.0, dtype=np.float64)


def plain_counts(count: FloatArray, level: float = LEVEL) -> Estimate:
    """Numbers of images with their Poisson limits, arrays of any one shape."""
    return Estimate(np.asarray(count, dtype=np.float64), *poisson_limits(count, level))


def plain_shares(count: FloatArray, level: float = LEVEL) -> Estimate:
    """Share of each class among the images called, with Jeffreys limits; `count` has shape (..., K)."""
    total = np.broadcast_to(count.sum(axis=-1, keepdims=True), count.shape)
    share = divide(count, total)
    return Estimate(share, *binomial_limits(share, total, level))


def binomial_limits(share: FloatArray, n: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Jeffreys limits of a share of `n` (possibly effective) trials (Brown, Cai and DasGupta, 2001).

    0 and 1 at a share of 0 and 1; NaN where `n` is 0 or NaN.
    """
    known = n > 0
    trials = np.where(known, n, 1.0)
    hits = np.where(known, np.clip(share, 0.0, 1.0), 0.5) * trials
    low = beta.ppf(0.5 - level / 2.0, hits + 0.5, trials - hits + 0.5)
    high = beta.ppf(0.5 + level / 2.0, hits + 0.5, trials - hits + 0.5)
    # at no hit (or no miss) all of the error lies on one side
    low = np.where(hits <= 0.0, 0.0, np.minimum(low, hits / trials))
    high = np.where(hits >= trials, 1.0, np.maximum(high, hits / trials))
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def control_sample(
    called: IntArray, true: IntArray, n_called: int, n_true: int, probability: FloatArray | None = None
) -> Control:
    """Count a control sample.

    Parameters
    ----------
    called, true : int arrays, shape (m,)
        Classes by the model, below `n_called`, and by the person, below `n_true`.
    n_called, n_true : int
    probability : float array, shape (m,), optional
        Probability in (0, 1] with which each image came into the sample; without it that of the images of one called
        class is the same.
    """
    weight = np.ones(len(called)) if probability is None else 1.0 / probability
    cells = np.zeros((n_called, n_true))
    np.add.at(cells, (called, true), weight)
    total, square = cells.sum(axis=1), np.zeros(n_called)
    np.add.at(square, called, weight**2)
    n = np.bincount(called, minlength=n_called).astype(np.int64)
    share = divide(cells, np.broadcast_to(total[:, None], cells.shape))
    return Control(share, n, np.nan_to_num(divide(total**2, square)))


def corrected_counts(count: FloatArray, control: Control, level: float = LEVEL) -> Estimate:
    """Estimated true counts per class, with counting and classification error.

    Parameters
    ----------
    count : float array, shape (..., K)
        Images called each class.
    control : Control
    level : float

    Returns
    -------
    Estimate
        Shape (..., C). NaN for all classes where images were called a class without a control image: what they are is
        unknown.
    """
    share, low, high = _shares(control, level)
    value = count @ share
    count_low, count_high = poisson_limits(count, level)
    below = ((count - count_low) ** 2) @ share**2 + count**2 @ (share - low) ** 2
    above = ((count_high - count) ** 2) @ share**2 + count**2 @ (high - share) ** 2
    return _where_known(count, control, value, np.sqrt(below), np.sqrt(above), np.inf)


def corrected_shares(count: FloatArray, control: Control, level: float = LEVEL) -> Estimate:
    """Estimated true share of each class, shape (..., C); arguments and undefined cases as for `corrected_counts`."""
    share, low, high = _shares(control, level)
    total = count.sum(axis=-1, keepdims=True)
    part = divide(count, np.broadcast_to(total, count.shape))
    known = np.nan_to_num(part)
    value = known @ share
    # the mix of called classes is drawn too: the variance between them of P, over the number of images
    between = np.maximum(known @ share**2 - value**2, 0.0) * z_critical(level) ** 2 / np.maximum(total, 1.0)
    below = known**2 @ (share - low) ** 2 + between
    above = known**2 @ (high - share) ** 2 + between
    found = _where_known(count, control, value, np.sqrt(below), np.sqrt(above), 1.0)
    empty = total <= 0
    return Estimate(*(np.where(empty, np.nan, part) for part in (found.value, found.low, found.high)))


def _shares(control: Control, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P with its limits; a called class without control images stands for itself (used only where its count is 0)."""
    k, c = control.share.shape
    unknown = (control.n == 0)[:, None]
    low, high = binomial_limits(control.share, np.broadcast_to(control.n_effective[:, None], (k, c)), level)
    own = np.eye(k, c)
    return tuple(np.where(unknown, own, part) for part in (control.share, low, high))  # type: ignore[return-value]


def _where_known(
    count: FloatArray, control: Control, value: FloatArray, below: FloatArray, above: FloatArray, most: float
) -> Estimate:
    lacking = ((count > 0) & (control.n == 0)).any(axis=-1, keepdims=True)
    low, high = np.maximum(value - below, 0.0), np.minimum(value + above, most)
    return Estimate(*(np.where(lacking, np.nan, part) for part in (value, low, high)))


def lacking_control(count: FloatArray, control: Control) -> IntArray:
    """Called classes that have images, shape (K,) `count`, but no control image."""
    return np.flatnonzero((count > 0) & (control.n == 0))


def same_precision(
    called: IntArray, true: IntArray, specimen: IntArray, rng: np.random.Generator, n_permutations: int = 999
) -> float | None:
    """p-value of the hypothesis that P(true | called) is the same in all specimens, by permutation.

    The statistic is the chi-square of specimen by true class within each called class; specimens are permuted among
    the control images of one called class.

    Parameters
    ----------
    called, true, specimen : int arrays, shape (m,)
    rng : numpy Generator
    n_permutations : int

    Returns
    -------
    float or None
        None where no called class has control images of two specimens.
    """
    stratum, specimens = numbered(called), numbered(specimen)
    n_true, n_specimens = int(true.max()) + 1, int(specimens.max()) + 1
    shape = (int(stratum.max()) + 1, n_true, n_specimens)
    by_true = np.bincount(stratum * n_true + true, minlength=shape[0] * n_true).reshape(*shape[:2], 1)
    by_specimen = np.bincount(stratum * n_specimens + specimens, minlength=shape[0] * n_specimens)
    if (by_specimen.reshape(shape[0], n_specimens) > 0).sum(axis=1).max() < 2:
        return None
    expected = by_true * by_specimen.reshape(shape[0], 1, n_specimens) / by_true.sum(axis=1, keepdims=True)
    inverse = divide(np.ones(shape), expected).ravel()
    inverse[np.isnan(inverse)] = 0.0
    cell = (stratum * n_true + true) * n_specimens
    in_order = np.argsort(stratum, kind="stable")

    def statistic(permuted: IntArray) -> float:
        # the chi-square less a constant
        return float((np.bincount(cell + permuted, minlength=len(inverse)) ** 2 * inverse).sum())

    observed, reached = statistic(specimens), 0
    permuted = np.empty_like(specimens)
    for _ in range(n_permutations):
        # both orders run through the strata one after another, so each stratum keeps its specimens
        permuted[in_order] = specimens[np.argsort(stratum + rng.uniform(size=len(called)))]
        reached += statistic(permuted) >= observed - 1e-9
    return float((reached + 1) / (n_permutations + 1))


def drawn_at_random(score: FloatArray, called: IntArray, drawn: IntArray) -> float:
    """Two-sided p-value of the hypothesis that a control sample was drawn at random within each called class.

    The ranks of its scores are compared with what random draws without replacement give, all classes together (a
    stratified rank-sum test; van Elteren, 1960). A person who picks the clear or the doubtful images is found out.

    Parameters
    ----------
    score : float array, shape (n,)
    called : int array, shape (n,)
        -1 for images that are in no class.
    drawn : int array, shape (m,)
        Rows of the control images, each once.
    """
    chosen = np.zeros(len(called), dtype=bool)
    chosen[drawn] = True
    distance, variance = 0.0, 0.0
    for k in np.unique(called[drawn]):
        rows = np.flatnonzero(called == k)
        mine, total = int(chosen[rows].sum()), len(rows)
        if mine == total:
            continue
        rank = rankdata(score[rows]) / total
        distance += float(rank[chosen[rows]].sum() - mine * rank.mean())
        variance += mine * (total - mine) / max(total - 1, 1) * float(rank.var())
    return 1.0 if variance <= 0 else float(2.0 * norm.sf(abs(distance) / np.sqrt(variance)))
