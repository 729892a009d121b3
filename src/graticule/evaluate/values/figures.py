"""The figures of predicted numbers: which there are, and all of them at once under weights such as a bootstrap's.

With y the true value, p the predicted one and r = p - y the error of an image:

    mae, rmse      mean of |r|, root of the mean of r^2
    r2             1 - sum r^2 / sum (y - m)^2, m the mean of the training images: what a model gains that always says m
    bias           mean of r; also in each third of the images by y, where regression to the mean shows
    slope          of the line of p on y: below 1, predictions are drawn to the middle
    spearman       correlation of the ranks of y and p (Spearman, 1904)
    agreement      bias -/+ 1.96 standard deviations of r: 95 % of errors lie between (Bland and Altman, 1986)
    relative       mean of |r| / y, where all y are above 0
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.statistics.ratios import divide

NORMAL_95 = 1.959963984540054
THIRDS = ("low", "middle", "high")
_SUMS = ("n", "absolute", "square", "error", "y", "yy", "p", "py", "from_mean", "relative")


@dataclass(frozen=True)
class ValueFigure:
    """One figure: its key, and the scale on which its interval is symmetric."""

    key: str
    scale: Literal["loss", "explained", "correlation", "shift"]


FIGURES = (
    ValueFigure("mae", "loss"),
    ValueFigure("rmse", "loss"),
    ValueFigure("r2", "explained"),
    ValueFigure("bias", "shift"),
    ValueFigure("slope", "shift"),
    ValueFigure("spearman", "correlation"),
    ValueFigure("agreement_low", "shift"),
    ValueFigure("agreement_high", "shift"),
    ValueFigure("relative", "loss"),
)
BIAS_IN_THIRDS = tuple(ValueFigure(f"bias_{name}", "shift") for name in THIRDS)


@dataclass(frozen=True)
class ScoredValues:
    """True and predicted values of n images, prepared for many weightings of their U units.

    Attributes
    ----------
    target, value : float arrays, shape (n,)
    unit : int array, shape (n,)
        0 to U - 1: groups, or the images themselves.
    third : int array, shape (n,)
        Third of each image by its true value, 0 to 2.
    sums : float array, shape (U, 16)
        Sums over the images of each unit, of values less the mean target, so that squares keep their digits.
    """

    target: FloatArray
    value: FloatArray
    unit: IntArray
    third: IntArray
    sums: FloatArray

    @property
    def n_units(self) -> int:
        """Units: groups, or images."""
        return len(self.sums)

    @property
    def error(self) -> FloatArray:
        """Predicted less true value, shape (n,)."""
        return self.value - self.target


def thirds_of(values: FloatArray) -> IntArray:
    """Third of each value among all, 0 to 2, shape (n,); equal values fall into one."""
    edges = np.quantile(values, [1 / 3, 2 / 3])
    return np.asarray(np.searchsorted(edges, values, side="left"), dtype=np.int64)


def score_values(target: FloatArray, value: FloatArray, unit: IntArray, train_mean: FloatArray | float) -> ScoredValues:
    """Prepare true and predicted values (n,) of units (n,) for `value_statistics`.

    Parameters
    ----------
    target, value : float arrays, shape (n,)
    unit : int array, shape (n,)
        0 to U - 1, none empty.
    train_mean : float or float array, shape (n,)
        Mean target of the images that each image's model was trained on.
    """
    error, middle = value - target, target.mean()
    third, y, p = thirds_of(target), target - middle, value - middle
    positive = bool((target > 0).all())
    relative = np.abs(error) / target if positive else np.full(len(target), np.nan)
    columns = [np.ones(len(y)), np.abs(error), error**2, error, y, y**2, p, p * y, (target - train_mean) ** 2, relative]
    columns += [(third == k).astype(np.float64) for k in range(3)] + [
        np.where(third == k, error, 0.0) for k in range(3)
    ]
    n_units = int(unit.max()) + 1
    sums = np.stack([np.bincount(unit, weights=column, minlength=n_units) for column in columns], axis=1)
    return ScoredValues(target, value, unit, third, sums.astype(np.float64))


def value_statistics(scored: ScoredValues, weights: FloatArray) -> dict[str, FloatArray]:
    """All figures but Spearman's under each row of weights (B, U) of the units: shape (B,), NaN where undefined."""
    sums = weights @ scored.sums
    s = {name: sums[:, i] for i, name in enumerate(_SUMS)}
    n = s["n"]
    bias = divide(s["error"], n)
    deviation = np.sqrt(np.maximum(divide(s["square"] - n * bias**2, n - 1.0), 0.0))
    spread = s["yy"] - s["y"] ** 2 / n
    # what is left of equal values after rounding is no spread
    spread = np.where(spread > 1e-12 * np.maximum(s["yy"], 1e-300), spread, 0.0)
    found = {
        "mae": divide(s["absolute"], n),
        "rmse": np.sqrt(divide(s["square"], n)),
        "r2": 1.0 - divide(s["square"], s["from_mean"]),
        "bias": bias,
        "slope": divide(s["py"] - s["p"] * s["y"] / n, spread),
        "agreement_low": bias - NORMAL_95 * deviation,
        "agreement_high": bias + NORMAL_95 * deviation,
        "relative": divide(s["relative"], n),
    }
    at = len(_SUMS)
    thirds = {f"bias_{name}": divide(sums[:, at + 3 + k], sums[:, at + k]) for k, name in enumerate(THIRDS)}
    return found | thirds


def weighted_spearman(scored: ScoredValues, weights: FloatArray) -> FloatArray:
    """Spearman's correlation under each row of weights (B, U) of the units, shape (B,); NaN where all are equal."""
    of_image = weights[:, scored.unit]
    total = of_image.sum(axis=1, keepdims=True)
    ranks = [_mid_ranks(values, of_image) for values in (scored.target, scored.value)]
    a, b = (rank - (rank * of_image).sum(axis=1, keepdims=True) / total for rank in ranks)
    spread = np.sqrt((a**2 * of_image).sum(axis=1) * (b**2 * of_image).sum(axis=1))
    return divide((a * b * of_image).sum(axis=1), np.where(spread > 1e-9 * total[:, 0] ** 3, spread, 0.0))


def _mid_ranks(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Weight below each value plus half the weight at it, under each row of weights (B, n); shape (B, n)."""
    levels, place = np.unique(values, return_inverse=True)
    if len(levels) == len(values):
        order = np.argsort(values, kind="stable")
        at = weights[:, order]
        out = np.empty_like(weights)
        out[:, order] = np.cumsum(at, axis=1) - at / 2.0
        return out
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(levels)))
    at = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray((np.cumsum(at, axis=1) - at / 2.0)[:, place], dtype=np.float64)
