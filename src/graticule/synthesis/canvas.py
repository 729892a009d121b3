"""Pictures of any size on one square canvas, where they are compared pixel by pixel and drawn anew.

picture ── shrunk where it is larger ──> centred ── continued by reflection ──> (side, side)

Reflection goes on as the background does. Repeating the edge makes streaks, which a generator learns and draws.
"""

from collections.abc import Sequence

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.arrays import Float32Array, Pixels
from graticule.images.luminance import LUMINANCE
from graticule.synthesis.options import SIDES

# the share of pictures that a canvas must hold without shrinking
HELD = 0.9


def canvas_side(longer: Sequence[int] | NDArray[np.integer]) -> int:
    """The smallest canvas that holds nine in ten pictures as they are; the largest where none does.

    Parameters
    ----------
    longer : sequence of int
        Longer side of each picture, pixels.
    """
    wanted = float(np.quantile(np.asarray(longer), HELD))
    return next((side for side in SIDES if side >= wanted), SIDES[-1])


def to_canvas(picture: Pixels, side: int) -> Float32Array:
    """A picture in the middle of a square, float32 in [0, 1] of shape (side, side) or (side, side, 3).

    Parameters
    ----------
    picture : uint8 array, shape (h, w) or (h, w, 3)
        Larger ones are shrunk by area, with their shape kept; none is enlarged.
    side : int
        Pixels.
    """
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor < 1:
        # a thin picture keeps one pixel at least
        size = max(1, round(width * factor)), max(1, round(height * factor))
        picture = np.asarray(PIL.Image.fromarray(picture).resize(size, PIL.Image.Resampling.BOX))
        height, width = picture.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    around = ((top, side - height - top), (left, side - width - left), (0, 0))[: picture.ndim]
    return np.asarray(np.pad(picture, around, mode="symmetric") / 255, np.float32)


def grey_canvas(canvas: Float32Array) -> Float32Array:
    """Brightness of canvases, shape (..., side, side), of grey ones or of colour (..., side, side, 3)."""
    colour = canvas.shape[-1] == 3 and canvas.ndim >= 3 and canvas.shape[-2] == canvas.shape[-3]
    return np.asarray(canvas @ LUMINANCE if colour else canvas, np.float32)


def centred_canvas(picture: Pixels, side: int) -> Float32Array:
    """Brightness of a picture whose middle is that of the canvas, to half a pixel, shape (side, side).

    A picture of odd width cannot stand in the middle of an even canvas; mirrored, it would stand a pixel apart. It is
    the mean of the two places beside the middle here, so that turning the picture turns the canvas.
    """
    total = np.zeros((side, side), np.float32)
    for rows, columns in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        moved = np.ascontiguousarray(picture[::rows, ::columns])
        total += grey_canvas(to_canvas(moved, side))[::rows, ::columns]
    return np.asarray(total / 4, np.float32)


def cut_out(canvas: Float32Array, height: int, width: int) -> Pixels:
    """A picture of 8 bits from the middle of a canvas, where `to_canvas` puts it; shape (height, width) or with colour.

    Parameters
    ----------
    canvas : float32 array, shape (side, side) or (side, side, 3)
        0 to 1.
    height, width : int
        At most the side, pixels.
    """
    side = canvas.shape[0]
    top, left = (side - height) // 2, (side - width) // 2
    return np.asarray(np.round(canvas[top : top + height, left : left + width] * 255), np.uint8)
