"""Finer maps: evidence laid along the picture's own edges, by the guided filter.

The cells of deep layers are coarse, a seventh of the side or more, so their evidence spills over the rims of small and
thin objects. The guided filter (He, Sun and Tang, "Guided image filtering", IEEE TPAMI 35:1397, 2013) fits the map in
every window by a line in the picture's brightness, map = a guide + b, and averages the lines of the windows over a
cell: evidence is shared out among the pixels of a window by their tone. Nothing is invented where map and tone do not
go together: there a is 0, and the map is only smoothed.

For one picture the filter is linear in the map, so refined maps of classes may be added and subtracted as the maps may.

Only the peak is read from refined maps: by deletion and insertion they are less faithful than the maps themselves.
"""

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from graticule.arrays import FloatArray, Pixels
from graticule.explain.pooled import resized

GRID = 56
RIDGE = 0.1  # weight of tones that vary less than this share of the picture's variance fades
_WINDOW = 0.5  # half the window's side, in cells of the coarsest layer: windows are as wide as what is not resolved
_SMOOTHING = 0.25  # standard deviation in the same cells, before the fit: single fine cells are grainy


def refined(maps: NDArray[np.floating], pixels: Pixels, coarsest: int) -> FloatArray:
    """Maps of one picture on a finer grid, along its edges.

    Parameters
    ----------
    maps : array, shape (T, g, g)
    pixels : uint8 array, shape (S, S, 3)
    coarsest : int
        Cells along each side of the coarsest layer in the maps.

    Returns
    -------
    float array, shape (T, G, G)
        G is g, but at least 56 or S where that is less. Each map keeps its total.
    """
    cells = max(maps.shape[-1], min(GRID, len(pixels)))
    share = (maps.shape[-2] * maps.shape[-1]) / (cells * cells)
    width = cells / coarsest
    smooth = gaussian_filter(resized(maps, cells, cells) * share, (0, *[_SMOOTHING * width] * 2), mode="nearest")
    fine = guided(smooth, _guide(pixels, cells), max(1, round(_WINDOW * width)))
    lacking = (maps.sum(axis=(-2, -1)) - fine.sum(axis=(-2, -1))) / (cells * cells)
    return np.asarray(fine + lacking[:, None, None])


def guided(maps: NDArray[np.floating], guide: FloatArray, radius: int, ridge: float = RIDGE) -> FloatArray:
    """The guided filter with square windows.

    Parameters
    ----------
    maps : array, shape (T, h, w)
    guide : array, shape (h, w)
        Of variance 1.
    radius : int
        Windows have 2 radius + 1 cells along each side; the rim is repeated outwards.
    ridge : float, above 0
        Added to the variance of the guide in a window.
    """
    size = 2 * radius + 1
    level, mean = _box(guide, size), _box(maps, size)
    variance = np.maximum(_box(guide * guide, size) - level * level, 0)
    slope = (_box(maps * guide, size) - mean * level) / (variance + ridge)
    return np.asarray(_box(slope, size) * guide + _box(mean - slope * level, size))


def _guide(pixels: Pixels, cells: int) -> FloatArray:
    """Brightness on the grid, mean 0 and variance 1; all 0 for a flat picture."""
    grey = PIL.Image.fromarray(pixels).convert("L").resize((cells, cells), PIL.Image.Resampling.BOX)
    values = np.asarray(grey, np.float64)
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))


def _box(values: NDArray[np.floating], size: int) -> FloatArray:
    """Means over windows of the last two axes."""
    sizes = (*[1] * (values.ndim - 2), size, size)
    return np.asarray(uniform_filter(np.asarray(values, np.float64), sizes, mode="nearest"))
