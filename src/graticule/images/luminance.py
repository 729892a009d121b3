"""An image as brightness at full depth, without its info bar and burnt-in marks: to be measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, Float32Array
from graticule.images.burnt_in.infobar import Bar, find_bar
from graticule.images.burnt_in.ultrasound import find_marks
from graticule.images.image import Image
from graticule.images.intensity import choose_intensity, pixel_range, to_uint8

# of red, green and blue in the brightness of a picture (ITU-R BT.601)
LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class Brightness:
    """What is left of an image to be measured.

    Attributes
    ----------
    grey : float32 array, shape (h, w)
        Values as stored, of whatever depth; colour by its luminance.
    counts : bool array, shape (h, w), or None
        False on burnt-in marks; None where everything counts.
    bar : Bar or None
        The info bar that was cut off.
    """

    grey: Float32Array
    counts: BoolArray | None
    bar: Bar | None


def brightness_of(image: Image, *, info_bar: str = "crop", marks: str = "keep") -> Brightness:
    """Cut the info bar off and leave burnt-in marks out, as `graticule.images.preprocess.picture_of` does.

    Nothing is rounded to 8 bits but what bars and marks are looked for in.

    Parameters
    ----------
    image : Image
    info_bar : "crop" or "keep"
    marks : "keep" or "mask"
    """
    eight = to_uint8(image, choose_intensity("auto", [pixel_range(image)])[0])
    bar = find_bar(eight, image.metadata) if info_bar == "crop" else None
    rows = rows_beside(bar, image.height)
    pixels: NDArray[np.generic] = image.pixels[rows]
    counts = ~find_marks(eight[rows]).mask if marks == "mask" else None
    grey = pixels.astype(np.float32)
    return Brightness(grey if grey.ndim == 2 else grey @ LUMINANCE, counts, bar)


def rows_beside(bar: Bar | None, height: int) -> slice:
    """Rows of an image of some height that no info bar stands in."""
    if bar is None:
        return slice(None)
    return slice(bar.bottom, height) if bar.top == 0 else slice(0, bar.top)
