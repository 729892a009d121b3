"""Calibration maps: NumPy and SciPy only, so that a bundle's scores are calibrated wherever it is used.

none         p
temperature  softmax(t log p)                       (Guo et al., 2017)
vector       softmax(w_k log p_k + b_k)             (Guo et al., 2017)
sigmoid      1 / (1 + exp(-(a_k logit p_k + b_k))) per class, divided by the sum     (Platt, 1999)
isotonic     a rising function of p_k per class, divided by the sum                  (Zadrozny and Elkan, 2002)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from graticule.arrays import FloatArray
from graticule.errors import BundleError
from graticule.heads.scoring import softmax

METHODS = ("none", "temperature", "vector", "sigmoid", "isotonic")
FLOOR = 1e-12
_CEILING = 1.0 - 1e-9
_LARGEST = 1e6


@dataclass(frozen=True)
class Calibration:
    """A map of probabilities to probabilities.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    values : dict of float arrays
        "slope" and "offset", shape (K,) or (1,); of isotonic maps "x0", "y0", "x1", ... with the corners per class.
    """

    method: str = "none"
    values: dict[str, FloatArray] = field(default_factory=dict)

    def __call__(self, proba: FloatArray) -> FloatArray:
        """Calibrated probabilities of shape (n, K); rows sum to 1, NaN rows stay."""
        return _MAPS[self.method](self.values, proba)

    def to_json(self) -> dict[str, Any]:
        """Plain values for bundle.json."""
        return {"method": self.method} | {name: v.tolist() for name, v in self.values.items()}

    @classmethod
    def from_json(cls, document: dict[str, Any], n_classes: int | None = None) -> Self:
        """Inverse of `to_json`; other entries are ignored.

        Parameters
        ----------
        document : dict
        n_classes : int, optional
            K, when the values are to be held against it.

        Raises
        ------
        BundleError
            When the method is unknown, or its values are missing, of another shape or no finite numbers.
        """
        method = document.get("method")
        if method not in METHODS:
            raise BundleError(f"the bundle's calibration {method!a:.100} is unknown; known are {', '.join(METHODS)}")
        if method == "none":
            return cls(method, {})
        k = n_classes
        if method == "isotonic":
            k = k or sum(1 for name in document if name[:1] == "x" and name[1:].isdecimal())
            values = {name: _numbers(document, name) for c in range(max(k, 1)) for name in (f"x{c}", f"y{c}")}
            for c in range(k):
                _check_rising(c, values[f"x{c}"], values[f"y{c}"])
            return cls(method, values)
        values = {name: _numbers(document, name) for name in ("slope", "offset")}
        length = 1 if method == "temperature" else k
        for name, found in values.items():
            if length is not None and len(found) != length:
                raise BundleError(f"the bundle's calibration has {len(found)} values {name}; expected are {length}")
        return cls(method, values)


def _numbers(document: dict[str, Any], name: str) -> FloatArray:
    """A list of finite numbers in a document, shape (m,), m >= 1."""
    found = document.get(name)
    if not isinstance(found, list) or not found or any(type(value) not in (int, float) for value in found):
        raise BundleError(f"the bundle's calibration lacks the values {name} of its method, a list of numbers")
    values = np.asarray(found, np.float64)
    if not (np.abs(values) <= _LARGEST).all():
        raise BundleError(f"the bundle's calibration has values {name} that are no finite numbers, or too large")
    return values


def _check_rising(c: int, x: FloatArray, y: FloatArray) -> None:
    if len(x) != len(y) or (np.diff(x) < 0).any() or (np.diff(y) < 0).any() or y[0] < 0 or y[-1] > 1:
        raise BundleError(f"the bundle's calibration of class {c} is no rising function with values from 0 to 1")


def log_scores(proba: FloatArray) -> FloatArray:
    """Logarithms of probabilities, those of 0 finite."""
    return np.asarray(np.log(np.maximum(proba, FLOOR)), dtype=np.float64)


def log_odds(proba: FloatArray) -> FloatArray:
    """Logarithms of p / (1 - p), with p kept off 0 and 1."""
    clipped = np.clip(proba, FLOOR, _CEILING)
    return np.asarray(np.log(clipped) - np.log1p(-clipped), dtype=np.float64)


def _map_softmax(values: dict[str, FloatArray], proba: FloatArray) -> FloatArray:
    return softmax(log_scores(proba) * values["slope"] + values["offset"])


def _map_sigmoid(values: dict[str, FloatArray], proba: FloatArray) -> FloatArray:
    return _normalised(_sigmoid(log_odds(proba) * values["slope"] + values["offset"]))


def _map_isotonic(values: dict[str, FloatArray], proba: FloatArray) -> FloatArray:
    columns = [np.interp(proba[:, c], values[f"x{c}"], values[f"y{c}"]) for c in range(proba.shape[1])]
    return _normalised(np.column_stack(columns))


def _sigmoid(z: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)), dtype=np.float64)


def _normalised(columns: FloatArray) -> FloatArray:
    floored = np.maximum(columns, FLOOR)
    return np.asarray(floored / floored.sum(axis=1, keepdims=True), dtype=np.float64)


_MAPS: dict[str, Callable[[dict[str, FloatArray], FloatArray], FloatArray]] = {
    "none": lambda values, proba: proba,
    "temperature": _map_softmax,
    "vector": _map_softmax,
    "sigmoid": _map_sigmoid,
    "isotonic": _map_isotonic,
}
