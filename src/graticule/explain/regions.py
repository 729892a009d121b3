"""Places of the network's input that are no specimen: the frame along its border, and the info bar."""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray
from graticule.images.burnt_in.infobar import Bar, crop_bar
from graticule.images.preprocess import Preprocessing, fit

FRAME = 1 / 16  # width of the border frame over the side of the input: 23 % of the area


def border_frame(side: int) -> BoolArray:
    """Mask of the outermost sixteenth along each edge, shape (side, side)."""
    width = max(1, round(side * FRAME))
    mask = np.ones((side, side), bool)
    mask[width : side - width, width : side - width] = False
    return mask


def bar_mask(
    bar: Bar | None, size: tuple[int, int], preprocessing: Preprocessing, pixel_size_nm: float | None = None
) -> BoolArray | None:
    """Where an info bar lies in the network's input, shape (side, side); None where the network does not see one.

    Parameters
    ----------
    bar : Bar or None
        In rows of the stored image.
    size : tuple of int
        Height and width of the stored image.
    """
    if bar is None or preprocessing.info_bar == "crop":
        return None
    marked = np.zeros(size, np.uint8)
    marked[bar.top : bar.bottom] = 255
    mask = fit(marked, preprocessing, pixel_size_nm)[:, :, 0] > 127
    picture = picture_mask(size, preprocessing, pixel_size_nm)
    if picture is not None:
        mask &= picture
    return mask if mask.any() else None


def picture_mask(
    size: tuple[int, int], preprocessing: Preprocessing, pixel_size_nm: float | None = None
) -> BoolArray | None:
    """Where the picture lies in the network's input, shape (side, side); None where it fills it.

    At a physical scale a small picture is centred, and what is missing around it is filled, see `fit`.

    Parameters
    ----------
    size : tuple of int
        Height and width of the stored image.
    """
    if preprocessing.scale_nm is None or pixel_size_nm is None:
        return None
    side, factor = preprocessing.size, pixel_size_nm / preprocessing.scale_nm
    height, width = (min(side, max(1, round(min(edge, side / factor) * factor))) for edge in size)
    if height == width == side:
        return None
    mask = np.zeros((side, side), bool)
    top, left = (side - height) // 2, (side - width) // 2
    mask[top : top + height, left : left + width] = True
    return mask


def shown_size(bar: Bar | None, size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    """Height and width of the part of the stored image that the network sees, before it is made square."""
    if preprocessing.scale_nm is not None:
        return preprocessing.size, preprocessing.size
    if bar is None or preprocessing.info_bar == "keep":
        return size
    height, width = crop_bar(np.broadcast_to(np.uint8(0), size), bar).shape
    return height, width


def share_in(values: NDArray[np.floating], mask: BoolArray | None) -> float | None:
    """Share of a map's absolute values that lies in a region, 0 to 1; None without region or without any value."""
    if mask is None:
        return None
    strength = np.abs(values)
    total = float(strength.sum())
    return float(strength[mask].sum()) / total if total > 0 else None
