"""Pictures as near-duplicates are compared: a band-pass with local normalisation.

Fine detail then counts as much as the outline of a cell, and brightness, contrast and gamma count for nothing. All
functions take batches of square pictures.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from graticule.arrays import Float32Array

_OUTLINE = (1.2, 4.0, 0.2)  # fine, coarse and floor of `detail` on a thumbnail of 32 pixels, to find the position
_DETAIL = (0.9, 2.5, 0.1)  # the same, to judge
_PAD = 4  # unused columns: rows of 4,096 bytes after rows of 4,096 bytes make products of matrices three times slower


@lru_cache(maxsize=64)
def _blur(side: int, sigma: float) -> Float32Array:
    """A Gaussian along one axis, edges repeated, as a matrix of shape (side, side)."""
    matrix: Float32Array = gaussian_filter1d(np.eye(side), sigma, axis=0, mode="nearest").astype(np.float32)
    return matrix


def padded_product(one: NDArray[Any], other: NDArray[Any]) -> Float32Array:
    """Products of small matrices, shape (n, s, s), in rows that are padded."""
    n, side = max(len(one), len(other)), one.shape[-2]
    out = np.empty((n, side, other.shape[-1] + _PAD), dtype=np.float32)[..., :-_PAD]
    return np.matmul(one, other, out=out)


def _blurred(pictures: Float32Array, sigma: float) -> Float32Array:
    matrix = _blur(pictures.shape[-1], sigma)[None]
    return padded_product(matrix, padded_product(pictures, matrix.transpose(0, 2, 1)))


def detail(pictures: Float32Array, fine: float, coarse: float, floor: float) -> Float32Array:
    """Band-pass between two Gaussians, divided by the local deviation; mean 0 and deviation 1 per picture.

    Parameters
    ----------
    pictures : float32 array, shape (n, s, s)
    fine, coarse : float
        Standard deviations of the Gaussians in pixels.
    floor : float
        Noise floor of the local deviation, as part of the picture's own.
    """
    band = _blurred(pictures, fine)
    band -= _blurred(pictures, coarse)
    power = _blurred(band * band, coarse)
    power += floor**2 * power.mean(axis=(1, 2), keepdims=True) + 1e-6
    band /= np.sqrt(power)
    band -= band.mean(axis=(1, 2), keepdims=True)
    band /= band.std(axis=(1, 2), keepdims=True) + 1e-6
    return np.ascontiguousarray(band)


@dataclass(frozen=True)
class Bands:
    """Pictures as they are compared, each of mean 0 and deviation 1.

    Attributes
    ----------
    outline, fine : float32 array, shape (m, s, s)
        A coarse band to find the position by, and a fine one to judge.
    """

    outline: Float32Array
    fine: Float32Array


def bands_of(pictures: Float32Array, scale: float = 1.0) -> Bands:
    """The bands of grey pictures, shape (m, s, s); `scale`: width of the fine filters, relative to thumbnails."""
    part = pictures.shape[-1] / 32
    outline = detail(pictures, _OUTLINE[0] * part, _OUTLINE[1] * part, _OUTLINE[2])
    return Bands(outline, detail(pictures, _DETAIL[0] * scale, _DETAIL[1] * scale, _DETAIL[2]))
