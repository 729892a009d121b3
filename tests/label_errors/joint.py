"""Confident learning (Northcutt, Jiang and Chuang, 2021), with which the shares of wrong labels are compared."""

import numpy as np

from graticule.arrays import FloatArray, IntArray


def confident_thresholds(proba: FloatArray, y: IntArray) -> FloatArray:
    """Mean score of each class over the images that carry its label, shape (K,); infinite for a class without one.

    Source: Northcutt et al. (2021), equation 2.
    """
    return np.array(
        [proba[y == j, j].mean() if (y == j).any() else np.inf for j in range(proba.shape[1])], dtype=np.float64
    )


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
