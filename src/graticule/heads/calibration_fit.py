"""Calibration: scores become probabilities that can be believed, fitted on scores of images that did not train.

A later method replaces an earlier one only where its cross-validated log loss is lower by two standard errors of the
paired difference: scores of cross-validated heads are often calibrated as they are, and a map that follows chance makes
them worse on new images.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.evaluate.metrics import sample_log_loss
from graticule.heads.calibration import FLOOR, METHODS, Calibration, log_odds, log_scores
from graticule.heads.scoring import softmax
from graticule.split.folds import inner_folds

FOLDS = 5
MIN_IMAGES = 100
FITTED_ON = 50_000
# images of a class and of the others that a method with parameters of its own for each class takes
MIN_PER_CLASS = {"vector": 30, "sigmoid": 30, "isotonic": 200}
STANDARD_ERRORS = 2.0
# weight of the pull towards the uncalibrated scores, in images
_RIDGE = 1.0


@dataclass(frozen=True)
class CalibrationChoice:
    """The calibration chosen, and what spoke for it.

    Attributes
    ----------
    calibration : Calibration
        Fitted on all images given.
    crossfitted : float array, shape (n, K)
        The scores given, each calibrated by a map fitted without the image and its unit.
    log_loss : dict of float
        Cross-validated, per method that was tried.
    note : str
        Why it was chosen, for people.
    """

    calibration: Calibration
    crossfitted: FloatArray
    log_loss: dict[str, float]
    note: str


def choose_calibration(proba: FloatArray, y: IntArray, unit: IntArray | None, seed: int = 0) -> CalibrationChoice:
    """The calibration of these scores with the lowest cross-validated log loss, the simplest where none is surely best.

    Parameters
    ----------
    proba : float array, shape (n, K)
        Scores of images that did not train the model that scored them.
    y : int array, shape (n,)
    unit : int array, shape (n,), optional
        Images of one unit (a group, a set of copies) stay together.
    seed : int
    """
    if len(y) < MIN_IMAGES:
        return CalibrationChoice(
            Calibration(), proba, {}, f"{len(y)} images: at least {MIN_IMAGES} are needed to calibrate scores"
        )
    parts = inner_folds(y, unit, FOLDS, seed)
    if not parts:
        return CalibrationChoice(Calibration(), proba, {}, "too few groups to judge a calibration")
    losses: dict[str, FloatArray] = {}
    maps: dict[str, FloatArray] = {}
    for method in METHODS:
        if _suffices(method, y, proba.shape[1]):
            maps[method] = crossfit(method, proba, y, parts)
            losses[method] = sample_log_loss(y, maps[method])
    best = "none"
    for method in losses:
        gain, error = paired_gain(losses[best] - losses[method], unit)
        if gain > STANDARD_ERRORS * error:
            best = method
    means = {method: float(loss.mean()) for method, loss in losses.items()}
    return CalibrationChoice(fit_calibration(best, proba, y), maps[best], means, _note(best, means))


def crossfit(method: str, proba: FloatArray, y: IntArray, parts: list[tuple[IntArray, IntArray]]) -> FloatArray:
    """Scores calibrated by maps that were fitted on other images, shape (n, K)."""
    out = proba.copy()
    for train, held in parts:
        out[held] = fit_calibration(method, proba[train], y[train])(proba[held])
    return out


def fit_calibration(method: str, proba: FloatArray, y: IntArray) -> Calibration:
    """Fit one of `METHODS` to scores (n, K) and class indices (n,); above 50,000 images to as many, drawn at random."""
    if len(y) > FITTED_ON:
        rows = np.sort(np.random.default_rng(0).choice(len(y), FITTED_ON, replace=False))
        proba, y = proba[rows], y[rows]
    return Calibration(method, _FITS[method](proba, y))


def paired_gain(difference: FloatArray, unit: IntArray | None) -> tuple[float, float]:
    """Mean of paired differences, shape (n,), and its standard error with units as the sampling unit."""
    if unit is None:
        return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))
    codes = numbered(unit)
    mean = float(difference.mean())
    residual = np.bincount(codes, weights=difference - mean)
    n_units = len(residual)
    scale = n_units / max(n_units - 1, 1)
    return mean, float(np.sqrt(scale * (residual**2).sum()) / len(difference))


def _suffices(method: str, y: IntArray, n_classes: int) -> bool:
    counts = np.bincount(y, minlength=n_classes)
    least = min(int(counts.min()), len(y) - int(counts.max()))
    return least >= MIN_PER_CLASS.get(method, 1)


def _note(best: str, means: dict[str, float]) -> str:
    if best == "none":
        return "no calibration lowers the cross-validated log loss for sure; the scores stay as they are"
    return f"{best} lowers the cross-validated log loss from {means['none']:.4f} to {means[best]:.4f}"


def _fit_nothing(proba: FloatArray, y: IntArray) -> dict[str, FloatArray]:
    return {}


def _fit_temperature(proba: FloatArray, y: IntArray) -> dict[str, FloatArray]:
    """One slope of the log scores, pulled towards 1: not a head's `fit_temperature`, which weighs classes alike."""
    scores, n = log_scores(proba), len(y)

    def loss(log_slope: float) -> float:
        p = softmax(np.exp(log_slope) * scores)
        return float(-np.log(np.maximum(p[np.arange(n), y], FLOOR)).mean() + _RIDGE * log_slope**2 / n)

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 1e-6})
    return {"slope": np.exp(np.array([found.x])), "offset": np.zeros(1)}


def _fit_vector(proba: FloatArray, y: IntArray) -> dict[str, FloatArray]:
    scores, (n, k) = log_scores(proba), proba.shape
    target = np.eye(k)[y]

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        slope, offset = theta[:k], theta[k:]
        p = softmax(scores * slope + offset)
        residual = p - target
        value = -np.log(np.maximum(p[np.arange(n), y], FLOOR)).mean()
        pull = np.concatenate([slope - 1.0, offset])
        gradient = np.concatenate([(residual * scores).mean(0), residual.mean(0)])
        return float(value + _RIDGE * (pull**2).sum() / (2 * n)), gradient + _RIDGE * pull / n

    found = minimize(loss, np.concatenate([np.ones(k), np.zeros(k)]), jac=True, method="L-BFGS-B")
    return {"slope": found.x[:k], "offset": found.x[k:] - found.x[k:].mean()}


def _fit_sigmoid(proba: FloatArray, y: IntArray) -> dict[str, FloatArray]:
    scores, (n, k) = log_odds(proba), proba.shape
    slope, offset = np.ones(k), np.zeros(k)
    for c in range(k):
        hit, x = (y == c).astype(np.float64), scores[:, c]

        def loss(theta: FloatArray, x: FloatArray = x, hit: FloatArray = hit) -> tuple[float, FloatArray]:
            z = theta[0] * x + theta[1]
            residual = expit(z) - hit
            pull = np.array([theta[0] - 1.0, theta[1]])
            value = (np.logaddexp(0.0, z) - hit * z).mean() + _RIDGE * (pull**2).sum() / (2 * n)
            return float(value), np.array([(residual * x).mean(), residual.mean()]) + _RIDGE * pull / n

        slope[c], offset[c] = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
    return {"slope": slope, "offset": offset}


def _fit_isotonic(proba: FloatArray, y: IntArray) -> dict[str, FloatArray]:
    from sklearn.isotonic import IsotonicRegression

    values: dict[str, FloatArray] = {}
    for c in range(proba.shape[1]):
        fitted = IsotonicRegression(out_of_bounds="clip").fit(proba[:, c], y == c)
        # a step of m images at 0 or 1 may not claim more than m images can show: Laplace's rule at both ends
        lowest, highest = (int((fitted.predict(proba[:, c]) == v).sum()) for v in (0.0, 1.0))
        values[f"x{c}"] = np.asarray(fitted.X_thresholds_, np.float64)
        values[f"y{c}"] = np.clip(fitted.y_thresholds_, 1 / (lowest + 2), 1 - 1 / (highest + 2)).astype(np.float64)
    return values


_FITS: dict[str, Callable[[FloatArray, IntArray], dict[str, FloatArray]]] = {
    "none": _fit_nothing,
    "temperature": _fit_temperature,
    "vector": _fit_vector,
    "sigmoid": _fit_sigmoid,
    "isotonic": _fit_isotonic,
}
