"""The arrays that travel: their types, and the few ways to make them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

StrArray = NDArray[np.object_]


def object_array(values: list[str]) -> StrArray:
    """Array of shape (n,) of Python strings."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


FloatArray = NDArray[np.float64]


IntArray = NDArray[np.int64]
