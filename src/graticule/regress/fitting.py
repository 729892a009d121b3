"""Regressions on scaled features: ridge, kernel ridge and support vectors, fitted and as arrays.

Targets are standardised by their training rows; inputs have a total variance of 1 per block, so that one grid of
strengths and widths fits any number of features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.svm import SVR

from graticule.arrays import FloatArray
from graticule.regress.inputs import ValueInput
from graticule.regress.scoring import KernelValue, LinearValue, ValueHead, gaussian

RIDGE, KERNEL, SVM = "ridge", "kernel", "svr"
KINDS = (RIDGE, KERNEL, SVM)
# width of the tube in which an error costs nothing, in standard deviations of the target
_EPSILON = 0.1
_JITTER = 1e-10


@dataclass(frozen=True)
class ValueSettings:
    """What distinguishes one regression from another before it is fitted.

    Attributes
    ----------
    kind : "ridge", "kernel" or "svr"
    blocks : str
        What is looked at, one of `graticule.regress.inputs.choices_of`.
    strength : float
        Ridge and kernel ridge: of the regularisation, against a kernel matrix of mean diagonal 1 (a kernel's) or 1 per
        block (ridge). Support vectors: C.
    width : float
        Kernels: exp(-width |a - b|^2 / (2 v)), v the total variance of the input.
    """

    kind: str
    blocks: str
    strength: float
    width: float = 0.0

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        own: dict[str, Any] = {"kind": self.kind, "features": self.blocks, "strength": self.strength}
        return own if self.kind == RIDGE else own | {"width": self.width}


@dataclass(frozen=True)
class Standard:
    """Mean and standard deviation of training targets."""

    mean: float
    scale: float

    @classmethod
    def of(cls, values: FloatArray) -> "Standard":
        """Of values (n,); a scale of 1 where they are all equal."""
        scale = float(values.std())
        return cls(float(values.mean()), scale if scale > 0 else 1.0)


class RidgeFits:
    """Ridge regressions of any strength on one training set, from one decomposition.

    Parameters
    ----------
    x : float array, shape (n, q)
    y : float array, shape (n,)
        Standardised.
    """

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        self._middle = x.mean(axis=0)
        z = x - self._middle
        self._wide = z.shape[1] > len(z)
        self._z, self._y = z, y - y.mean()
        values, self._vectors = eigh(z @ z.T if self._wide else z.T @ z)
        self._values = np.maximum(values, 0.0)

    def weights(self, strength: float) -> FloatArray:
        """Weights (q,) for the penalty `strength` times their squares, summed over images once."""
        shrunk = 1.0 / (self._values + strength)
        if self._wide:
            dual = self._vectors @ (shrunk * (self._vectors.T @ self._y))
            return np.asarray(self._z.T @ dual, dtype=np.float64)
        return np.asarray(self._vectors @ (shrunk * (self._vectors.T @ (self._z.T @ self._y))), dtype=np.float64)

    def offset(self, weights: FloatArray) -> float:
        """Bias that belongs to weights; the standardised targets have mean 0."""
        return -float(self._middle @ weights)


def gamma_of(x: FloatArray, width: float) -> float:
    """The kernel's factor for a width, from the total variance of the input."""
    total = float(x.var(axis=0).sum())
    return width / (2.0 * total) if total > 0 else width


def kernel_ridge(kernel: FloatArray, y: FloatArray, strength: float) -> FloatArray:
    """Coefficients (n,) of kernel ridge regression on a kernel matrix (n, n) of mean diagonal 1."""
    n = len(y)
    factor = cho_factor(kernel + (strength + _JITTER) * np.eye(n), lower=True, check_finite=False)
    return np.asarray(cho_solve(factor, y, check_finite=False), dtype=np.float64)


def support_vectors(kernel: FloatArray, y: FloatArray, strength: float) -> tuple[NDArray[np.int64], FloatArray, float]:
    """Rows, their coefficients and the bias of support vector regression on a kernel matrix (n, n)."""
    machine = SVR(kernel="precomputed", C=strength, epsilon=_EPSILON, cache_size=500).fit(kernel, y)
    rows = np.asarray(machine.support_, dtype=np.int64)
    return rows, np.asarray(machine.dual_coef_[0], dtype=np.float64), float(machine.intercept_[0])


def fit_value(
    settings: ValueSettings, given: ValueInput, features: NDArray[np.floating], values: FloatArray
) -> ValueHead:
    """Fit one regression.

    Parameters
    ----------
    settings : ValueSettings
    given : ValueInput
        Of the settings' blocks.
    features : float array, shape (n, d)
        Of the training rows.
    values : float array, shape (n,)
        On the scale that is learnt.
    """
    x, standard = given.apply(features), Standard.of(values)
    y = (values - standard.mean) / standard.scale
    if settings.kind == RIDGE:
        fits = RidgeFits(x, y)
        weights = fits.weights(settings.strength)
        # the projection as it is kept, so that what was fitted is what will be said
        slope = given.projection.astype(np.float64) @ weights * standard.scale
        offset = fits.offset(weights) * standard.scale + standard.mean - float(given.centre @ slope)
        return LinearValue(slope, offset, given.rooted)
    x = x.astype(np.float32).astype(np.float64)  # as the bundle keeps them
    gamma = gamma_of(x, settings.width)
    kernel = gaussian(x, x, gamma)
    if settings.kind == KERNEL:
        rows, coefficients, bias = np.arange(len(x)), kernel_ridge(kernel, y, settings.strength), 0.0
    else:
        rows, coefficients, bias = support_vectors(kernel, y, settings.strength)
    if not len(rows):  # every target lies inside the tube: one image with no say keeps the shape
        rows, coefficients = np.zeros(1, np.int64), np.zeros(1)
    return KernelValue(
        given.centre,
        given.projection,
        x[rows],
        coefficients * standard.scale,
        bias * standard.scale + standard.mean,
        gamma,
        given.rooted,
    )


def fit_member(
    chosen: Sequence[ValueSettings],
    inputs: Sequence[ValueInput],
    features: NDArray[np.floating],
    values: FloatArray,
) -> tuple[ValueHead, ...]:
    """Fit the regressions of one fold, whose mean is its answer."""
    return tuple(fit_value(one, given, features, values) for one, given in zip(chosen, inputs, strict=True))
