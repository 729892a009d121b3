"""The gradient of a picture by derivatives of a Gaussian, and how much of it noise gives.

Differences of neighbours, Sobel's masks and the 5 x 5 mask of a common plug-in turn fine structure towards the axes
(Sobel by 6 degrees, the mask by 17, at a period of three pixels). The derivative of a Gaussian of sigma 1 errs by 0.04.
"""

import numpy as np

from graticule.arrays import Float32Array
from graticule.directions.filters import along_rows, gaussian_taps, transposed

_MEDIAN_OF_NORMAL = 0.6745  # median of the absolute value, standard deviations
_MASK_NORM = 6.0  # root of the sum of squares of the mask in `noise_level`
_MOST_SAMPLED = 2**18


def gaussian_gradient(grey: Float32Array, sigma: float, step: int = 1) -> tuple[Float32Array, Float32Array]:
    """Change of grey per pixel to the right and downwards, with rows and columns exchanged.

    Parameters
    ----------
    grey : float32 array, shape (h, w)
    sigma : float
        Of the Gaussian in pixels, at least 1: below, directions of fine structure are wrong.
    step : int
        Pixels between the places that are computed, see `graticule.directions.filters.places`.

    Returns
    -------
    right, down : float32 arrays, shape (c, r)
        Of c places along each of r rows.
    """
    smooth = transposed(along_rows(grey, sigma, step=step))
    slope = transposed(along_rows(grey, sigma, derivative=True, step=step))
    return along_rows(smooth, sigma, derivative=True, step=step), along_rows(slope, sigma, step=step)


def noise_level(grey: Float32Array) -> float:
    """Standard deviation of white noise in a picture, in greys.

    From the median of the second difference in both directions, which straight edges and slopes leave at 0 (after
    Immerkaer, Computer Vision and Image Understanding 64, 1996, with the median in place of the mean). Noise that
    neighbouring pixels share is underestimated.
    """
    if min(grey.shape) < 3:
        return 0.0
    thin = max(1, round(np.sqrt(grey.size / _MOST_SAMPLED)))
    lines = np.diff(grey, n=2, axis=1)[:, ::thin]
    rough = np.abs(lines[2:] - 2 * lines[1:-1] + lines[:-2])[::thin]
    return float(np.median(rough)) / _MEDIAN_OF_NORMAL / _MASK_NORM


def noise_energy(level: float, sigma: float) -> float:
    """Mean squared gradient that white noise of a level gives, about level^2 / (4 pi sigma^4)."""
    across, along = gaussian_taps(sigma, derivative=True), gaussian_taps(sigma)
    return float(2 * level**2 * (across**2).sum() * (along**2).sum())
