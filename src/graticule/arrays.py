"""The arrays that travel: their types, and the few ways to make them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
StrArray = NDArray[np.object_]
Pixels = NDArray[np.uint8]


def object_array(values: Sequence[str]) -> StrArray:
    """Array of shape (n,) of Python strings."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def numbered(values: ArrayLike) -> IntArray:
    """Numbers of the different values, 0 to m - 1 in their order, shape (n,): groups as codes."""
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def class_codes(labels: ArrayLike, classes: Sequence[str]) -> IntArray:
    """Place of each label among the classes, whatever their order, shape (n,).

    Raises
    ------
    KeyError
        For a label that is none of them.
    """
    place = {name: k for k, name in enumerate(classes)}
    return np.array([place[str(label)] for label in np.asarray(labels).tolist()], dtype=np.int64)
