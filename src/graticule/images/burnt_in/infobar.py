"""The info bar that a scanning electron microscope burns into an image, found from metadata or from pixels.

A bar is taken for one on evidence of five kinds. Its edge is straight: it stands in the same row in nearly all of 16
parts of the width. Each part has a ground, its commonest grey, on which most of the rows below lie and few of those
above. A row at the edge is at the ground throughout (the margin above the text). The ground is drawn, not scanned:
neighbouring pixels are equal. And the rows bear marks (text, rules, a scale bar). The fewer parts show the edge, the
surer the ground must be, or lines of letters stand below it (`infobar_marks`). A strip without marks counts only when
it is a single grey, low, and beside a picture that reaches the other three sides of the image: padding does not.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.formats.instrument.metadata import Metadata
from graticule.images.burnt_in.letters import is_lettered, is_of_two_tones

MIN_ROWS = 64  # an image with fewer rows has no bar
MIN_COLUMNS = 192  # nor one with fewer columns: no text would be legible
_LOWEST, _HIGHEST, _LEAST_ROWS = 0.02, 0.30, 6  # height of a bar over that of the image, and in rows
_COLUMNS = 512  # columns looked at; a wider image is thinned out, which leaves its rows as they are
_BLOCKS = 16  # parts of the width in which the edge must stand in the same row
_BINS = 64  # of four grey levels each
_CAP = 48.0  # a difference of grey counts up to this: an edge is not the stronger for a few bright particles
_REACH = 24  # rows of the picture looked at beyond an edge
_LINE_SPREAD = 12  # greys by which the pixels of a ruled line differ at most, after resampling
_SPREAD = 8  # greys by which a pixel of the ground differs from it at most, after compression
_INK = 36  # least difference of a mark's grey from the ground
_LEAST_SCORE = 0.25  # of an edge that is looked at closely
_MOST_STEPS, _MOST_CONTRASTS = 6, 3  # edges proposed by a step from row to row, and by the flatness of what lies below
_STRONG = 0.5  # least score of a bar's edge over the best one
_NEAR = 12  # rows within which two edges are taken for one


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
    thinned = thinned[:, : thinned.shape[1] // _BLOCKS * _BLOCKS]
    for at_top in (False, True):
        edge = _edge(thinned[::-1] if at_top else thinned)
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


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Half the green and a quarter of red and blue each, uint8: coloured text stays apart from a grey ground."""
    if pixels.ndim == 2:
        return pixels
    # In 16 bits and shifts, because a weighted sum in floats would take longer than all the rest.
    total = pixels[:, :, 1].astype(np.uint16) * 2 + pixels[:, :, 0] + pixels[:, :, 2]
    return (total >> 2).astype(np.uint8)


def _edge(pixels: NDArray[np.uint8]) -> int | None:
    """First row of a bar at the lower edge, of an image of shape (h, 16 k) or (h, 16 k, 3); None without one."""
    height = pixels.shape[0]
    first = max(int((1 - _HIGHEST) * height) - _REACH, 1)
    strip = _grey(pixels[first:])  # the rest of a colour image is left as it is, which saves half of the time
    lowest, highest = max(_LOWEST * height, _LEAST_ROWS), _HIGHEST * height
    found: dict[int, float] = {}
    tried: set[int] = set()
    for candidate, score in _candidates(strip, int(np.ceil(lowest))):
        if found and (score < _STRONG * max(found.values()) or candidate > min(found)):
            continue
        # Compression blurs the bar's first rows, and a ruled line of some rows may border the bar.
        for row in (candidate, candidate + 1, candidate + 3):
            if row in tried or not lowest <= strip.shape[0] - row <= highest:
                continue
            tried.add(row)
            if _is_bar(strip, row, pixels):
                found[row] = score
                break
    if not found:
        return None
    # Rules and lines of text within a bar are edges too, though weaker: the outermost strong one is the bar's own.
    outermost = min(found)
    # A row of the picture just above that happens to be like the bar is a weaker edge than the bar's own.
    return first + _with_frame(strip, max((score, row) for row, score in found.items() if row <= outermost + _NEAR)[1])


def _candidates(strip: NDArray[np.uint8], lowest: int) -> list[tuple[int, float]]:
    """Rows of the strip where a bar may begin, with a score: below is flat and at few greys, above is not."""
    flat = (strip[:, 1:] == strip[:, :-1]).mean(axis=1)
    flatness = np.maximum(_contrast_of_flatness(flat), 0)
    change = np.abs(strip[1:, ::2].astype(np.int16) - strip[:-1, ::2])
    step = np.concatenate([[0.0], np.minimum(change, np.int16(_CAP)).mean(axis=1)])
    thinned = strip[:, :: max(strip.shape[1] // 128, 1)]
    found = []
    for row in dict.fromkeys([*_peaks(step, lowest)[:_MOST_STEPS], *_peaks(flatness, lowest)[:_MOST_CONTRASTS]]):
        score = float(flatness[row]) + _contrast_of_grounds(thinned, row)
        if score > _LEAST_SCORE:
            found.append((row, score))
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _peaks(values: NDArray[np.float64], lowest: int) -> list[int]:
    """Rows of the highest values within three rows on either side, highest first; room for `lowest` rows is left."""
    peak = np.lib.stride_tricks.sliding_window_view(np.pad(values, 3), 7).max(axis=1)
    allowed = np.arange(values.size)
    found = np.flatnonzero((values == peak) & (values > 0) & (allowed >= 2) & (allowed < values.size - lowest + 2))
    return [int(row) for row in found[np.argsort(-values[found], kind="stable")]]


def _contrast_of_flatness(flat: NDArray[np.float64], span: int = 6) -> NDArray[np.float64]:
    """Mean flatness of all rows from each row on, less that of the `span` rows just above it."""
    total, at = np.concatenate([[0.0], np.cumsum(flat)]), np.arange(flat.size)
    start = np.maximum(at - span, 0)
    below = (total[-1] - total[:-1]) / (flat.size - at)
    return np.asarray(below - (total[at] - total[start]) / np.maximum(at - start, 1))


def _contrast_of_grounds(strip: NDArray[np.uint8], row: int) -> float:
    """Share of the pixels from the row on at the ground of their part of the width, less that of the six rows above."""
    columns = strip.shape[1] // _BLOCKS * _BLOCKS
    body, above = strip[row : row + 2 * _REACH, :columns], strip[max(row - 6, 0) : row, :columns]
    ground = np.repeat(_grounds(body), columns // _BLOCKS)
    below, near = np.abs(body - ground) <= _SPREAD, np.abs(above - ground) <= _SPREAD
    return float(below.mean() - near.mean())


def _with_frame(grey: NDArray[np.uint8], edge: int) -> int:
    """The edge moved up over a ruled line that borders the bar: one grey, unlike the bar's and the picture's."""
    most = 4 + grey.shape[0] // 120
    top = edge - 3 - most
    if top < 0:
        return edge
    near = grey[top : edge + 6, :: max(grey.shape[1] // 128, 1)].astype(np.int16)
    levels = _medians(near.T)
    one_grey = (np.abs(near - levels[:, None]) <= _LINE_SPREAD).mean(axis=1) >= 0.65
    depth = np.where(one_grey, np.abs(levels - _medians(levels[edge - top + 2 :])), 0)
    line = 3 + int(depth[3 : edge - top + 2].argmax())
    picture = _medians(levels[: line - 2])
    if depth[line] < 2 * _LINE_SPREAD or abs(levels[line] - picture) < 2 * _LINE_SPREAD:
        return edge  # no line, or the picture itself is flat here
    # Resampling leaves a row of some grey between the picture and the line: it goes to what it is nearer to.
    row = line
    while row > 1 and abs(levels[row - 1] - levels[line]) < 0.5 * abs(picture - levels[line]):
        row -= 1
    return int(min(edge, top + row))


def _medians(values: NDArray[Any]) -> NDArray[np.float64]:
    """Median along the first axis; of few values it takes a fifth of the time of `numpy.median`."""
    ordered, n = np.sort(values, axis=0), values.shape[0]
    return np.asarray((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)


def _is_bar(grey: NDArray[np.uint8], edge: int, pixels: NDArray[np.uint8]) -> bool:
    """Whether the rows of the strip from `edge` on bear out a bar of the image; see the head of the module."""
    ground = _grounds(grey[edge + 1 : edge + 1 + _REACH])
    voters, straight = _straightness(grey, edge, ground)
    if straight < 6 or straight < 0.5 * voters:
        return False
    rows = grey.shape[0] - edge - 1
    body = _in_parts(grey[edge + 1 :: max(rows // (2 * _REACH), 1)])  # some 50 rows of a high bar tell enough
    above = _in_parts(grey[max(edge - _REACH, 0) : edge - 2])
    off = np.abs(body - ground[:, None])
    on = off <= _SPREAD
    quiet = float(on[:10].mean(axis=(1, 2)).max())  # a row of the bar above its text
    if quiet < 0.45 or quiet < 0.25 + (np.abs(above - ground[:, None]) <= _SPREAD).mean():
        return False
    cut_off = bool(((ground < 4) | (ground > 251)).mean() >= 0.15)
    ink = off[min(3, body.shape[0] // 3) :] > _INK
    if ink.sum() < 16 or ink.mean() < 0.003:
        # Beside a picture cut off at black or white, the straight side of a particle bounds a flat strip as well.
        least = 0.9 if cut_off else 0.6
        sure = quiet >= 0.8 and voters >= 10 and straight >= least * voters
        return sure and _is_single_strip(grey[edge:], pixels)
    if not is_of_two_tones(ground):
        return False
    paired = on[:, :, 1:] & on[:, :, :-1]
    equal = ((np.abs(np.diff(body, axis=2)) <= 1) & paired).sum(axis=(0, 2))
    n_paired = paired.sum(axis=(0, 2))
    still, in_parts = float(equal.sum() / max(int(n_paired.sum()), 1)), np.sort(equal / np.maximum(n_paired, 1))
    # Compression ripples the ground beside text only; a detector's noise is the same everywhere.
    if in_parts[-2] < 0.55:
        return False
    if is_lettered(grey, (_with_frame(grey, edge), edge), ground, quiet, straight >= 12 and straight >= 0.81 * voters):
        return True
    # Dense text in few rows leaves no row at the ground: then the edge must be straight nearly everywhere.
    if in_parts[-2] < 0.65 or straight < 0.6 * voters or quiet < (0.45 if straight >= 15 else 0.8):
        return False
    if straight >= 12 and straight >= 0.81 * voters:
        return True
    # A less certain edge takes a ground that is surely drawn. A picture cut off at black or white is still there too.
    if cut_off:
        return False
    excess = still - float((np.abs(np.diff(above, axis=2)) <= 1).mean())
    if straight >= 10 and straight >= 0.81 * voters:
        return still >= 0.65 and excess >= 0.25
    # Where the picture is of the bar's own grey the edge shows in few parts.
    drawn = bool(in_parts[_BLOCKS // 4] >= 0.95 and excess >= 0.5 and quiet >= 0.95)
    return drawn and _fills_other_sides(pixels, grey.shape[0] - edge)


def _in_parts(rows: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Rows with each split into the parts of the width, shape (rows, _BLOCKS, k)."""
    return rows.reshape(rows.shape[0], _BLOCKS, -1).astype(np.int16)


def _straightness(grey: NDArray[np.uint8], edge: int, ground: NDArray[np.int16]) -> tuple[int, int]:
    """In how many parts of the width the edge shows, and in how many of them it stands at `edge`, give or take one."""
    framed = _with_frame(grey, edge)
    start = max(framed - _REACH, 0)
    change = np.minimum(np.abs(_in_parts(grey[start : edge + 4]) - ground[:, None]), np.int16(_CAP)).mean(axis=2)
    above, below = change[: framed - start - 1], change[edge - start :]
    if above.shape[0] < 3:
        return 0, 0
    picture, bar = _medians(above), below.min(axis=0)
    shows = picture - bar >= 2.5
    # A straight side of one particle is not an edge through the whole width.
    if not shows.any() or np.ptp(np.flatnonzero(shows)) < _BLOCKS // 2:
        return 0, 0
    # Half way between picture and bar, where dense text leaves the bar's own rows far from its ground.
    half = (picture + bar) / 2
    # A slope of grey passes half way too, but takes many rows; a drawn edge takes two.
    last, first = above[-3:].mean(axis=0), below[:2].min(axis=0)
    there = (last >= half) & (first < half) & (last - first >= 0.5 * (picture - bar))
    return int(shows.sum()), int((shows & there).sum())


def _is_single_strip(strip: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> bool:
    """Whether a strip without marks at the lower edge of the image is one grey, low, and its only flat border."""
    low, rows = strip.shape[0], pixels.shape[0]
    if not 0.03 * rows <= low <= 0.16 * rows:
        return False
    # Compression leaves ripples in the eight rows at the edge, none in blocks that lie wholly in the strip.
    inner = strip[max(low // 3, min(8, low - 4)) :].astype(np.int16)
    if (np.diff(inner, axis=1) == 0).mean() < 0.98 or (np.abs(np.diff(inner, axis=0)) <= 1).mean() < 0.99:
        return False
    return _fills_other_sides(pixels, low)


def _fills_other_sides(pixels: NDArray[np.uint8], low: int) -> bool:
    """Whether the picture above the `low` last rows reaches the other three sides; padding is at them all."""
    others = [_grey(side).astype(np.int16).ravel() for side in (pixels[:2], pixels[:-low, :2], pixels[:-low, -2:])]
    grey = np.median(_grey(pixels[-max(low // 2, 1) :]))
    # Compression ripples padding, which stays near the strip's grey.
    flat = [max((np.abs(np.diff(o)) <= 1).mean(), (np.abs(o - grey) <= _SPREAD).mean()) for o in others]
    return bool(max(flat) < 0.8)


def _grounds(body: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The commonest grey of each part of the width, to the middle of a bin; shape (_BLOCKS, 1)."""
    codes = (body.reshape(body.shape[0], _BLOCKS, -1) >> 2).astype(np.intp) + _BINS * np.arange(_BLOCKS)[:, None]
    counts = np.bincount(codes.ravel(), minlength=_BLOCKS * _BINS).reshape(_BLOCKS, _BINS)
    near = counts.copy()
    near[:, 1:] += counts[:, :-1]
    near[:, :-1] += counts[:, 1:]
    return np.asarray(4 * near.argmax(axis=1) + 2, dtype=np.int16)
