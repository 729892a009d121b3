"""Ratios that are NaN where they are undefined."""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient of two arrays of one shape, NaN where the denominator is 0."""
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def mean_where(values: FloatArray, where: NDArray[np.bool_]) -> FloatArray:
    """Mean over the last axis of the entries selected, shape (...,); NaN where none is selected or one is NaN."""
    total = np.where(where, values, 0.0).sum(axis=-1)
    return divide(total, where.sum(axis=-1).astype(np.float64))


def nan_mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean of the entries that are not NaN along an axis; NaN where there is none."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis).astype(np.float64))
