"""How many labels are wrong, and which class is taken for which, told from out-of-fold scores.

The confident joint (Northcutt, Jiang and Chuang, "Confident learning", 2021), which counts every image whose score
for some class reaches what images of that class usually reach, takes the model's own mistakes for wrong labels. The
clear images, those on which the model is surest, hardly hold any; of their labels about as many are wrong as of all
labels, if mistakes fall on easy and hard images alike.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import nbinom

from graticule.arrays import BoolArray, FloatArray, IntArray
from graticule.statistics.intervals import score_interval, share_limits, wilson, z_critical
from graticule.statistics.ratios import divide

# Parts of the images given a class that may count as clear. The smaller ones hold fewer of the model's mistakes, and
# fewer images: the largest is taken whose share does not exceed the intervals of the smaller ones (Lepski, 1991).
CLEAR_PARTS = (1 / 2, 1 / 4, 1 / 8)
_FEWEST_CLEAR = 30
_LEAST_SHARE = 1e-4
_SHAPES = 2.0 ** np.arange(-4.0, 9.0)  # from pairs of which few are ever confused to pairs that are all alike


@dataclass(frozen=True)
class LabelNoise:
    """Wrong labels among n images of K classes.

    Attributes
    ----------
    share, low, high : float
        Share of wrong labels in [0, 1] with its interval; limits are NaN with too few groups.
    level : float
        Of the interval.
    clear : int array, shape (K,)
        Clear images of each class, as the scores say.
    counts : int array, shape (K, K)
        Clear images by the label they carry (row) and the class they show (column).
    n_shown : int array, shape (K,)
        Images whose likeliest class this is.
    part : float
        Which part of the images given a class counts as clear.
    """

    share: float
    low: float
    high: float
    level: float
    clear: IntArray
    counts: IntArray
    n_shown: IntArray
    part: float

    def transition(self) -> FloatArray:
        """Chance T[i, j] that an image of class j carries the label i, shape (K, K); columns sum to 1.

        Rates of pairs are shrunk towards the overall one: by much where all pairs seem to share it, by little where
        some classes are taken for each other far more often. Counts are Poisson, rates gamma-distributed, and the
        gamma's shape is the one under which the counts are likeliest (empirical Bayes; Robbins 1956).
        """
        k = len(self.clear)
        off = ~np.eye(k, dtype=bool)
        mean = max(self.share, _LEAST_SHARE) / (k - 1)
        exposure = np.broadcast_to(self.clear.astype(np.float64), (k, k))
        shape = _likeliest_shape(self.counts[off].astype(np.float64), exposure[off] * mean)
        rates = np.where(off, (self.counts + shape) / (exposure + shape / mean), 0.0)
        kept = 1.0 - np.minimum(rates.sum(axis=0), 0.5)
        rates *= divide(1.0 - kept, rates.sum(axis=0))
        rates[np.diag_indices(k)] = kept
        return np.asarray(rates, dtype=np.float64)

    def pair(self, label: int, shown: int) -> tuple[float, float, float]:
        """Share of the images showing one class that carry the label of another, with its interval."""
        hits, trials = np.array(float(self.counts[label, shown])), np.array(float(self.clear[shown]))
        if not trials:
            return 0.0, 0.0, 1.0
        low, high = wilson(hits, trials, self.level)
        return float(hits / trials), float(low), float(high)

    def pairs(self) -> list[tuple[int, int, float, float, float]]:
        """(label, class shown, share of the images showing it, low, high) of every pair seen; most images first."""
        found = [(int(i), int(j), *self.pair(int(i), int(j))) for i, j in np.argwhere(self.counts > 0) if i != j]
        return sorted(found, key=lambda pair: (-pair[2] * self.n_shown[pair[1]], pair[:2]))


def _likeliest_shape(counts: FloatArray, expected: FloatArray) -> float:
    """Shape of the gamma distribution of rates under which Poisson counts are likeliest, on a grid."""
    fits = [nbinom.logpmf(counts, shape, shape / (shape + expected)).sum() for shape in _SHAPES]
    return float(_SHAPES[int(np.argmax(fits))])


def estimate_noise(proba: FloatArray, y: IntArray, unit: IntArray | None = None, level: float = 0.95) -> LabelNoise:
    """Share of wrong labels, from the images that clearly show a class.

    Of the images given class j, the part with the highest score is clear. An image's score comes from a model that
    never saw its label, so being clear does not depend on the label. The share of clear images with another label is
    taken over the classes in proportion to the images that show them. It is too low where people err on hard images
    more often than on easy ones, and too high where even the surest answers of the model are often wrong.

    Parameters
    ----------
    proba : float array, shape (n, K)
        Out-of-fold probabilities.
    y : int array, shape (n,)
        Given classes.
    unit : int array, shape (n,), optional
        Group of each image, where images of a group may be wrong together: the interval then allows for it.
    level : float
        Of the interval.
    """
    k, guess = proba.shape[1], proba.argmax(axis=1)
    top = proba[np.arange(len(y)), guess]
    # the place of each image among those given the same class, 0 for the surest
    order = np.lexsort((-top, guess))
    n_shown = np.bincount(guess, minlength=k)
    first = np.cumsum(n_shown) - n_shown
    place = np.empty(len(y), dtype=np.int64)
    place[order] = np.arange(len(y)) - first[guess[order]]
    found = [_among_clear(place < np.ceil(part * n_shown[guess]), guess, y, k, part, level) for part in CLEAR_PARTS]
    enough = [noise for noise in found if noise.clear.sum() >= _FEWEST_CLEAR] or found[:1]
    agreeing = (
        noise
        for place, noise in enumerate(enough)
        if all(noise.share <= smaller.high for smaller in enough[place + 1 :])
    )
    chosen = next(agreeing)
    if unit is None:
        return chosen
    low, high = _by_groups(place < np.ceil(chosen.part * n_shown[guess]), guess != y, unit, chosen.share, level)
    return replace(chosen, low=low, high=high)


def _among_clear(clear: BoolArray, guess: IntArray, y: IntArray, k: int, part: float, level: float) -> LabelNoise:
    n_shown = np.bincount(guess, minlength=k).astype(np.int64)
    counts = np.bincount(y[clear] * k + guess[clear], minlength=k * k).reshape(k, k).astype(np.int64)
    trials = counts.sum(axis=0)
    wrong = (trials - np.diag(counts)).astype(np.float64)
    weight = np.where(trials > 0, n_shown, 0) / max(1, n_shown[trials > 0].sum())
    rate = np.nan_to_num(divide(wrong, trials.astype(np.float64)))
    share = float((weight * rate).sum())
    low, high = _stratified(share, weight, rate, trials, level)
    return LabelNoise(share, low, high, level, trials, counts, n_shown, part)


def _by_groups(clear: BoolArray, wrong: BoolArray, unit: IntArray, share: float, level: float) -> tuple[float, float]:
    """Interval that allows for images of a group being wrong together; NaN where there are too few groups."""
    low, high = share_limits(wrong[clear], unit[clear], level)
    return (low, high) if np.isnan(low) else (min(low, share), max(high, share))


def _stratified(
    share: float, weight: FloatArray, rate: FloatArray, trials: IntArray, level: float
) -> tuple[float, float]:
    """Wilson's interval at the number of trials that a plain share would need to be as certain."""
    variance = float(np.nan_to_num(divide(weight**2 * rate * (1.0 - rate), trials.astype(np.float64))).sum())
    n = share * (1.0 - share) / variance if variance > 0.0 else float(trials.sum())
    low, high = score_interval(np.array(share), np.array(n), z_critical(level))
    return float(low), float(high)
