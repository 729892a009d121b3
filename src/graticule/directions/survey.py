"""A picture coloured by direction: hue tells the direction, saturation the coherency, brightness the picture."""

import numpy as np

from graticule.arrays import BoolArray, Float32Array, FloatArray, Pixels
from graticule.directions.filters import places
from graticule.directions.tensor import WINDOW, steps_of, structure_tensor

_MOST_PIXELS = 4_000_000
_RANGE = (0.5, 99.5)  # percentiles of the greys that become black and white
_DARKEST = 0.25  # of a coloured place: black has no hue
_WHEEL = 0.22  # of the shorter side
_LEAST_WHEEL, _MOST_WHEEL = 48, 320  # pixels
_MARGIN = 8


def colour_of(direction: FloatArray, saturation: FloatArray, value: FloatArray) -> Pixels:
    """Colours of directions in degrees (0 red, 60 green, 120 blue, 180 red again), shape (..., 3).

    Parameters
    ----------
    direction : float array
        Degrees.
    saturation, value : float arrays
        From 0 to 1.
    """
    sixth = np.asarray(direction)[..., None] / 30 % 6
    distance = np.abs((sixth - np.array([0.0, 2.0, 4.0]) + 3) % 6 - 3)
    hue = np.clip(2 - distance, 0, 1)
    mixed = value[..., None] * (1 - saturation[..., None] * (1 - hue))
    return np.asarray(np.rint(255 * mixed), np.uint8)


def colour_survey(grey: Float32Array, sigma: float, mask: BoolArray | None = None) -> Pixels:
    """The coloured picture, uint8 of shape (r, c, 3); of very large pictures every few pixels.

    Parameters
    ----------
    grey : float32 array, shape (h, w)
    sigma : float
    mask : bool array, shape (h, w), optional
        What does not count stays grey.
    """
    small = grey.size <= _MOST_PIXELS
    field = structure_tensor(grey, sigma, mask=mask, every_pixel=small)
    shown = grey
    if not small:
        for step in steps_of(grey.shape, sigma, WINDOW * sigma):
            shown = shown[places(shown.shape[0], step), places(shown.shape[1], step)]
    low, high = np.percentile(shown, _RANGE)
    value = np.clip((shown - low) / max(high - low, 1e-12), 0, 1).astype(np.float64)
    saturation = np.where(field.inside, field.coherency, 0).astype(np.float64)
    lit = _DARKEST * saturation + (1 - _DARKEST * saturation) * value
    return colour_of(field.direction.astype(np.float64), saturation, lit)


def wheel(side: int) -> tuple[Pixels, BoolArray]:
    """A disc whose colour at each place is that of the direction from its centre; pixels, and where it is."""
    row, column = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(row, column) / (side / 2)
    direction = np.degrees(np.arctan2(-row, column)) % 180
    one = np.ones_like(radius)
    return colour_of(direction, one, one), (radius <= 1) & (radius >= 0.45)


def with_wheel(survey: Pixels) -> Pixels:
    """The survey with the wheel in a white strip to its right, shape (r, c + strip, 3)."""
    height, width = survey.shape[:2]
    side = int(np.clip(_WHEEL * min(height, width), _LEAST_WHEEL, _MOST_WHEEL))
    canvas = np.full((max(height, side + 2 * _MARGIN), width + side + 2 * _MARGIN, 3), 255, np.uint8)
    canvas[:height, :width] = survey
    colours, disc = wheel(side)
    part = canvas[_MARGIN : _MARGIN + side, width + _MARGIN : width + _MARGIN + side]
    part[disc] = colours[disc]
    return canvas
