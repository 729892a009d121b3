"""The info bar that a scanning electron microscope burns into an image, found from metadata or from pixels.

A bar is taken for one on evidence of four kinds, and all must hold: its rows are flat (drawn, not scanned: neighbouring
pixels are equal), its edge is straight and runs through the whole width, the picture on the other side of the edge is
not flat at the same greys, and the rows bear marks (text, rules, a scale bar). A strip without marks counts only when
it is a single grey, low, and beside a picture that reaches the other three sides of the image: padding does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.data.instrument import Metadata

MIN_ROWS = 64  # an image with fewer rows has no bar
MIN_COLUMNS = 192  # nor one with fewer columns: no text would be legible
_LEAST_ROWS = 6
_LOWEST, _HIGHEST = 0.02, 0.30  # height of a bar over that of the image
_COLUMNS = 512  # columns looked at; a wider image is thinned out, which leaves its rows as they are
_BLOCKS = 16  # parts of the width in which the edge must stand in the same row
_BINS = 64  # of four grey levels each
_CAP = 48.0  # a difference of grey counts up to this: an edge is not the stronger for a few bright particles
_REACH = 24  # rows of the picture looked at beyond an edge
_LINE_SPREAD = 12  # greys by which the pixels of a ruled line differ at most, after resampling
_INK = 36  # least difference of grey between neighbours that makes a mark


@dataclass(frozen=True)
class Bar:
    """Rows [top, bottom) of an image that are an info bar; they touch its upper or its lower edge.

    `source` is "metadata" or "pixels".
    """

    top: int
    bottom: int
    source: str


def find_bar(pixels: NDArray[np.uint8], metadata: Metadata | None = None) -> Bar | None:
    """The info bar of an image, or None.

    Parameters
    ----------
    pixels : uint8 array, shape (h, w) or (h, w, 3)
    metadata : Metadata or None
        Where they tell the rows of the picture proper (0 < image_rows < h) and the rest is at most half of the image,
        the bar is taken from there and the pixels are not looked at.

    Returns
    -------
    Bar or None
        Rows at the lower or upper edge. Images of fewer than 64 rows or 192 columns have no bar that pixels could tell.
    """
    height = pixels.shape[0]
    if metadata is not None and metadata.image_rows is not None and height // 2 <= metadata.image_rows < height:
        return Bar(metadata.image_rows, height, "metadata")
    if height < MIN_ROWS or pixels.shape[1] < MIN_COLUMNS:
        return None
    thinned = pixels[:, :: -(-pixels.shape[1] // _COLUMNS)]
    grey = thinned if thinned.ndim == 2 else _brightness(thinned)
    grey = grey[:, : grey.shape[1] // _BLOCKS * _BLOCKS]
    for at_top in (False, True):
        edge = _edge(grey[::-1] if at_top else grey)
        if edge is not None:
            return Bar(0, height - edge, "pixels") if at_top else Bar(edge, height, "pixels")
    return None


def crop_bar(pixels: NDArray[np.uint8], bar: Bar | None) -> NDArray[np.uint8]:
    """The image without the bar's rows (a view); the image itself without a bar.

    Raises
    ------
    ValueError
        If the bar touches neither edge of the image, or would leave no row.
    """
    if bar is None:
        return pixels
    height = pixels.shape[0]
    if bar.top == 0 and 0 < bar.bottom < height:
        return pixels[bar.bottom :]
    if 0 < bar.top < bar.bottom == height:
        return pixels[: bar.top]
    raise ValueError(f"rows {bar.top} to {bar.bottom} are no bar at an edge of {height} rows")


def _brightness(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Half the green and a quarter of red and blue each, uint8: coloured text stays apart from a grey ground."""
    # In 16 bits and shifts, because a weighted sum in floats would take longer than all the rest.
    total = pixels[:, :, 1].astype(np.uint16) * 2 + pixels[:, :, 0] + pixels[:, :, 2]
    return (total >> 2).astype(np.uint8)


def _edge(grey: NDArray[np.uint8]) -> int | None:
    """First row of a bar at the lower edge, of an image of shape (h, 16 k); None without one."""
    height = grey.shape[0]
    first = int((1 - _HIGHEST) * height) - _REACH
    first = max(first, 1)
    strip = grey[first:]
    lowest, highest = max(_LOWEST * height, _LEAST_ROWS), _HIGHEST * height
    found: list[tuple[float, int]] = []
    for candidate, score in _candidates(strip, int(np.ceil(lowest))):
        # The half-way row is the better guess, save where compression has blurred the first rows of the bar.
        guess = _refined(strip, candidate)
        # The guess fails where a ruled line of some rows borders the bar, or compression blurs the bar's first rows.
        guesses = (candidate,) if guess is None else (guess, candidate, guess + 2, guess + 4)
        for row in dict.fromkeys(guesses):
            if not lowest <= strip.shape[0] - row <= highest:
                continue
            if _is_bar(grey, first + row):
                found.append((score, first + row))
                break
    if not found:
        return None
    # Rules and lines of text within a bar are edges too, though weaker: the outermost strong one is the bar's own.
    best = max(score for score, _ in found)
    return _with_frame(grey, min(edge for score, edge in found if score >= 0.6 * best))


def _candidates(strip: NDArray[np.uint8], lowest: int) -> list[tuple[int, float]]:
    """Rows of the strip where a bar may begin, with a score: below is flat and at few greys, above is not."""
    rows = strip.shape[0]
    flat = (strip[:, 1:] == strip[:, :-1]).mean(axis=1)
    score = np.maximum(_contrast_of_flatness(flat), 0) + np.maximum(_contrast_of_levels(strip), 0)
    score[:2] = 0
    score[rows - lowest + 2 :] = 0
    # A peak is the highest within a few rows on either side.
    padded = np.pad(score, 3)
    peak = np.lib.stride_tricks.sliding_window_view(padded, 7).max(axis=1)
    found = np.flatnonzero((score == peak) & (score > 0.5))
    best = found[np.argsort(score[found])[::-1][:4]]
    return [(int(row), float(score[row])) for row in best]


def _contrast_of_flatness(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean flatness of all rows from each row on, less that of the rows just above it."""
    rows = flat.size
    below = np.cumsum(flat[::-1])[::-1] / np.arange(rows, 0, -1)
    return below - _mean_above(flat[:, None])[:, 0]


def _mean_above(values: NDArray[np.float64], span: int = 6) -> NDArray[np.float64]:
    """Mean of the `span` rows above each row, fewer at the beginning; shape as given (rows, k)."""
    total = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    at = np.arange(values.shape[0])
    start = np.maximum(at - span, 0)
    return np.asarray((total[at] - total[start]) / np.maximum(at - start, 1)[:, None])


def _contrast_of_levels(strip: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of the pixels from each row on that lie at their two commonest greys, less that of the rows just above.

    A grey is three neighbouring bins of four levels; some 128 columns are looked at.
    """
    codes = (strip[:, :: max(strip.shape[1] // 128, 1)] >> 2).astype(np.intp)
    rows, columns = codes.shape
    codes += _BINS * np.arange(rows)[:, None]
    near = np.zeros((rows, _BINS + 2))
    near[:, 1:-1] = np.bincount(codes.ravel(), minlength=_BINS * rows).reshape(rows, _BINS) / columns
    near = near[:, :-2] + near[:, 1:-1] + near[:, 2:]
    below = np.cumsum(near[::-1], axis=0)[::-1] / np.arange(rows, 0, -1)[:, None]
    above = _mean_above(near)
    at = np.arange(rows)
    main = below.argmax(axis=1)
    rest = np.where(np.abs(np.arange(_BINS) - main[:, None]) <= 2, 0, below)
    second = rest.argmax(axis=1)
    return np.asarray(below[at, main] + rest[at, second] - above[at, main] - above[at, second])


def _refined(strip: NDArray[np.uint8], row: int) -> int | None:
    """The row near `row` where the picture gives way to the bar: half way between what differs above and below."""
    rows = strip.shape[0]
    near = slice(max(row - 1, 1), min(row + 7, rows - 1))
    block = strip[near].astype(np.int16)
    flat = (np.abs(np.diff(block, axis=1)) <= 1).mean(axis=1)
    quiet = near.start + int(flat.argmax())  # a row of the bar above its text
    start = max(quiet - _REACH, 0)
    change = _difference(strip[start : quiet + 1], strip[quiet]).mean(axis=1)
    if change.size < 10:
        return None
    picture = float(np.median(change[: max(change.size - 8, 4)]))
    if picture < 3:
        return None
    as_picture = np.flatnonzero(change >= 0.5 * picture)
    return start + int(as_picture[-1]) + 1 if as_picture.size else None


def _difference(rows: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Absolute difference of each row from the reference row, at most `_CAP`."""
    return np.minimum(np.abs(rows.astype(np.float32) - reference.astype(np.float32)), np.float32(_CAP))


def _with_frame(grey: NDArray[np.uint8], edge: int) -> int:
    """The edge moved up over a ruled line that borders the bar: one grey, unlike the bar's and the picture's."""
    most = 3 + grey.shape[0] // 400
    top = max(edge - 2 - most, 0)
    near = grey[top : edge + 4].astype(np.int16)
    levels = np.median(near, axis=1)
    ground = np.median(levels[edge - top + 1 :])
    one_grey = (np.abs(near - levels[:, None]) <= _LINE_SPREAD).mean(axis=1) >= 0.8
    line = one_grey & (np.abs(levels - ground) >= 2 * _LINE_SPREAD)
    row = edge - 1 - top
    while row > 0 and line[row]:
        row -= 1
    if row == 0 or row == edge - 1 - top or abs(levels[row + 1] - levels[row - 1]) < 2 * _LINE_SPREAD:
        return edge  # no line, or the picture itself is flat here
    return int(top + row + 1)


def _is_bar(grey: NDArray[np.uint8], edge: int) -> bool:
    """Whether the rows from `edge` on bear out a bar; see the head of the module."""
    body = grey[edge + 1 :].astype(np.int16)
    steps = np.abs(np.diff(body, axis=1))
    flat = (steps <= 1).mean(axis=1)
    if flat.mean() < 0.25 or not _is_still(flat[:10], grey, edge):
        return False
    voters, straight = _straightness(grey, edge)
    if voters < 6 or straight < 0.6 * voters:
        return False
    inner = min(8, body.shape[0] // 3)  # compression makes marks of its own beside the edge
    marks = int((steps[inner:] > _INK).sum()) + int((np.abs(np.diff(body[inner:], axis=0)) > _INK).sum())
    marked = marks >= 16 and marks < 0.8 * steps.size
    if marked and marks < 0.01 * steps.size:
        # Few marks prove little, as bright grains in a layer of resin do: then the ground must be free of noise.
        marked = bool((steps[inner:] == 0).mean() > 0.9)
    return marked or (voters >= 10 and _is_single_strip(grey, edge))


def _is_still(flat: NDArray[np.float64], grey: NDArray[np.uint8], edge: int) -> bool:
    """Whether one of the first rows below the edge, of the flatness given, is flatter than the picture above."""
    above = grey[max(edge - _REACH, 0) : edge - 2].astype(np.int16)
    return bool(flat.max() > 0.05 + np.quantile((np.abs(np.diff(above, axis=1)) <= 1).mean(axis=1), 0.8))


def _straightness(grey: NDArray[np.uint8], edge: int) -> tuple[int, int]:
    """In how many parts of the width the edge shows, and in how many of them it stands at `edge`, give or take one."""
    framed = _with_frame(grey, edge)
    start = max(framed - _REACH, 0)
    body = grey[edge + 1 : edge + 1 + _REACH : 2]
    ground = np.median(body.reshape(body.shape[0], _BLOCKS, -1).swapaxes(0, 1).reshape(_BLOCKS, -1), axis=1)
    near = grey[start : edge + 2].reshape(edge + 2 - start, _BLOCKS, -1)
    change = np.minimum(np.abs(near - ground.astype(np.float32)[:, None]), np.float32(_CAP)).mean(axis=2)
    picture = np.median(change[: max(framed - start - 2, 1)], axis=0)
    shows = picture >= 4
    as_picture = change >= 0.5 * picture
    found = start + change.shape[0] - np.argmax(as_picture[::-1], axis=0)
    # A straight side of one particle is not an edge through the whole width.
    if not shows.any() or np.ptp(np.flatnonzero(shows)) < _BLOCKS // 2:
        return 0, 0
    return int(shows.sum()), int((shows & (found >= framed - 1) & (found <= edge + 1)).sum())


def _is_single_strip(grey: NDArray[np.uint8], edge: int) -> bool:
    """Whether a strip without marks is one grey, low, and the only flat border of the image."""
    rows, columns = grey.shape
    if not 0.03 * rows <= rows - edge <= 0.16 * rows:
        return False
    inner = grey[edge + (rows - edge) // 3 :].astype(np.int16)
    if (np.diff(inner, axis=1) == 0).mean() < 0.98 or (np.abs(np.diff(inner, axis=0)) <= 1).mean() < 0.99:
        return False
    thick = 2
    others = (grey[:thick], grey[:edge, :thick], grey[:edge, columns - thick :])
    return all((np.abs(np.diff(side.astype(np.int16).ravel())) <= 1).mean() < 0.8 for side in others)
