"""Prevalences in new data whose mix of classes differs from that of the calibration images.

Both methods assume label shift: images of one class look the same to the model in both data sets, p(x | y) unchanged,
and only the mix of classes differs. Where the images themselves differ (another run, stain, focus) they can be wrong by
any amount; `graticule.counting.label_shift` looks for that, and no estimate should be shown that did not pass it.

    EM              maximum likelihood of the mix, from calibrated probabilities        (Saerens et al., 2002)
    adjusted count  the mix whose expected confusions give the counts found; least squares
                    on the simplex, hence never negative                                (Forman, 2008)

The probabilities must be calibrated for the first, offsets included (Alexandari et al., 2020): `reference` fits a
vector scaling to the calibration images, which also undoes class weights in training.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.counting.counts import LEVEL, Estimate
from graticule.heads.calibration import Calibration
from graticule.heads.calibration_fit import fit_calibration
from graticule.statistics.intervals import z_critical

METHODS = ("em", "adjusted")
_ITERATIONS, _TOLERANCE = 1000, 1e-6
_FLOOR = 1e-9


@dataclass(frozen=True)
class Reference:
    """Calibration images: scores of images that did not train the model, with labels.

    Attributes
    ----------
    called, y : int arrays, shape (m,)
        The class called by the scores as given, and the label.
    proba : float array, shape (m, K)
        Calibrated probabilities.
    unit : int array, shape (m,), optional
        Images of one unit (patient, slide) are not independent.
    prior : float array, shape (K,)
        Share of each label.
    calibration : Calibration
        From scores as given to `proba`; applies to new scores too.
    """

    called: IntArray
    y: IntArray
    proba: FloatArray
    unit: IntArray | None
    prior: FloatArray
    calibration: Calibration

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.prior)


def reference(scores: FloatArray, y: IntArray, unit: IntArray | None = None) -> Reference:
    """Calibrate scores (m, K) in [0, 1] of images with labels y (m,); every class needs an image."""
    calibration = fit_calibration("vector", scores, y)
    prior = np.bincount(y, minlength=scores.shape[1]) / len(y)
    return Reference(scores.argmax(axis=1), y, calibration(scores), unit, prior, calibration)


def class_means(values: FloatArray, y: IntArray, n_classes: int) -> FloatArray:
    """Mean of `values` (m, D) over the images of each class, shape (n_classes, D)."""
    indicator = np.eye(n_classes)[y]
    return np.asarray(indicator.T @ values / np.maximum(indicator.sum(axis=0), 1.0)[:, None])


def separation(known: Reference) -> float:
    """How far the model tells the classes apart: the smallest singular value of E[probabilities | class], in [0, 1].

    0 for constant scores, and where two classes get the same scores: their shares cannot be told from scores then.
    """
    return float(np.linalg.svd(class_means(known.proba, known.y, known.n_classes), compute_uv=False).min())


def em_prevalence(proba: FloatArray, prior: FloatArray) -> FloatArray:
    """Prevalences that maximise the likelihood of new images (Saerens, Latinne and Decaestecker, 2002).

    Parameters
    ----------
    proba : float array, shape (n, K)
        Calibrated probabilities of the new images, n >= 1.
    prior : float array, shape (K,)
        Class shares the probabilities are calibrated for, all positive.

    Returns
    -------
    float array, shape (K,)
        Not negative, of sum 1.
    """
    ratio = np.maximum(proba, _FLOOR) / prior
    share = prior.copy()
    for _ in range(_ITERATIONS):
        new = share * (ratio.T @ (1.0 / (ratio @ share))) / len(ratio)
        change, share = np.abs(new - share).max(), new
        if change < _TOLERANCE:
            break
    return np.asarray(share / share.sum())


def simplex_least_squares(system: FloatArray, target: FloatArray) -> FloatArray:
    """The x (K,), not negative and of sum 1, with system (D, K) @ x nearest to target (D,)."""
    # the heavy last row holds the sum at 1; non-negativity is the solver's own (Lawson and Hanson, 1974)
    weight = 1e3 * max(float(np.abs(system).max()), 1e-9)
    found, _ = nnls(np.vstack([system, np.full((1, system.shape[1]), weight)]), np.append(target, weight))
    return np.asarray(found / found.sum())


def adjusted_prevalence(called_share: FloatArray, rates: FloatArray) -> FloatArray:
    """Prevalences whose expected calls are nearest to the calls found, by least squares on the simplex.

    Parameters
    ----------
    called_share : float array, shape (K,)
        Share of the new images called each class.
    rates : float array, shape (K, K)
        P(called | true class), a row per true class.
    """
    return simplex_least_squares(rates.T, called_share)


def drawn_covariance(values: FloatArray) -> FloatArray:
    """Covariance (D, D) of the mean of independent rows (n, D)."""
    return np.asarray(np.atleast_2d(np.cov(values, rowvar=False)) / len(values), dtype=np.float64)


def calibration_covariance(values: FloatArray, known: Reference, share: FloatArray) -> FloatArray:
    """Covariance (D, D) of sum_y share_y mean(values | y) over calibration images (m, D), drawn in units if any."""
    means = class_means(values, known.y, known.n_classes)
    size = np.bincount(known.y, minlength=known.n_classes)
    influence = (values - means[known.y]) * (share / size)[known.y][:, None]
    if known.unit is None:
        return np.asarray(influence.T @ influence)
    codes = numbered(known.unit)
    sums = np.zeros((int(codes.max()) + 1, influence.shape[1]))
    np.add.at(sums, codes, influence)
    return np.asarray(sums.T @ sums * len(sums) / max(len(sums) - 1, 1))


def covariance(new: FloatArray, old: FloatArray, known: Reference, share: FloatArray) -> FloatArray:
    """Covariance (K, K) of prevalences that solve mean(new) = sum_y share_y mean(old | y), by the delta method.

    Parameters
    ----------
    new, old : float arrays, shapes (n, D) and (m, D)
        The same function of the scores for new images and for those of the reference.
    known : Reference
    share : float array, shape (K,)
    """
    error = drawn_covariance(new) + calibration_covariance(old, known, share)
    inverse = np.linalg.pinv(class_means(old, known.y, known.n_classes).T)
    return np.asarray(inverse @ error @ inverse.T)


@dataclass(frozen=True)
class Prevalence:
    """Prevalences (K,) with their standard errors (K,), and the number of images they are of."""

    share: FloatArray
    error: FloatArray
    n: int

    def shares(self, level: float = LEVEL) -> Estimate:
        """The prevalences with limits."""
        half = z_critical(level) * self.error
        return Estimate(self.share, np.maximum(self.share - half, 0.0), np.minimum(self.share + half, 1.0))

    def counts(self, level: float = LEVEL) -> Estimate:
        """Expected images of each class, with the Poisson error of the number of images as well."""
        error = np.sqrt(self.error**2 + self.share**2 / self.n)
        half = z_critical(level) * error
        return Estimate(self.n * self.share, self.n * np.maximum(self.share - half, 0.0), self.n * (self.share + half))


def by_em(scores: FloatArray, known: Reference) -> Prevalence:
    """EM on new scores (n, K) as given; they are calibrated as the reference was."""
    proba = known.calibration(scores)
    share = em_prevalence(proba, known.prior)
    # at the maximum the mean of p_y / sum_j share_j p_j is 1 for every class: these are the moments it solves
    new, old = (_density_ratio(p, known.prior, share) for p in (proba, known.proba))
    error = np.sqrt(np.maximum(np.diag(covariance(new, old, known, share)), 0.0))
    return Prevalence(share, error, len(scores))


def _density_ratio(proba: FloatArray, prior: FloatArray, share: FloatArray) -> FloatArray:
    ratio = np.maximum(proba, _FLOOR) / prior
    return np.asarray(ratio / (ratio @ share)[:, None])


def by_adjusted_count(called: IntArray, known: Reference) -> Prevalence:
    """Adjusted count from the classes called, shape (n,)."""
    one_hot = np.eye(known.n_classes)
    new, old = one_hot[called], one_hot[known.called]
    share = adjusted_prevalence(new.mean(axis=0), class_means(old, known.y, known.n_classes))
    error = np.sqrt(np.maximum(np.diag(covariance(new, old, known, share)), 0.0))
    return Prevalence(share, error, len(called))
