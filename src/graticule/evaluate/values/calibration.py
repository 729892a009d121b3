"""A figure that rises with a number, turned into that number: the fairest form of a method that was never trained."""

import numpy as np
import scipy.optimize

from graticule.arrays import FloatArray, IntArray


def calibrated(figure: FloatArray, target: FloatArray, at: FloatArray) -> FloatArray:
    """The rising step curve that fits targets best (isotonic regression), read at other figures.

    Parameters
    ----------
    figure, target : float arrays, shape (n,)
        Of the images that the curve is fitted to, n >= 1; a figure that is NaN counts as the middle one.
    at : float array, shape (m,)

    Returns
    -------
    float array, shape (m,)
    """
    middle = float(np.nanmedian(figure)) if np.isfinite(figure).any() else 0.0
    x, at = (np.nan_to_num(np.asarray(values, dtype=np.float64), nan=middle) for values in (figure, at))
    # images of one figure have one value: the mean of their targets
    places, which, sizes = np.unique(x, return_inverse=True, return_counts=True)
    mean = np.bincount(which, target) / sizes
    fitted = scipy.optimize.isotonic_regression(mean, weights=sizes.astype(np.float64)).x
    return np.asarray(np.interp(at, places, fitted), dtype=np.float64)


def calibrated_out_of_fold(figure: FloatArray, target: FloatArray, fold: IntArray) -> FloatArray:
    """The figure of each image read from a curve that was fitted to the other folds, shape (n,)."""
    found = np.empty(len(target))
    for k in np.unique(fold):
        out = fold == k
        found[out] = calibrated(figure[~out], target[~out], figure[out])
    return found
