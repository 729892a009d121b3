"""How large the network's input has to be, and over how many views features are averaged: gain against cost.

Where the images are small, a small input costs a fraction of the network's own and loses nothing. What is enough is
judged by one fixed head, so that inputs differ and nothing else, by its held-out log loss inside training folds; see
`graticule.heads.input_choice` for which images are embedded for that.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from graticule.arrays import numbered
from graticule.heads.heads import HeadSettings, fit_head, fit_temperature
from graticule.heads.scaling import FeatureLayout, Scalings
from graticule.heads.scoring import label_losses, scores
from graticule.split.folds import inner_folds

# sides of the input that are compared with the network's own, pixels
SIZES = (48, 64, 80, 96, 128, 160)
INNER_FOLDS = 3
_FITS = 0.95
_JUDGE = HeadSettings("logistic", C=0.01, shrinkage=0.5, balanced=True)

IntArray = NDArray[np.int64]
InnerFold = tuple[IntArray, IntArray]


def candidate_sizes(sides: NDArray[np.integer], own: int) -> tuple[int, ...]:
    """Inputs that throw no pixel of the images away, the smallest first, the network's own last.

    Parameters
    ----------
    sides : int array, shape (n,)
        Longer side of each image as the network sees it, pixels. One in twenty may be larger than an input.
    own : int
        Side of the input that the network was made for.
    """
    largest = float(np.quantile(sides, _FITS)) if len(sides) else np.inf
    return (*(size for size in SIZES if largest <= size < own), own)


def drawn(y: IntArray, rows: IntArray, most: int, seed: int) -> IntArray:
    """At most so many rows, sorted: each class gives the same number as far as it has them.

    Parameters
    ----------
    y : int array, shape (n,)
        Class indices.
    rows : int array
        What may be drawn.
    most : int
    seed : int
    """
    if len(rows) <= most:
        return np.sort(rows)
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(y[rows], return_counts=True)
    taken: list[IntArray] = []
    # the rarest class first: what it lacks is left to the others
    for left, (k, n) in enumerate(sorted(zip(classes, counts, strict=True), key=lambda pair: (pair[1], pair[0]))):
        quota = (most - sum(map(len, taken))) // (len(classes) - left)
        taken.append(rng.permutation(rows[y[rows] == k])[: min(n, max(quota, 1))])
    return np.sort(np.concatenate(taken))


def choice_folds(y: IntArray, group: IntArray | None, copies: IntArray, seed: int) -> tuple[list[InnerFold], IntArray]:
    """Inner folds that no group and no copy straddles, and the units they keep whole; without groups where too few.

    Parameters
    ----------
    y : int array, shape (n,)
    group : int array, shape (n,), or None
        Units of groups and copies; None where no groups are known.
    copies : int array, shape (n,)
        Equal numbers: copies of each other.
    seed : int

    Returns
    -------
    list of (training rows, held-out rows)
        Empty where no division keeps every class.
    units : int array, shape (n,)
        `group`, or `copies` where groups are not known or too few to divide.
    """
    for unit in (group, copies):
        if unit is not None and (folds := inner_folds(y, unit, INNER_FOLDS, seed)):
            return folds, unit
    return [], copies


def held_out_losses(
    features: NDArray[np.floating], y: IntArray, folds: Sequence[InnerFold], n_classes: int
) -> NDArray[np.float64]:
    """Log loss (nats) of each row by the head that did not see it, after a temperature was fitted; shape (n,).

    Parameters
    ----------
    features : float array, shape (n, d)
    y : int array, shape (n,)
    folds : sequence of (training rows, held-out rows)
        Every row is held out once.
    n_classes : int
    """
    held_out = np.zeros((len(y), n_classes))
    layout = FeatureLayout(features.shape[1])
    # one thread: small matrices gain nothing from more, and results do not depend on the number of cores
    with threadpool_limits(1):
        for train, test in folds:
            present, codes = np.unique(y[train], return_inverse=True)
            head = fit_head(Scalings(features, train, layout), codes, len(present), _JUDGE, 1.0)
            held_out[np.ix_(test, present)] = scores(head, features[test])
    return label_losses(fit_temperature(held_out, y) * held_out, y)


def balanced_weights(y: IntArray) -> NDArray[np.float64]:
    """Weights of sum 1 under which every class counts the same, shape (n,)."""
    index = numbered(y)
    counts = np.bincount(index)
    return np.asarray(1 / (len(counts) * counts[index]), np.float64)


def clustered_error(values: NDArray[np.float64], weights: NDArray[np.float64], units: IntArray) -> float:
    """Standard error of a weighted mean of values that belong together in units (linearised, by cluster sums)."""
    centred = weights * (values - weights @ values)
    sums = np.bincount(numbered(units), centred)
    n = len(sums)
    return float(np.sqrt(n / (n - 1) * (sums**2).sum())) if n > 1 else np.inf


def smallest_as_good(losses: NDArray[np.float64], weights: NDArray[np.float64], units: IntArray) -> int:
    """Index of the first candidate whose loss is within one standard error of the best one's (Breiman et al., 1984).

    The standard error is that of the paired difference, by unit: that of the best one's own
    loss, which is as large as images differ from each other, let clearly worse inputs pass.

    Parameters
    ----------
    losses : float array, shape (candidates, n)
        From the cheapest to the dearest.
    weights : float array, shape (n,)
        Of sum 1.
    units : int array, shape (n,)
    """
    worse = losses - losses[int(np.argmin(losses @ weights))]
    return next(i for i, loss in enumerate(worse) if weights @ loss <= clustered_error(loss, weights, units))


def gains(
    cheap: NDArray[np.float64],
    dear: NDArray[np.float64],
    weights: NDArray[np.float64],
    units: IntArray,
    errors: float = 1.0,
) -> bool:
    """Whether the dearer of two inputs lowers the loss by more than so many standard errors of the difference."""
    gain = cheap - dear
    return bool(weights @ gain > errors * clustered_error(gain, weights, units))


def most_chosen(chosen: Sequence[int]) -> int:
    """What most folds chose; the larger of two that are chosen as often."""
    counts = Counter(chosen)
    return max(counts, key=lambda value: (counts[value], value))
