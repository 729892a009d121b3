"""Maps as pictures: evidence for a class in orange, against it in blue, over the grey picture."""

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from graticule.arrays import FloatArray, Pixels
from graticule.explain.pooled import resized
from graticule.explain.refine import refined

LONGEST = 336
SMOOTHING = 0.015  # standard deviation over the side: the finest maps are grainy
_FEWEST_CELLS = 0.8
_STRIDE, _FEWEST = 32, 4
# evidence for the class and against it, red, green and blue from 0 to 255
FOR = np.array([224.0, 110.0, 20.0])
AGAINST = np.array([40.0, 110.0, 210.0])
_OPAQUE = 0.85
_FULL_SCALE = 99.5  # percentile of the absolute values that is drawn in full colour


def full_scale(maps: NDArray[np.floating]) -> float:
    """The absolute value to draw in full colour, for one or several maps that are to be compared; above 0."""
    strength = np.abs(np.asarray([smoothed(m) for m in maps.reshape(-1, *maps.shape[-2:])]))
    return max(float(np.percentile(strength, _FULL_SCALE)), np.finfo(np.float64).tiny)


def smoothed(values: NDArray[np.floating], width: float = SMOOTHING) -> FloatArray:
    """A map smoothed by a Gaussian whose standard deviation is `width` times its side; shape kept.

    At least 0.8 cells, else the eye would see the cells of coarse maps.
    """
    cells = max(width * values.shape[-1], _FEWEST_CELLS)
    return np.asarray(gaussian_filter(np.asarray(values, np.float64), cells, mode="nearest"))


def peak(values: NDArray[np.floating], pixels: Pixels) -> tuple[float, float]:
    """Column and row of the strongest evidence for the class, as shares of width and height in (0, 1).

    Read from the map refined along the picture's edges, see `graticule.explain.refine`: networks end at a stride of 32
    pixels, and evidence of cells as wide as that spills over the rims of small and thin objects.

    Parameters
    ----------
    values : array, shape (g, g)
    pixels : uint8 array, shape (S, S, 3)
    """
    fine = refined(values[None], pixels, max(_FEWEST, -(-len(pixels) // _STRIDE)))[0]
    row, column = np.unravel_index(int(fine.argmax()), fine.shape)
    return (float(column) + 0.5) / fine.shape[1], (float(row) + 0.5) / fine.shape[0]


def picture(pixels: Pixels, shape: tuple[int, int]) -> Pixels:
    """The network's input in the proportions of the stored picture, longest edge 336.

    Parameters
    ----------
    pixels : uint8 array, shape (S, S, 3)
    shape : tuple of int
        Height and width of what the network saw, before it was made square.
    """
    height, width = (max(1, round(edge * LONGEST / max(shape))) for edge in shape)
    return np.asarray(PIL.Image.fromarray(pixels).resize((width, height), PIL.Image.Resampling.BICUBIC))


def overlay(shown: Pixels, values: NDArray[np.floating], scale: float) -> Pixels:
    """A map over a picture.

    Parameters
    ----------
    shown : uint8 array, shape (height, width, 3)
    values : array, shape (g, g)
        Signed.
    scale : float
        Absolute value drawn in full colour.

    Returns
    -------
    uint8 array, shape (height, width, 3)
    """
    fine = resized(smoothed(values), *shown.shape[:2])
    strength = np.clip(np.abs(fine) / scale, 0, 1)[:, :, None] * _OPAQUE
    grey = (shown @ np.array([0.299, 0.587, 0.114]))[:, :, None]
    colour = np.where(fine[:, :, None] > 0, FOR, AGAINST)
    return np.asarray(np.rint(grey * (1 - strength) + colour * strength), np.uint8)
