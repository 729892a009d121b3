"""The confident joint, as cleanlab counts it."""

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.label_errors.noise import confident_thresholds


def confident_joint(proba: FloatArray, y: IntArray) -> IntArray:
    """Counts C[i, j] of images that carry the label i and confidently show class j, shape (K, K).

    An image counts for the likeliest of the classes whose score reaches its threshold, or for none.
    Source: Northcutt et al. (2021), equation 1.
    """
    k = proba.shape[1]
    reached = proba >= confident_thresholds(proba, y) - 1e-12
    shown = np.where(reached, proba, -1.0).argmax(axis=1)
    some = reached.any(axis=1)
    return np.bincount(y[some] * k + shown[some], minlength=k * k).reshape(k, k).astype(np.int64)
