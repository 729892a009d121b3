"""The structure tensor: direction, coherency and energy around each place of a picture.

Directions are everywhere in degrees counter-clockwise from the horizontal, from 0 to below 180, of the structure (a
wire, an edge), not of the gradient across it. A wire that rises to the right at 30 degrees has direction 30.
"""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from graticule.arrays import BoolArray, Float32Array
from graticule.directions.filters import along_rows, places, transposed
from graticule.directions.gradient import gaussian_gradient

WINDOW = 1.5  # sigma of the window over that of the gradient
_MANY_PLACES = 2**17
_ROUNDING = 5e-6  # gradient over the largest grey that single precision gives a picture of one colour
BORDER = 3.0  # sigmas of the gradient that are left out along the border and along a mask


@dataclass(frozen=True)
class Field:
    """What the structure tensor says at every place that is looked at.

    Attributes
    ----------
    direction : float32 array, shape (r, c)
        Degrees, 0 to 180.
    coherency : float32 array, shape (r, c)
        0: the gradients around a place point anywhere, or there are none; 1: all along one line. It is no measure
        of alignment.
    energy : float32 array, shape (r, c)
        Mean squared gradient around a place.
    inside : bool array, shape (r, c)
        Places to be counted: neither at the border nor masked.
    """

    direction: Float32Array
    coherency: Float32Array
    energy: Float32Array
    inside: BoolArray


def steps_of(shape: tuple[int, ...], sigma: float, window: float) -> tuple[int, int]:
    """Pixels between gradients, and gradients between places: nothing is lost that the Gaussians have left.

    Of large pictures fewer places are looked at; some hundred thousand tell enough.
    """
    large = shape[0] * shape[1] > 4 * _MANY_PLACES
    gradients = max(1, int(sigma / (1.2 if large else 1.9)))
    places = max(1, round(window / (1.5 * gradients)))
    n = shape[0] * shape[1] / (gradients * places) ** 2
    return gradients, places * max(1, int(np.sqrt(n / _MANY_PLACES)))


def least_side(sigma: float) -> int:
    """The smallest side of a picture that is measured at a scale, pixels: its borders and some windows across."""
    return int(np.ceil(2 * BORDER * sigma + 10 * WINDOW * sigma))


def inside_of(shape: tuple[int, int], mask: BoolArray | None, sigma: float) -> BoolArray:
    """Pixels whose gradient neither the border nor what a mask leaves out has a part in."""
    border = int(np.ceil(BORDER * sigma))
    inside = np.zeros(shape, dtype=np.bool_)
    inside[border : shape[0] - border, border : shape[1] - border] = True
    if mask is not None:
        inside &= scipy.ndimage.distance_transform_edt(mask) > border
    return inside


def structure_tensor(
    grey: Float32Array,
    sigma: float,
    *,
    mask: BoolArray | None = None,
    window: float | None = None,
    every_pixel: bool = False,
) -> Field:
    """The structure tensor of a picture.

    Parameters
    ----------
    grey : float32 array, shape (h, w)
    sigma : float
        Of the Gaussian whose derivative is the gradient, pixels.
    mask : bool array, shape (h, w), optional
        True where the picture counts. Gradients beside what does not count are left out.
    window : float, optional
        Sigma of the Gaussian window in pixels, by default 1.5 sigma. Gaussian, since a box prefers the axes.
    every_pixel : bool
        Whether every pixel is looked at; by default as few as tell the same.

    Returns
    -------
    Field
    """
    window = WINDOW * sigma if window is None else window
    apart, between = (1, 1) if every_pixel else steps_of(grey.shape, sigma, window)
    right, down = gaussian_gradient(grey, sigma, apart)
    whole = inside_of(grey.shape, mask, sigma)[places(grey.shape[0], apart), places(grey.shape[1], apart)]
    right, down = right * whole.T, down * whole.T

    def windowed(product: Float32Array) -> Float32Array:
        across = transposed(along_rows(product, window / apart, step=between))
        return along_rows(across, window / apart, step=between)

    xx, yy, xy = windowed(right * right), windowed(down * down), windowed(right * down)
    energy, difference, cross = xx + yy, yy - xx, 2 * xy
    length = np.sqrt(difference * difference + cross * cross)
    # rows count downwards: the sign of the mixed term turns, and the structure lies across its gradient
    direction = np.arctan2(cross, difference) * np.float32(90 / np.pi)
    direction += np.float32(180) * (direction < 0)
    direction[direction >= 180] = 0  # of a tiny negative angle, by rounding
    rounding = (_ROUNDING * float(np.abs(grey).max())) ** 2
    coherency = np.divide(length, energy, out=np.zeros_like(length), where=energy > rounding)
    inside = whole[places(whole.shape[0], between), places(whole.shape[1], between)]
    return Field(direction, coherency, energy, inside)
