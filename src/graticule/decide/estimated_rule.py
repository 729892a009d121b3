"""The estimated acceptance rule: the loosest threshold whose accepted evidence is accurate enough. No guarantee.

Without groups the share of errors among the accepted, one error added, must reach the target. With groups the images of
one group err together, so that the errors seen in a few groups say little of the next one: there the *lower limit* of
the accuracy must reach the target, with groups as the sampling unit (`graticule.statistics.intervals.cluster_t`: ratio
estimator, design effect raised towards a plausible one, Student's t on the effective number of groups), both before and
after one error of one more group has been added. The limit is one-sided at 75 %, more likely kept than not by three to
one. It also pays for the choice of the loosest threshold among many, which by itself makes the accuracy look better
than it is, the more so the fewer the groups.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, numbered

# two-sided level of the interval whose lower limit counts: 75 % one-sided
GROUP_LEVEL = 0.5
_THRESHOLDS = 100
_BLOCK = 1_000_000  # groups times thresholds that are held at once
_USUAL = (0.995, 0.99, 0.98, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)


def estimated(score: FloatArray, right: NDArray[np.bool_], weight: FloatArray, target: float) -> float:
    """The loosest threshold at which the weighted accuracy of the accepted, one error added, reaches the target.

    score, right, weight : arrays of shape (n,). Infinite where no threshold does.
    """
    if not len(score):
        return math.inf
    order = np.argsort(-score, kind="stable")
    ranked, w = score[order], weight[order] / weight.mean()
    errors = (np.cumsum(w * ~right[order]) + 1.0) / (np.cumsum(w) + 1.0)
    fine = errors <= 1.0 - target + 1e-12
    # a threshold lies between two different scores
    fine[:-1] &= ranked[:-1] > ranked[1:]
    if not fine.any():
        return math.inf
    last = int(np.flatnonzero(fine)[-1])
    return float(ranked[last + 1]) if last + 1 < len(ranked) else -1.0


def accuracy_in_new_groups(
    score: FloatArray, right: NDArray[np.bool_], weight: FloatArray, unit: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Lower limit of the accuracy among the accepted at up to 100 thresholds, strictest first.

    Thresholds lie at even steps of the rank, which does not depend on labels. The limit is 0 with fewer than two groups
    among the accepted. Arguments as for `loosest`; two arrays of shape (T,).
    """
    # prediction of images without groups must not load scipy
    from graticule.statistics.intervals import cluster_t

    order = np.argsort(-score, kind="stable")
    ranked, w, hit = score[order], weight[order] / weight.mean(), right[order]
    codes = numbered(unit)[order]
    n, n_groups = len(ranked), int(codes.max()) + 1
    cuts = np.append(np.flatnonzero(ranked[:-1] > ranked[1:]) + 1, n)
    cuts = cuts[np.unique(np.linspace(0, len(cuts) - 1, min(_THRESHOLDS, len(cuts))).round().astype(int))]
    block, start = max(1, _BLOCK // n_groups), 0
    low: list[FloatArray] = []
    accepted, correct = np.zeros((1, n_groups)), np.zeros((1, n_groups))
    for part in np.split(cuts, range(block, len(cuts), block)):
        # counts of each group between one threshold and the next, added up from the strictest on
        stop = int(part[-1])
        step = np.searchsorted(part, np.arange(start, stop), side="right")
        cells, shape = step * n_groups + codes[start:stop], (len(part), n_groups)
        fresh = [np.bincount(cells, weights=v[start:stop], minlength=len(part) * n_groups) for v in (w, w * hit)]
        accepted = accepted[-1] + np.cumsum(fresh[0].reshape(shape), axis=0)
        correct = correct[-1] + np.cumsum(fresh[1].reshape(shape), axis=0)
        # one error of one more group, as `estimated` adds one: a few faultless images prove little; but one more group
        # must not make few groups look like more
        hits = np.pad(correct, ((0, 0), (0, 1)))
        trials = np.pad(accepted, ((0, 0), (0, 1)), constant_values=1.0)
        plain, added = (cluster_t(a, b, GROUP_LEVEL)[0] for a, b in ((correct, accepted), (hits, trials)))
        low.append(np.nan_to_num(np.minimum(plain, added)))
        start = stop
    return np.append(ranked, -1.0)[cuts], np.concatenate(low)


def loosest(
    score: FloatArray, right: NDArray[np.bool_], weight: FloatArray, unit: IntArray | None, target: float
) -> float:
    """Threshold of the estimated rule for images (`unit` None) or groups; infinite where none reaches the target.

    With groups it is the loosest whose accuracy reaches the target in new groups too, as far as the groups at hand
    tell: never below that for images, and always infinite with one group.

    Parameters
    ----------
    score, right, weight : arrays, shape (n,)
    unit : int array, shape (n,), or None
        Groups.
    target : float
    """
    return float(all_loosest(score, right, weight, unit, (target,))[0])


def all_loosest(
    score: FloatArray,
    right: NDArray[np.bool_],
    weight: FloatArray,
    unit: IntArray | None,
    targets: Sequence[float],
) -> FloatArray:
    """`loosest` for several targets with one pass over the groups; shape (len(targets),)."""
    plain = np.array([estimated(score, right, weight, target) for target in targets])
    if unit is None or not np.isfinite(plain).any():
        return plain
    cuts, low = accuracy_in_new_groups(score, right, weight, unit)
    fine = [cuts[low >= target][-1:] for target in targets]
    return np.asarray(np.maximum(plain, [cut[0] if len(cut) else np.inf for cut in fine]), dtype=np.float64)


def reachable(score: FloatArray, right: NDArray[np.bool_], weight: FloatArray, unit: IntArray | None) -> str:
    """The best target of a usual list that some threshold reaches, in words. Arguments as for `loosest`."""
    for target in _USUAL:
        threshold = loosest(score, right, weight, unit, target)
        if np.isfinite(threshold):
            return f"{target:.1%} is reached, with {(score > threshold).mean():.0%} accepted"
    return "not even 50 % is reached"


def error_limits(wrong: NDArray[np.bool_], unit: IntArray) -> tuple[float, float]:
    """95 % limits of the share of errors among images (n,) of new groups; (0, 1) with too few groups to tell."""
    from graticule.statistics.intervals import share_limits

    low, high = share_limits(wrong, unit)
    return (0.0, 1.0) if np.isnan(low) else (low, high)
