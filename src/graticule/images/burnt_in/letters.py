"""Two signs of a drawn bar, column by column: what the picture shows ends at its edge, and text stands free in it.

A particle that ends by itself narrows towards its end; one that a bar hides is as wide in the last row as some rows
above. Letters stand in lines: many small marks have their lower or upper end in the same row, and touch neither the
edge nor the border of the image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_INK = 36  # least difference of a mark's grey from the ground
_OFF = 24  # difference from the ground from which a pixel belongs to something that the picture shows
_ON = 12  # and up to which a pixel below the edge is ground
_TONE = 8  # greys that the grounds of several parts of the width span at most where the bar is of one tone
_CONNECTED = np.ones((3, 3), dtype=np.int8)


@dataclass(frozen=True)
class Ends:
    """Columns whose picture ends at an edge.

    `share` of all columns; `crossing`: the share, of the columns that show something above, that go on below the edge;
    `kept`: columns that show something just above the edge over those some rows higher; `runs`: separate groups of
    columns that end.
    """

    share: float
    crossing: float
    kept: float
    runs: int


@dataclass(frozen=True)
class BarMarks:
    """Marks within a bar: how many stand in the fullest line, and which share of the ink lies in free marks."""

    in_line: int
    free: float


def ends(grey: NDArray[np.uint8], rows: tuple[int, int], ground: NDArray[np.int16]) -> Ends:
    """What ends at an edge.

    Parameters
    ----------
    grey : uint8 array, shape (rows, columns)
    rows : tuple of int
        First row of the line that frames the supposed bar (at least 10), and first row of the bar below that line (at
        most the height less 3); the same without a frame.
    ground : int16 array, shape (parts, 1)
        Grey of the bar's ground in equal parts of the width.
    """
    top, edge = rows
    level = np.repeat(ground.ravel(), grey.shape[1] // ground.size)
    # The row just above may be blurred into the bar by resampling.
    near = _is_off(grey[top - 4 : top - 1], level)
    far = _is_off(grey[top - 10 : top - 7], level)
    on = (np.abs(grey[edge + 1 : edge + 3].astype(np.int16) - level) <= _ON).any(axis=0)
    ending = near & on
    starts = int(np.count_nonzero(np.diff(np.concatenate([[False], ending]).astype(np.int8)) == 1))
    shown = max(int(near.sum()), 1)
    return Ends(float(ending.mean()), float((near & ~on).sum() / shown), shown / max(int(far.sum()), 1), starts)


def _is_off(rows: NDArray[np.uint8], level: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Columns whose pixels are off the level in most of three rows, noise in one row apart; shape (columns,)."""
    off = np.abs(rows.astype(np.int16) - level) > _OFF
    most = off.sum(axis=0) >= 2
    from scipy import ndimage  # few images have something like a bar

    return np.asarray(ndimage.median_filter(most.astype(np.uint8), 5) > 0)


def marks(bar: NDArray[np.uint8], ground: NDArray[np.int16]) -> BarMarks:
    """Lines of text, or ticks of a scale bar, in the rows of a supposed bar.

    Parameters
    ----------
    bar : uint8 array, shape (rows, columns)
        All rows from the edge to the border of the image.
    ground : int16 array, shape (parts, 1)
    """
    rows, columns = bar.shape
    level = np.repeat(ground.ravel(), columns // ground.size)
    from scipy import ndimage

    labels, n = ndimage.label(np.abs(bar.astype(np.int16) - level) > _INK, _CONNECTED)
    if n == 0:
        return BarMarks(0, 0.0)
    area = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    box = np.array([(y.start, y.stop, x.start, x.stop) for y, x in ndimage.find_objects(labels)])
    height, width = box[:, 1] - box[:, 0], box[:, 3] - box[:, 2]
    # Rules and frames run through the bar from side to side and hold little of their box.
    ruled = (width >= 0.5 * columns) | ((height >= 0.9 * rows) & (width <= 4))
    inside = (box[:, 0] >= 1) & (box[:, 1] <= rows - 1) & (box[:, 2] >= 1) & (box[:, 3] <= columns - 1)
    free = inside & ~ruled & (width <= 0.35 * columns)
    letters = free & (height >= 3) & (area >= 4)
    if not letters.any():
        return BarMarks(0, 0.0)
    lines = [np.bincount(box[letters, end], minlength=rows + 1) for end in (0, 1)]
    in_line = max(int((line[1:] + line[:-1]).max()) for line in lines)
    return BarMarks(in_line, float(area[free].sum() / max(int(area[~ruled].sum()), 1)))


def is_of_two_tones(ground: NDArray[np.int16]) -> bool:
    """Whether at most two greys are the ground of nearly all parts of the width; that of a picture varies."""
    rest, covered = ground.ravel(), 0
    for _ in range(2):
        near = (rest - rest[:, None] >= 0) & (rest - rest[:, None] <= _TONE)
        tone = near[near.sum(axis=1).argmax()] if rest.size else np.zeros(0, dtype=np.bool_)
        covered, rest = covered + int(tone.sum()), rest[~tone]
    return covered >= ground.size - 3


def is_lettered(
    grey: NDArray[np.uint8], rows: tuple[int, int], ground: NDArray[np.int16], quiet: float, straight: bool
) -> bool:
    """Whether the picture ends at the edge as if it were hidden from there on, and lines of letters stand below.

    Where picture and bar are of one grey, the edge shows in a few parts of the width only; the letters make up for it.

    Parameters
    ----------
    grey : uint8 array, shape (rows, columns)
    rows : tuple of int
        As for `ends`.
    ground : int16 array, shape (parts, 1)
    quiet : float
        Largest share of the ground's grey in one of the bar's first rows.
    straight : bool
        Whether the edge stands in one row in nearly all parts of the width.
    """
    if rows[0] < 10 or quiet < (0.6 if straight else 0.9):
        return False
    end = ends(grey, rows, ground)
    if end.share < 0.1 or end.kept < 0.65 or end.crossing > (0.3 if straight else 0.06) or end.runs < 2:
        return False
    mark = marks(grey[rows[1] :], ground)
    return mark.in_line >= 8 and mark.free >= 0.8
