"""Average precision at a stated mix of classes, with ends that allow for false answers not yet seen.

Average precision is the mean, over the images of a class, of the precision at their own score. There the share of
every other class that scores as high is a rate with limits of its own, as in `graticule.evaluate.mix_precision`. A
bootstrap alone would promise what was never tried: where no judged image of the common class scores high, no draw has
one that does.
"""

import numpy as np

from graticule.arrays import BoolArray, FloatArray, IntArray, numbered
from graticule.evaluate.mix_precision import WithEnds, rate_limits
from graticule.evaluate.ranking import average_precision
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import (
    MIN_GROUPS,
    effective_number,
    ranking_interval,
    standard_error,
    t_critical,
    z_critical,
)
from graticule.statistics.resampling import draw_weights

# scores at which the rates of the other classes are limited; between two of them the wider limit counts
_LEVELS = 256
# draws over the images of the class itself; of very many of them fewer tell the little that they vary
_DRAWS, _FEWEST_DRAWS, _DRAWN = 500, 60, 5_000_000


def average_precision_at(
    y: IntArray, scores: FloatArray, k: int, share: FloatArray, groups: Groups | None, level: float, seed: int
) -> WithEnds:
    """Average precision of one class at a mix, shape (): of all folds' scores together.

    Parameters
    ----------
    y : int array, shape (n,)
        Class indices; of every class with a share there is an image.
    scores : float array, shape (n,)
        Of class k.
    k : int
    share : float array, shape (K,)
        Of each class of the mix, summing to 1.
    groups : Groups, optional
    level : float
    seed : int
    """
    own = y == k
    size = np.bincount(y, minlength=len(share)).astype(np.float64)
    (value,) = average_precision(scores, own, (share / np.maximum(size, 1.0))[y][None])
    at, place = _levels(scores[own])
    low, high = np.zeros(len(at)), np.zeros(len(at))
    for other in np.flatnonzero((share > 0) & (np.arange(len(share)) != k)):
        rarest, commonest = _rate_above(scores, y == other, at, groups, level)
        low, high = low + share[other] * rarest, high + share[other] * commonest
    codes = np.arange(int(own.sum())) if groups is None else numbered(groups.codes[own])

    def end(false: FloatArray) -> tuple[float, float]:
        return _end(scores[own], float(share[k]), false, codes, groups is not None, level, seed)

    least = end(high[place])[0]
    most = end(low[np.where(at[place] == scores[own], place, place - 1)])[1]
    return WithEnds(value, np.minimum(least, value), np.maximum(most, value))


def _levels(scores: FloatArray) -> tuple[FloatArray, IntArray]:
    """Falling scores at which rates are limited, and for each score the place of the next one below it or equal."""
    found = np.unique(scores)[::-1]
    chosen = np.unique(np.linspace(0, len(found) - 1, min(len(found), _LEVELS)).round().astype(np.int64))
    at = found[chosen]
    return at, np.searchsorted(-at, -scores, side="left").astype(np.int64)


def _rate_above(
    scores: FloatArray, other: BoolArray, at: FloatArray, groups: Groups | None, level: float
) -> tuple[FloatArray, FloatArray]:
    """Limits of the share of images of another class that score at least as high as each level, shape (T,)."""
    codes, n_groups = (np.zeros(len(scores), np.int64), 1) if groups is None else (groups.codes, len(groups))
    slot = np.searchsorted(-at, -scores[other], side="left")
    flat = np.bincount(codes[other] * (len(at) + 1) + slot, minlength=n_groups * (len(at) + 1))
    counts = flat.reshape(n_groups, -1).astype(np.float64)
    above = np.cumsum(counts, axis=1)[:, :-1].T
    trials = np.broadcast_to(counts.sum(axis=1), above.shape)
    return rate_limits(above, trials, level, grouped=groups is not None)


def _end(
    scores: FloatArray, share: float, false: FloatArray, codes: IntArray, grouped: bool, level: float, seed: int
) -> tuple[float, float]:
    """Limits of the mean precision over the images of a class, with what scores as high of the others given, (m,)."""
    order = np.argsort(-scores, kind="stable")
    ranked, false = scores[order], false[order]
    last = np.searchsorted(-ranked, -ranked, side="right") - 1  # ties enter together

    def mean(weights: FloatArray) -> FloatArray:
        drawn = weights[:, order]
        total = np.cumsum(drawn, axis=1)
        hit = share * total[:, last] / np.maximum(total[:, -1:], 1e-300)
        precise = np.divide(hit, hit + false, out=np.zeros_like(hit), where=hit + false > 0)
        return np.asarray((drawn * precise).sum(axis=1) / np.maximum(total[:, -1], 1e-300))

    n_units = int(codes.max()) + 1
    value = mean(np.ones((1, len(scores))))[0]
    if np.isnan(value) or (grouped and n_units < MIN_GROUPS):
        return np.nan, np.nan
    n_boot = max(_FEWEST_DRAWS, min(_DRAWS, _DRAWN // len(scores)))
    draws = draw_weights(codes, np.zeros(n_units, np.int64), n_boot, np.random.default_rng(seed))
    error = standard_error(np.concatenate([mean(weights) for weights in draws]))
    units = effective_number(np.bincount(codes).astype(np.float64))
    critical = t_critical(level, units - 1.0) if grouped else z_critical(level)
    least, most = ranking_interval(np.asarray(value), error, np.maximum(units, 1.0), critical)
    return float(least), float(most)
