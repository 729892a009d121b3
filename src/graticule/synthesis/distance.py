"""How far pictures lie from each other on the canvas, whichever way they are turned.

Frozen features are no measure of copying: a copy that was turned, compressed or made noisy looks far from its original
there. Pixels tell it, once what such treatment changes is taken away: fine noise and the mean brightness.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from graticule.arrays import Float32Array, IntArray
from graticule.split.duplicates.symmetry import SYMMETRIES, symmetric

# standard deviation of the Gaussian that takes fine noise away, pixels of the canvas
BLUR = 1.0
_BLOCK = 2048


def comparable(grey: Float32Array) -> Float32Array:
    """Canvases without fine noise and without their mean brightness, same shape.

    Parameters
    ----------
    grey : float32 array, shape (n, side, side)
        See `graticule.synthesis.canvas.grey_canvas`.
    """
    smooth = np.asarray(gaussian_filter(grey, (0, BLUR, BLUR), mode="nearest"), np.float32)
    return np.asarray(smooth - smooth.mean((1, 2), keepdims=True), np.float32)


def orbit_distances(a: Float32Array, b: Float32Array) -> Float32Array:
    """Root mean squared differences between pictures, the smallest over the eight symmetries of the square.

    Parameters
    ----------
    a, b : float32 arrays, shapes (n, side, side), (m, side, side)

    Returns
    -------
    float32 array, shape (n, m)
    """
    cells = a.shape[1] * a.shape[2]
    flat, other = a.reshape(len(a), cells), b.reshape(len(b), cells)
    best = np.full((len(a), len(b)), -np.inf, np.float32)
    for symmetry in range(SYMMETRIES):
        np.maximum(best, flat @ symmetric(b, symmetry).reshape(len(b), cells).T, out=best)
    squares = np.einsum("ij,ij->i", flat, flat)[:, None] + np.einsum("ij,ij->i", other, other)
    return np.asarray(np.sqrt(np.maximum(squares - 2 * best, 0) / cells), np.float32)


@dataclass(frozen=True)
class NearestPictures:
    """The nearest of some pictures to each of n others.

    Attributes
    ----------
    index : int array, shape (n,)
    distance : float32 array, shape (n,)
        Infinite where there is none.
    next_distance : float32 array, shape (n,)
        To the nearest one of another unit than that; infinite where there is none.
    """

    index: IntArray
    distance: Float32Array
    next_distance: Float32Array


def nearest_pictures(a: Float32Array, b: Float32Array, unit: IntArray, own: IntArray | None = None) -> NearestPictures:
    """The nearest of `b` to each of `a`, and how far the nearest one of another unit is.

    Parameters
    ----------
    a, b : float32 arrays, shapes (n, side, side), (m, side, side)
    unit : int array, shape (m,)
        Pictures of one unit are copies of each other.
    own : int array, shape (n,), optional
        A unit that does not count for each of `a`: its own.
    """
    # two candidates per block: its nearest one, and the nearest of another unit than that
    n = len(a)
    places = [np.zeros((n, 1), np.int64)]
    found = [np.full((n, 1), np.inf, np.float32)]
    for start in range(0, len(b), _BLOCK):
        part = slice(start, start + _BLOCK)
        distance = np.concatenate([orbit_distances(a[i : i + _BLOCK], b[part]) for i in range(0, n, _BLOCK)])
        if own is not None:
            distance[own[:, None] == unit[part]] = np.inf
        best = distance.argmin(1)
        other = np.where(unit[part] == unit[part][best][:, None], np.inf, distance)
        for at, of in ((best, distance), (other.argmin(1), other)):
            places.append(at[:, None] + start)
            found.append(np.take_along_axis(of, at[:, None], 1))
    place, distance = np.concatenate(places, 1), np.concatenate(found, 1)
    first = distance.argmin(1)[:, None]
    index = np.take_along_axis(place, first, 1)[:, 0]
    units = unit[place] if len(b) else place
    rest = np.where(units == units[np.arange(n), first[:, 0]][:, None], np.inf, distance)
    return NearestPictures(index, np.take_along_axis(distance, first, 1)[:, 0], rest.min(1).astype(np.float32))
