"""Does label shift hold? Two tests that new scores are a mixture of the scores of the calibration classes.

Under label shift the distribution of any summary of the scores is sum_y share_y F_y, with F_y that of the calibration
images of class y. The shares are fitted, and what the best mixture leaves unexplained is compared with chance:

* means of the probabilities, of their logarithms and of the squares of these, which respond to images that moved: the
  overidentification test of the method of moments (Hansen, 1982), a chi-square;
* a histogram (the class called, levels of the highest score, whether the second class is the usual one), which responds
  to anything: a parametric bootstrap with the shares fitted anew each time (Efron and Tibshirani, 1993, ch. 16).

The smaller p-value counts twice (Bonferroni). Calibration images are drawn in units where there are any. A test that
does not reject proves nothing with few images, so small samples are refused rather than passed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import betabinom, chi2

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.counting.prior_shift import (
    Reference,
    calibration_covariance,
    class_means,
    drawn_covariance,
    separation,
    simplex_least_squares,
)

SIGNIFICANCE = 0.05
MIN_NEW = 100
MIN_PER_CLASS = 30
MIN_SEPARATION = 0.1
NOVELTY_LEVEL = 0.05
_PER_BIN = 20
_MAX_LEVELS = 6
_BOOTSTRAP = 199
_FIT_STEPS = 60
_GMM_STEPS = 3
# below this probability scores of single fold heads (calibration) and of their mean (new images) differ without any
# change in the images: a mean is less extreme on classes that are out of the question
_LEAST = 0.01


@dataclass(frozen=True)
class ShiftTest:
    """Whether a correction for prior shift may be shown, and why not.

    Attributes
    ----------
    passed : bool
    p : float or None
        Of the goodness of fit; None where it was not made.
    reasons : tuple of str
        Empty where passed.
    n_bins : int
    """

    passed: bool
    p: float | None
    reasons: tuple[str, ...]
    n_bins: int = 0


def reference_faults(known: Reference, classes: tuple[str, ...]) -> list[str]:
    """Why a reference can carry no correction at all; empty where it can."""
    count = np.bincount(known.y, minlength=len(classes))
    few = [f"{name} {n}" for name, n in zip(classes, count, strict=True) if n < MIN_PER_CLASS]
    if few:
        return [f"fewer than {MIN_PER_CLASS} calibration images of {', '.join(few)}"]
    apart = separation(known)
    if apart < MIN_SEPARATION:
        return [
            "the scores do not tell all classes apart: the smallest singular value of the mean scores per class is "
            f"{apart:.3f}, needed {MIN_SEPARATION}"
        ]
    return []


def check_label_shift(
    scores: FloatArray, known: Reference, novelty: FloatArray | None, rng: np.random.Generator
) -> ShiftTest:
    """Test whether label shift holds between the reference and new images.

    Parameters
    ----------
    scores : float array, shape (n, K)
        Scores of the new images as the model gave them.
    known : Reference
    novelty : float array, shape (n,), optional
        p-values of novelty, NaN where unknown.
    rng : numpy Generator
    """
    if len(scores) < MIN_NEW:
        return ShiftTest(False, None, (f"{len(scores)} images: the test of label shift needs at least {MIN_NEW}",))
    reasons = novelty_faults(novelty, len(known.y))
    proba = known.calibration(scores)
    bins, n_bins = score_bins(known.proba, proba)
    old, new = np.split(bins, [len(known.y)])
    histogram = np.bincount(new, minlength=n_bins).astype(np.float64)
    smaller = min(mixture_p_value(old, known, histogram, rng), moment_p_value(proba, known))
    p = min(1.0, 2.0 * smaller)
    if p < SIGNIFICANCE:
        reasons.append(
            f"the new scores are no mixture of the calibration classes' scores (p = {p:.3g}): the images differ "
            "in more than the mix of classes"
        )
    return ShiftTest(not reasons, p, tuple(reasons), n_bins)


def novelty_faults(novelty: FloatArray | None, n_calibration: int) -> list[str]:
    """More images unlike the training images than chance gives; empty without novelty values.

    A conformal p-value is at most a with a probability that itself varies with the calibration images: their number
    among n is beta-binomial (Vovk, 2012).
    """
    values = np.empty(0) if novelty is None else novelty[~np.isnan(novelty)]
    if not len(values):
        return []
    hits, rank = int((values <= NOVELTY_LEVEL).sum()), max(int(NOVELTY_LEVEL * (n_calibration + 1)), 1)
    p = float(betabinom.sf(hits - 1, len(values), rank, n_calibration + 1 - rank))
    if p >= SIGNIFICANCE:
        return []
    return [
        f"{100 * hits / len(values):.1f} % of the images have a novelty p-value of at most {NOVELTY_LEVEL:g}, where "
        f"{100 * NOVELTY_LEVEL:g} % are expected (p = {p:.3g})"
    ]


def moment_p_value(proba: FloatArray, known: Reference) -> float:
    """p-value of the means of new calibrated probabilities (n, K) as a mixture of the means of the classes."""
    new, old = _moments(proba), _moments(known.proba)
    means, found = class_means(old, known.y, known.n_classes), new.mean(axis=0)
    share = simplex_least_squares(means.T, found)
    drawn = drawn_covariance(new)
    for _ in range(_GMM_STEPS):
        error = drawn + calibration_covariance(old, known, share)
        # a constant moment says nothing, and must not make the matrix singular
        error += (1e-9 * np.trace(error) + 1e-15) * np.eye(len(error))
        root = np.linalg.inv(np.linalg.cholesky(error))
        share = simplex_least_squares(root @ means.T, root @ found)
    misfit = float(((root @ (found - share @ means)) ** 2).sum())
    return float(chi2.sf(misfit, new.shape[1] - (known.n_classes - 1)))


def _moments(proba: FloatArray) -> FloatArray:
    """Probabilities, centred logarithms and their squares, all without the last class; shape (n, 3 (K - 1))."""
    logs = np.log(np.maximum(proba, _LEAST))
    centred = (logs - logs.mean(axis=1, keepdims=True))[:, :-1] / -np.log(_LEAST)
    return np.hstack([proba[:, :-1], centred, centred**2])


def score_bins(old: FloatArray, new: FloatArray) -> tuple[IntArray, int]:
    """Bin of each row of both arrays of probabilities (m, K) and (n, K), and the number of bins.

    Bins are made of both samples together, so that none is empty, and hold at least 20 images of the smaller one on
    average.
    """
    proba = np.vstack([old, new])
    scale = min(len(old), len(new)) / len(proba)
    order = np.argsort(proba, axis=1)
    first, second = order[:, -1], order[:, -2]
    top = np.take_along_axis(proba, first[:, None], axis=1)[:, 0]
    bins = np.zeros(len(proba), dtype=np.int64)
    n_bins = 0
    for k in range(proba.shape[1]):
        rows = np.flatnonzero(first == k)
        if not len(rows):
            continue
        usual = np.bincount(second[rows], minlength=proba.shape[1]).argmax()
        levels = int(np.clip(scale * len(rows) / _PER_BIN, 1, _MAX_LEVELS))
        edges = np.unique(np.quantile(top[rows], np.linspace(0, 1, levels + 1)[1:-1]))
        code = np.searchsorted(edges, top[rows], side="right") * 2 + (second[rows] != usual)
        bins[rows] = n_bins + _merged(code, scale)
        n_bins = int(bins[rows].max()) + 1
    return bins, n_bins


def _merged(code: IntArray, scale: float) -> IntArray:
    """Codes with neighbours joined until each has 20 images of the smaller sample on average, numbered from 0."""
    count = np.bincount(code) * scale
    target = np.zeros(len(count), dtype=np.int64)
    current, held = 0, 0.0
    for k, number in enumerate(count):
        target[k] = current
        held += number
        if held >= _PER_BIN:
            current, held = current + 1, 0.0
    if held < _PER_BIN and current:
        target[target == current] = current - 1
    return numbered(target[code])


def mixture_p_value(old: IntArray, known: Reference, new: FloatArray, rng: np.random.Generator) -> float:
    """p-value of the goodness of fit of the best mixture.

    Parameters
    ----------
    old : int array, shape (m,)
        Bin of each calibration image.
    known : Reference
    new : float array, shape (M,)
        New images in each bin.
    rng : numpy Generator
    """
    k, n_bins = known.n_classes, len(new)
    counts = np.bincount(known.y * n_bins + old, minlength=k * n_bins).reshape(1, k, n_bins).astype(np.float64)
    observed, share = _misfit(counts, new[None])
    table = counts[0] / counts[0].sum(axis=1, keepdims=True)
    mixture = share[0] @ table
    drawn_new = rng.multinomial(int(new.sum()), mixture / mixture.sum(), size=_BOOTSTRAP).astype(np.float64)
    drawn, _ = _misfit(_redrawn(counts[0], old, known, rng), drawn_new)
    return float((1 + (drawn >= observed[0]).sum()) / (_BOOTSTRAP + 1))


def _redrawn(counts: FloatArray, old: IntArray, known: Reference, rng: np.random.Generator) -> FloatArray:
    """Calibration histograms drawn again, shape (B, K, M): images within a class, or units."""
    k, n_bins = counts.shape
    if known.unit is None:
        rows = [rng.multinomial(int(row.sum()), row / row.sum(), size=_BOOTSTRAP) for row in counts]
        return np.stack(rows, axis=1).astype(np.float64)
    codes = numbered(known.unit)
    n_units = int(codes.max()) + 1
    weights = rng.multinomial(n_units, np.full(n_units, 1.0 / n_units), size=_BOOTSTRAP).astype(np.float64)
    cells = known.y * n_bins + old
    out = np.stack([np.bincount(cells, weights=row[codes], minlength=k * n_bins) for row in weights])
    return np.asarray(out.reshape(-1, k, n_bins), dtype=np.float64)


def _misfit(counts: FloatArray, new: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Chi-square (B,) of histograms (B, M) against the best mixtures of class histograms (B, K, M); shares (B, K)."""
    size = counts.sum(axis=2)
    table = counts / np.maximum(size, 1.0)[:, :, None]
    n = new.sum(axis=1)
    share = np.full(size.shape, 1.0 / size.shape[1])
    for _ in range(_FIT_STEPS):
        mixture = np.maximum(np.einsum("bk,bkm->bm", share, table), 1e-12)
        share = share * np.einsum("bkm,bm->bk", table, new / mixture) / n[:, None]
        share /= share.sum(axis=1, keepdims=True)
    expected = n[:, None] * np.einsum("bk,bkm->bm", share, table)
    spread = np.einsum("bk,bkm->bm", share**2 / np.maximum(size, 1.0), table * (1.0 - table))
    variance = np.maximum(expected + n[:, None] ** 2 * spread, 1.0)
    return ((new - expected) ** 2 / variance).sum(axis=1), share
