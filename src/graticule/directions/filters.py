"""Separable filters as band matrices: fast, with any step between the places that are looked at."""

from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse

from graticule.arrays import Float32Array, FloatArray

_REACH = 4.0  # standard deviations; the weights beyond are below 0.0004 of the highest


def gaussian_taps(sigma: float, derivative: bool = False) -> FloatArray:
    """Weights of a sampled Gaussian, or of its derivative, over the places -r to r with r = 4 sigma.

    The Gaussian adds up to 1; the derivative gives a ramp of slope 1 as 1.
    """
    radius = max(1, int(np.ceil(_REACH * sigma)))
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (x / sigma) ** 2)
    if derivative:
        return np.asarray(x * weights / (x * x * weights).sum())
    return np.asarray(weights / weights.sum())


def places(length: int, step: int) -> slice:
    """The places 0 to `length` - 1 that are looked at: every `step`-th one, with the same left out at both ends."""
    return slice(((length - 1) % step) // 2, None, step)


@lru_cache(maxsize=32)
def _band(length: int, sigma: float, derivative: bool, step: int) -> Any:
    """The filter as a sparse matrix (places, length); beyond the ends the picture is mirrored."""
    taps = gaussian_taps(sigma, derivative)
    at = np.arange(length)[places(length, step)]
    column = at[:, None] + np.arange(len(taps)) - len(taps) // 2
    column = column % (2 * length)
    column = np.where(column < length, column, 2 * length - 1 - column)
    row = np.repeat(np.arange(len(at)), len(taps))
    weights = np.tile(taps, len(at)).astype(np.float32)
    return scipy.sparse.csr_array((weights, (row, column.ravel())), shape=(len(at), length))


def along_rows(values: Float32Array, sigma: float, *, derivative: bool = False, step: int = 1) -> Float32Array:
    """Filter down the columns of an array: result (places, w), mirrored beyond the ends.

    Parameters
    ----------
    values : float32 array, shape (h, w)
    sigma : float
        Of the Gaussian, pixels.
    derivative : bool
        Its derivative: change per pixel downwards.
    step : int
        Only every `step`-th row is computed.
    """
    return np.asarray(_band(values.shape[0], sigma, derivative, step) @ values, dtype=np.float32)


def transposed(values: Float32Array) -> Float32Array:
    """Rows and columns exchanged, in memory too: filters run along columns of memory that lies row by row."""
    return np.ascontiguousarray(values.T)
