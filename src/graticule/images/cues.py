"""Numbers taken from an image that could give its class away without the object: border, info bar, marks, thumbnail.

They are measured once per image in the decoding workers; `graticule.audit.shortcuts` asks what they tell of the class.
All are means and standard deviations of 8-bit values over a thinned image, so that an image of 512 px takes well
under a millisecond.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array

SIDES = ("upper", "lower", "left", "right")
BORDER_SHARE = 0.05  # of the side's length, at least one pixel
STRIP_SHARE = 0.06  # of the height, where no info bar is known
STRIP_GAP = 0.10  # and how much of it lies between the strip and what it is compared with: bars are up to 15 % high
THUMBNAIL = 4
SEGMENTS = 8
_THINNED = 64  # about the pixels per side that are looked at
_STRIP_ROWS = 16

# counts changes of what is measured here, of how info bars are found, and of what is stored with it
CUES_VERSION = 5

CUE_NAMES: tuple[str, ...] = (
    *(f"border_{side}_{what}" for side in SIDES for what in ("red", "green", "blue", "sd")),
    "bar_present",
    "bar_height_share",
    "bar_at_top",
    *(
        f"{side}_strip_{what}"
        for side in ("lower", "upper")
        for what in ("mean", "log_sd", *(f"segment{i}" for i in range(SEGMENTS)))
    ),
    "brightness",
    "contrast",
    *(f"thumbnail_{r}{c}_{rgb}" for r in range(THUMBNAIL) for c in range(THUMBNAIL) for rgb in "rgb"),
    *(f"marks_{what}" for what in ("looked_for", "outside", "inside")),
)
N_CUES = len(CUE_NAMES)
BORDER = slice(0, 16)
BAR = slice(16, 19)
LOWER_STRIP = slice(19, 21 + SEGMENTS)
UPPER_STRIP = slice(21 + SEGMENTS, 23 + 2 * SEGMENTS)
BRIGHTNESS = slice(23 + 2 * SEGMENTS, 25 + 2 * SEGMENTS)
THUMBNAIL_COLOURS = slice(25 + 2 * SEGMENTS, N_CUES - 3)
MARKS = slice(N_CUES - 3, N_CUES)


def measure_cues(
    pixels: NDArray[np.uint8], bar: tuple[int, int] | None, marks: tuple[float, float] | None = None
) -> Float32Array:
    """What border, info bar, burnt-in marks and thumbnail of one image look like.

    Parameters
    ----------
    pixels : uint8 array, shape (h, w) or (h, w, 3)
        Grey or RGB, h and w >= 1.
    bar : (int, int) or None
        Rows [top, bottom) of an info bar at the upper or lower edge; None where there is none. A bar that leaves no
        picture counts as none.
    marks : tuple of two float, optional
        Shares of the frame that marks cover outside and inside the scan, from
        `graticule.images.burnt_in.ultrasound.mark_shares`; None where they were not looked for.

    Returns
    -------
    float32 array, shape (N_CUES,)
        In the order of `CUE_NAMES`; grey levels of 255 unless stated.

        border (`BORDER`): for each side of the picture without its bar, the outermost 5 % (at least one pixel): mean
        red, green, blue; standard deviation of the grey.
        bar (`BAR`): 1 or 0; its share of the height; 1 where it is at the top.
        strips (`LOWER_STRIP`, `UPPER_STRIP`): how the bar differs from as many rows next to it or, where no bar is
        known, the outermost 6 % of the rows from rows 10 % of the height further in: mean, natural logarithm of the
        ratio of standard deviations (each plus one), and means of eight segments from left to right. A picture without
        bar or burnt-in text gives about 0.
        `BRIGHTNESS`: mean and standard deviation of the picture's grey.
        `THUMBNAIL_COLOURS`: 4 x 4 cells, row by row, mean red, green, blue.
        `MARKS`: 1 where marks were looked for, else 0; their two shares of the frame.

    Raises
    ------
    ValueError
        If there are no pixels, or they have another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.size == 0 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise ValueError(f"pixels are {pixels.dtype} {pixels.shape}; expected uint8 (h, w) or (h, w, 3), not empty")
    height = pixels.shape[0]
    top, bottom = bar if bar is not None else (0, 0)
    at_top = bar is not None and top <= 0
    first, last = (bottom, height) if at_top else (0, top if bar is not None else height)
    if not 0 <= first < last <= height:
        bar, at_top, first, last = None, False, 0, height
    planes = _planes(pixels[first:last], _THINNED)
    grey = _grey(planes)
    values = np.empty(N_CUES, dtype=np.float32)
    values[BORDER] = _border(planes, grey)
    values[BAR] = bar is not None, 0.0 if bar is None else 1 - (last - first) / height, at_top
    values[LOWER_STRIP] = _strip(pixels, height - last)
    values[UPPER_STRIP] = _strip(pixels[::-1], first)
    values[BRIGHTNESS] = _mean(grey), _sd(grey)
    values[THUMBNAIL_COLOURS] = _thumbnail(planes)
    values[MARKS] = marks is not None, *(marks or (0.0, 0.0))
    return values


def _mean(values: Float32Array, axis: int | tuple[int, ...] | None = None) -> Any:
    """`values.mean(axis)` without its checks, which cost more than the sums of so few numbers."""
    total = np.add.reduce(values, axis=axis)
    return total / np.float32(values.size // total.size)


def _sd(values: Float32Array) -> Any:
    """`values.std()`, likewise."""
    deviations = values - _mean(values)
    return np.sqrt(_mean(np.multiply(deviations, deviations, out=deviations)))


def _grey(planes: Float32Array) -> Float32Array:
    """Mean of the channels, shape (h, w)."""
    grey: Float32Array = planes[0] if len(planes) == 1 else _mean(planes, axis=0)
    return grey


def _planes(pixels: NDArray[np.uint8], rows: int) -> Float32Array:
    """The image thinned to between `rows` and twice as many rows, and columns likewise; shape (1 or 3, h, w)."""
    height, width = pixels.shape[:2]
    step_y, step_x = max(1, height // rows), max(1, width // _THINNED)
    thinned = pixels[step_y // 2 :: step_y, step_x // 2 :: step_x]
    # Colour first: sums along the last axis of three are slow.
    planes = thinned[None] if thinned.ndim == 2 else thinned.transpose(2, 0, 1)
    return planes.astype(np.float32, order="C")


def _border(planes: Float32Array, grey: Float32Array) -> Float32Array:
    """Mean colour and standard deviation of the grey of the four sides, shape (16,)."""
    rows, columns = (max(1, round(BORDER_SHARE * n)) for n in grey.shape)
    values = np.empty((len(SIDES), 4), dtype=np.float32)
    for i, side in enumerate((np.s_[:rows, :], np.s_[-rows:, :], np.s_[:, :columns], np.s_[:, -columns:])):
        values[i, :3] = _mean(planes[:, side[0], side[1]], axis=(1, 2))
        values[i, 3] = _sd(grey[side])
    return values.reshape(-1)


def _strip(pixels: NDArray[np.uint8], bar_rows: int) -> Float32Array:
    """How the lowest rows differ from as many rows further up, shape (2 + SEGMENTS,)."""
    height = len(pixels)
    values = np.zeros(2 + SEGMENTS, dtype=np.float32)
    n = bar_rows or max(1, round(STRIP_SHARE * height))
    last = height - n - (0 if bar_rows else round(STRIP_GAP * height))
    if last >= 1:
        edge = _grey(_planes(pixels[height - n :], _STRIP_ROWS))
        inner = _grey(_planes(pixels[max(0, last - n) : last], _STRIP_ROWS))
        difference = _mean(edge, axis=0) - _mean(inner, axis=0)
        values[:2] = _mean(difference), np.log((_sd(edge) + 1) / (_sd(inner) + 1))
        values[2:] = _cells(difference, SEGMENTS, 0)
    return values


def _thumbnail(planes: Float32Array) -> Float32Array:
    """Mean colour of 4 x 4 cells, row by row, shape (48,); a picture under 4 px repeats its pixels."""
    cells = _cells(_cells(planes, THUMBNAIL, 1), THUMBNAIL, 2)
    colours = np.empty((THUMBNAIL, THUMBNAIL, 3), dtype=np.float32)
    colours[:] = cells.transpose(1, 2, 0)
    return colours.reshape(-1)


def _cells(values: Float32Array, n: int, axis: int) -> Float32Array:
    """Means of n equal stretches along an axis; where there are fewer than n values, some are repeated."""
    starts, sizes = _stretches(values.shape[axis], n)
    sums: Float32Array = np.add.reduceat(values, starts, axis=axis)
    means: Float32Array = sums / sizes.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
    return means


@lru_cache(maxsize=256)
def _stretches(length: int, n: int) -> tuple[NDArray[np.intp], Float32Array]:
    """First value and number of values of n equal stretches."""
    starts: NDArray[np.intp] = np.arange(n, dtype=np.intp) * length // n
    return starts, np.maximum(np.diff(starts, append=length), 1).astype(np.float32)
