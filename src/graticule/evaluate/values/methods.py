"""Several ways to one number compared on the same images: each with its figures, and its error over that of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.arrays import FloatArray, StrArray
from graticule.evaluate.values.summary import summarise_values
from graticule.statistics.ratios import mean_where

SHOWN = ("mae", "rmse", "r2", "bias", "slope", "spearman")


@dataclass(frozen=True)
class MethodValues:
    """What one method says of n images.

    Attributes
    ----------
    name : str
        Short and stable.
    words : str
        For people.
    value : float array, shape (n,)
        Finite.
    low, high : float arrays, shape (n,), or None
        Limits, NaN where there are none.
    trained : bool
        Whether targets were seen.
    """

    name: str
    words: str
    value: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    trained: bool = False


@dataclass(frozen=True)
class ComparedImages:
    """Images of one part with what every method says of them.

    Attributes
    ----------
    name : str
        Of the part.
    path : object array of str, shape (n,)
        Escaped.
    group : object array of str, shape (n,), or None
        Whole groups are drawn for every interval, the same ones for both methods of a ratio.
    target : float array, shape (n,)
    methods : list of MethodValues
    train_mean : float or float array, shape (n,)
        Mean target of the images that a model was trained on.
    """

    name: str
    path: StrArray
    group: StrArray | None
    target: FloatArray
    methods: list[MethodValues]
    train_mean: FloatArray | float

    def of(self, name: str) -> MethodValues:
        """The method of a name."""
        return next(method for method in self.methods if method.name == name)


def compare_methods(images: ComparedImages, against: Sequence[str], *, seed: int = 0) -> list[dict[str, Any]]:
    """Figures of each method, and the ratio of its mean absolute error to that of each method named in `against`.

    Parameters
    ----------
    images : ComparedImages
    against : sequence of str
        Names of methods.
    seed : int

    Returns
    -------
    list of dict
        "name", "words", "trained", the figures of `SHOWN`, "ratio" by name, "limits" with coverage and mean width or
        None; least mean absolute error first.
    """
    value_of = {method.name: method.value for method in images.methods}
    found = []
    for method in images.methods:
        others = {name: value_of[name] for name in against if name != method.name}
        told = summarise_values(
            images.target, method.value, images.group, train_mean=images.train_mean, baselines=others, seed=seed
        )
        found.append(
            {
                "name": method.name,
                "words": method.words,
                "trained": method.trained,
                **{key: told[key] for key in SHOWN},
                "ratio": {name: told["baselines"][name]["ratio"] for name in others},
                "limits": _limits(images.target, method),
            }
        )
    return sorted(found, key=lambda row: float(row["mae"]["value"]))


def _limits(target: FloatArray, method: MethodValues) -> Mapping[str, float | None] | None:
    """How often the true value lies within the limits, their mean width, and the same for the narrowest third."""
    if method.low is None or method.high is None:
        return None
    known = np.isfinite(method.low) & np.isfinite(method.high)
    if not known.any():
        return None
    covered = ((target >= method.low) & (target <= method.high)).astype(np.float64)[known]
    width = (method.high - method.low)[known]
    narrow = width <= np.quantile(width, 1 / 3)
    return {
        "coverage": float(covered.mean()),
        "width": float(width.mean()),
        "coverage_narrowest_third": float(mean_where(covered, narrow)),
    }
