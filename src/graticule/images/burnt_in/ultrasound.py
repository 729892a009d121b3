"""Marks that an ultrasound scanner or its user burns into a frame: text, logo, grey bar, depth ruler, calipers.

Marks give away hospital, scanner and finding (a measured lesion bears calipers), so a classifier learns them instead
of the tissue. Speckle is smooth over the width of the beam's point spread, a few pixels, while strokes of an overlay
rise within one: inside the scan sector that tells them apart. Outside it everything that is not black is a mark.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLACK = 12  # greys up to this are background, after compression too
_COLOURED = 45  # difference between the channels of a coloured mark
_DOPPLER = 0.03  # share of coloured pixels in the sector from which the colour is flow, not marks
_STROKE = 9  # strokes are narrower than this many pixels
_RISES = (25, 35)  # least rise of a stroke over the smoothed picture around it, for fine and for coarse speckle
_TAIL = 0.8  # times the distance from median to 95th percentile that the speckle's highest peaks lie above the latter
_BRIGHT = 140  # least grey of a stroke inside the sector


_THINNED = 128  # about the pixels per side that the look of a frame is told by
_LEAST_SIDE = 128  # pixels; in smaller pictures a stroke is as wide as an organ
_CORNER, _LIT_CORNER = 10, 0.25  # a corner is a tenth of each side; three of four are black for the most part
_GROUND, _SCAN = 0.08, 0.15  # least shares of the frame that are black, and that are scanned
_APART = 6  # columns, from which on the speckle of most frames is no longer correlated
_TEXTURE = 4.0  # grey levels between pixels so far apart, in most of the scan
_TURNS = 0.33  # least share of such steps after which the grey turns: two in three in speckle, one in five beside spots
_CORRELATED = 0.8  # of that difference is the most that next neighbours may show: speckle has a width, noise has none
_LEAST_SHARE = 2e-4  # of the frame: less than two letters or one caliper
_TINT = 60  # between the channels of a scan shown in sepia or blue


@dataclass(frozen=True)
class ScanMarks:
    """Where the picture and the marks of an ultrasound frame are.

    Attributes
    ----------
    box : tuple of int
        (top, left, bottom, right) of the scan sector or rectangle; bottom and right are exclusive. The whole frame
        where no sector stands out.
    sector : bool array, shape (h, w)
        The scanned area, filled.
    mask : bool array, shape (h, w)
        Marks, outside and inside the sector.
    """

    box: tuple[int, int, int, int]
    sector: NDArray[np.bool_]
    mask: NDArray[np.bool_]


def find_marks(pixels: NDArray[np.uint8]) -> ScanMarks:
    """Scan sector and marks of an ultrasound frame.

    Parameters
    ----------
    pixels : uint8 array, shape (h, w) or (h, w, 3)
        Grey or RGB, black background. Where more than 3 % of the sector is coloured, the colour is taken for flow
        (Doppler) and only white strokes are looked for inside.
    """
    grey, chroma = _grey(pixels), _chroma(pixels)
    sector = _sector(grey)
    mask = _outside(grey, sector)
    coloured = chroma > _COLOURED
    if (coloured & sector).sum() <= _DOPPLER * max(int(sector.sum()), 1):
        mask |= _grown(coloured, chroma > _COLOURED // 2)
    mask |= _strokes(grey, sector, mask | coloured)
    rows, columns = np.flatnonzero(sector.any(axis=1)), np.flatnonzero(sector.any(axis=0))
    return ScanMarks((int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1), sector, mask)


def is_ultrasound(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture looks like a whole ultrasound frame: a scan with speckle all over, on a black ground.

    Marks are looked for in such pictures only: the bright fibres of a micrograph are strokes too. A frame that was cut
    to the scan has no ground and is not recognised.

    Parameters
    ----------
    pixels : uint8 array, shape (h, w) or (h, w, 3)
    """
    height, width = pixels.shape[:2]
    if min(height, width) < _LEAST_SIDE:
        return False
    step = max(1, height // _THINNED)
    rows = pixels[step // 2 :: step]  # whole rows: speckle is a few pixels wide
    grey = _grey(rows).astype(np.int16)
    lit = grey > _BLACK
    down, across = len(rows) // _CORNER, width // _CORNER
    corners = [lit[y, x].mean() for y in np.s_[:down, -down:] for x in np.s_[:across, -across:]]
    # text may stand in one of them
    if (~lit).mean() < _GROUND or lit.mean() < _SCAN or sorted(corners)[2] > _LIT_CORNER:
        return False
    if np.median(_chroma(rows)[lit]) > _TINT:
        return False
    return _is_speckle(grey, lit)


def _is_speckle(grey: NDArray[np.int16], lit: NDArray[np.bool_]) -> bool:
    """Whether lit pixels go up and down along rows nearly everywhere, but not from one pixel to the next."""
    near, apart = grey[:, 1:] - grey[:, :-1], grey[:, _APART:] - grey[:, :-_APART]
    near_lit, apart_lit = lit[:, 1:] & lit[:, :-1], lit[:, _APART:] & lit[:, :-_APART]
    turns_lit = apart_lit[:, _APART:] & apart_lit[:, :-_APART]
    if not turns_lit.any():
        return False
    far = np.abs(apart[apart_lit])
    turns = (apart[:, _APART:] < 0) != (apart[:, :-_APART] < 0)
    return bool(
        np.median(far) >= _TEXTURE
        and np.abs(near[near_lit]).mean() <= _CORRELATED * far.mean()
        and turns[turns_lit].mean() >= _TURNS
    )


def mark_shares(marks: ScanMarks) -> tuple[float, float]:
    """Shares of the frame that marks cover outside and inside the scan; what is too little for a letter counts as 0."""
    total = marks.mask.size
    outside = np.count_nonzero(marks.mask & ~marks.sector) / total
    inside = np.count_nonzero(marks.mask & marks.sector) / total
    return (outside if outside >= _LEAST_SHARE else 0.0), (inside if inside >= _LEAST_SHARE else 0.0)


def mask_marks(pixels: NDArray[np.uint8], marks: ScanMarks) -> NDArray[np.uint8]:
    """The frame without its marks; shape and type as given, pixels away from marks unchanged.

    Outside the sector marks become black. Inside they become a mean of the unmarked pixels around them, weighted by a
    Gaussian (normalised convolution: Knutsson and Westin 1993). The rim of one pixel round a mark is replaced too.

    Raises
    ------
    ValueError
        If the marks are those of a frame of another shape.
    """
    from scipy import ndimage

    if marks.mask.shape != pixels.shape[:2]:
        raise ValueError(f"marks of shape {marks.mask.shape} do not fit a frame of shape {pixels.shape[:2]}")
    if not marks.mask.any():
        return pixels.copy()
    wide = _dilated(marks.mask, 3)
    outside, inside = wide & ~marks.sector, wide & marks.sector
    cleaned = pixels.copy()
    # A mark just outside the sector has a rim inside it, which is replaced like a mark.
    cleaned[outside] = 0
    known = (marks.sector & ~wide).astype(np.float32)
    if inside.any() and known.any():
        nearest = ndimage.distance_transform_edt(known == 0, return_distances=False, return_indices=True)
        weight = ndimage.gaussian_filter(known, 2.5, truncate=3)[inside]
        for channel in np.moveaxis(cleaned.reshape(*pixels.shape[:2], -1), -1, 0):
            total = ndimage.gaussian_filter(channel * known, 2.5, truncate=3)[inside]
            close = channel[tuple(nearest)][inside]  # where no unmarked pixel is near
            filled = np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), close)
            channel[inside] = np.rint(np.clip(filled, 0, 255)).astype(np.uint8)
    return cleaned


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The brightest channel, shape (h, w): a coloured stroke is as bright as a white one."""
    return pixels if pixels.ndim == 2 else np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])


def _chroma(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Largest difference between the channels, shape (h, w); 0 for a grey frame."""
    if pixels.ndim == 2:
        return np.zeros(pixels.shape, dtype=np.int16)
    least = np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    return np.asarray(_grey(pixels).astype(np.int16) - least)


def _dilated(mask: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Dilation by a square; a maximum along rows, then columns, takes a tenth of the time of a square structure."""
    from scipy import ndimage

    return np.asarray(ndimage.maximum_filter(mask.view(np.uint8), side, mode="constant"), dtype=bool)


def _eroded(mask: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Erosion by a square, with nothing outside of the frame."""
    from scipy import ndimage

    return np.asarray(ndimage.minimum_filter(mask.view(np.uint8), side, mode="constant"), dtype=bool)


def _sector(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The scanned area: the largest region that stays lit once strokes are taken away, with its dark parts filled."""
    from scipy import ndimage

    # Medians take away strokes and join speckle; text on black has less than half of its window lit.
    lit = ndimage.uniform_filter((grey > _BLACK).astype(np.float32), 2 * _STROKE + 1) > 0.62
    lit &= ndimage.grey_closing(grey, (5, 5)) > _BLACK
    labels, n = ndimage.label(_dilated(_eroded(lit, _STROKE), _STROKE))
    whole = np.ones(grey.shape, dtype=bool)
    if n == 0:
        return whole
    sizes = np.bincount(labels.ravel())[1:]
    largest = int(sizes.argmax())
    if sizes[largest] < 0.05 * grey.size:
        return whole
    core = labels == largest + 1
    # The window has eaten into the border: grow back over what is lit and touches.
    lit = ndimage.grey_closing(grey, (3, 3)) > _BLACK
    core = ndimage.binary_dilation(core, np.ones((3, 3)), iterations=_STROKE, mask=lit)
    core = _dilated(_eroded(core, 5), 5)
    closed = _eroded(_dilated(np.pad(core, 12), 25), 25)[12:-12, 12:-12]
    return np.asarray(ndimage.binary_fill_holes(closed | core), dtype=bool)


def _outside(grey: NDArray[np.uint8], sector: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What is lit outside the sector, save its own frayed border."""
    from scipy import ndimage

    near = _dilated(sector, 5)
    lit = grey > 3 * _BLACK
    labels, n = ndimage.label(lit & ~sector, np.ones((3, 3)))
    if n == 0:
        return np.zeros(grey.shape, dtype=bool)
    # A piece that lies within two pixels of the sector through and through is its border.
    away = np.bincount(labels.ravel(), weights=(~near).ravel(), minlength=n + 1) > 0
    away[0] = False
    return np.asarray(away[labels], dtype=bool)


def _strokes(grey: NDArray[np.uint8], sector: NDArray[np.bool_], ignored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bright and thin pixels of the sector: calipers and text over speckle."""
    from scipy import ndimage

    known = (sector & ~ignored).astype(np.float32)
    weight = np.maximum(ndimage.gaussian_filter(known, 2), 1e-3)
    smooth = np.where(known > 0, ndimage.gaussian_filter(grey * known, 2) / weight, 0)
    # Smoothing takes little from a speckle and most from a stroke; speckle hardly tops the smoothed picture around it.
    above = grey - ndimage.maximum_filter(smooth, 15)
    if not known.any():
        return np.zeros(grey.shape, dtype=bool)
    # The speckle itself tells how high it peaks: strokes are too few to move the 95th percentile.
    middle, high = np.quantile(above[known > 0], (0.5, 0.95))
    rise = float(np.clip(high + _TAIL * (high - middle), *_RISES))
    seeds = (above >= rise) & (grey >= _BRIGHT) & (known > 0)
    return _grown(seeds, (grey - smooth >= 0.8 * rise) & (known > 0))


def _grown(seeds: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Seeds in groups of at least four, grown by up to two pixels over what is allowed."""
    from scipy import ndimage

    labels, n = ndimage.label(_dilated(seeds, 3), np.ones((3, 3)))
    if n == 0:
        return seeds.copy()
    large = np.bincount(labels.ravel(), weights=seeds.ravel(), minlength=n + 1) >= 4
    large[0] = False
    kept = seeds & large[labels]
    return np.asarray(ndimage.binary_dilation(kept, np.ones((3, 3)), iterations=2, mask=allowed | kept), dtype=bool)
