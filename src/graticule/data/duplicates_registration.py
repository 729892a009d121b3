"""Lay one picture over another: the eight symmetries of the square, shifts, and the stretch a crop leaves behind.

Pictures are compared after a band-pass with local normalisation, so that fine detail counts as much as the outline
of a cell and brightness, contrast and gamma count for nothing. All functions take batches of square pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter

from graticule.data.fingerprint import grey_square

Pictures = NDArray[np.float32]

SYMMETRIES = 8
_REACH = 0.16  # largest shift looked for, as part of the side
_STRETCH = 0.14  # largest change of size looked for, natural logarithm
_MARGIN = 1 / 16  # of the side: the band-pass smears what lies beyond an edge this far into the picture
_OUTLINE = (1.2, 4.0, 0.2)  # fine, coarse and floor of `detail` on a thumbnail of 32 pixels, to find the position
_DETAIL = (0.9, 2.5, 0.1)  # the same, to judge
_SIDES = (32, 96)  # of the square on which full images are compared, pixels
_MOVED, _GROWN = 0.012, 0.015  # below, part of the side and logarithm: not worth a word
_TRIED, _RIVAL = 3, 0.85  # symmetries tried, when their score reaches this part of the best one's


def symmetric(pictures: Pictures, symmetry: int) -> Pictures:
    """Mirror left to right for 4 to 7, then `symmetry % 4` quarter turns counter-clockwise; shape (..., s, s)."""
    mirrored = pictures[..., ::-1] if symmetry >= 4 else pictures
    return np.rot90(mirrored, symmetry % 4, axes=(-2, -1))


def inverse(symmetry: int) -> int:
    """The symmetry that undoes another; mirror images undo themselves."""
    return symmetry if symmetry >= 4 else -symmetry % 4


def detail(pictures: Pictures, fine: float, coarse: float, floor: float) -> Pictures:
    """Band-pass between two Gaussians, divided by the local deviation; mean 0 and deviation 1 per picture.

    Parameters
    ----------
    pictures : float32 array, shape (n, s, s)
    fine, coarse : float
        Standard deviations of the Gaussians in pixels.
    floor : float
        Noise floor of the local deviation, as part of the picture's own.
    """
    band: Pictures = gaussian_filter(pictures, (0, fine, fine), mode="nearest")
    band -= gaussian_filter(pictures, (0, coarse, coarse), mode="nearest")
    power = gaussian_filter(band * band, (0, coarse, coarse), mode="nearest")
    power += floor**2 * power.mean(axis=(1, 2), keepdims=True) + 1e-6
    band /= np.sqrt(power)
    band -= band.mean(axis=(1, 2), keepdims=True)
    band /= band.std(axis=(1, 2), keepdims=True) + 1e-6
    return band


@dataclass(frozen=True)
class Registration:
    """How pictures b lie on pictures a.

    Attributes
    ----------
    similarity : float32 array, shape (n,)
        Correlation of the details where the pictures overlap, -1 to 1.
    symmetry : int array, shape (n,)
        Applied to b first, see `symmetric`.
    motion : float32 array, shape (n, 4)
        Shift down and right (parts of the side), then growth down and across (natural logarithm).
    """

    similarity: NDArray[np.float32]
    symmetry: NDArray[np.int64]
    motion: NDArray[np.float32]


def best_symmetry(
    a: list[Pictures], b: list[Pictures]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Highest cross-correlation over shifts for each symmetry of b, averaged over bands.

    Parameters
    ----------
    a, b : lists of float32 array, shape (n, s, s)
        The same pictures in one or more frequency bands, each of mean 0 and deviation 1.

    Returns
    -------
    score : float32 array, shape (n, 8)
    order : int array, shape (n, 8)
        Symmetries, best first.
    shift : float32 array, shape (n, 8, 2)
        Shift down and right of each symmetry in pixels: a at x corresponds to b at x + shift.
    """
    n, side = len(a[0]), a[0].shape[-1]
    reach = max(1, round(_REACH * side))
    padded = (side + reach + 7) // 8 * 8
    spectra = [np.conj(rfft2(band, (padded, padded))) for band in a]
    rows = np.r_[0 : reach + 1, -reach:0]
    overlap = (1.0 - np.abs(rows) / side).astype(np.float32)
    score = np.empty((n, SYMMETRIES), dtype=np.float32)
    shift = np.empty((n, SYMMETRIES, 2), dtype=np.float32)
    for symmetry in range(SYMMETRIES):
        turned = [np.ascontiguousarray(symmetric(band, symmetry)) for band in b]
        products = [s * rfft2(band, (padded, padded)) for s, band in zip(spectra, turned, strict=True)]
        correlation = irfft2(sum(products), (padded, padded)) / len(products)
        near = correlation[:, rows][:, :, rows] / np.sqrt(overlap[:, None] * overlap)
        flat = near.reshape(n, -1)
        best = flat.argmax(axis=1)
        score[:, symmetry] = flat[np.arange(n), best] / side**2
        shift[:, symmetry, 0] = rows[best // len(rows)]
        shift[:, symmetry, 1] = rows[best % len(rows)]
    return score, np.argsort(-score, axis=1, kind="stable"), shift


def _weights(shift: NDArray[np.float32], growth: NDArray[np.float32], side: int) -> tuple[Pictures, NDArray[np.bool_]]:
    """Cubic interpolation (Keys 1981) along one axis: matrices (n, s, s), and which rows fall inside, (n, s)."""
    centred = np.arange(side, dtype=np.float32) - (side - 1) / 2
    at = np.exp(growth)[:, None] * centred + shift[:, None] + (side - 1) / 2
    margin = np.minimum(_MARGIN * side, 2.0 * np.abs(at - np.arange(side)))
    inside = (at >= margin) & (at <= side - 1 - margin)
    x = np.abs(np.clip(at, 0, side - 1)[:, :, None] - np.arange(side, dtype=np.float32))
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0)).astype(np.float32), inside


def warp(b: Pictures, motion: NDArray[np.float32]) -> tuple[Pictures, Pictures]:
    """Move pictures; `motion` in pixels and logarithms, shape (n, 4). Returns the pictures and a mask, (n, s, s)."""
    side = b.shape[-1]
    down, inside_down = _weights(motion[:, 0], motion[:, 2], side)
    across, inside_across = _weights(motion[:, 1], motion[:, 3], side)
    moved: Pictures = np.matmul(down @ b, across.transpose(0, 2, 1), dtype=np.float32)
    return moved, (inside_down[:, :, None] & inside_across[:, None, :]).astype(np.float32)


def correlation(a: Pictures, b: Pictures, mask: Pictures) -> NDArray[np.float32]:
    """Pearson correlation inside the mask, shape (n,)."""
    weight = mask.sum(axis=(1, 2), keepdims=True) + 1e-6
    a = (a - (a * mask).sum(axis=(1, 2), keepdims=True) / weight) * mask
    b = (b - (b * mask).sum(axis=(1, 2), keepdims=True) / weight) * mask
    norm = np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2))) + 1e-6
    result: NDArray[np.float32] = (a * b).sum(axis=(1, 2)) / norm
    return result


def refine(a: Pictures, b: Pictures, motion: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """Gauss-Newton on shift, growth and gain (Lucas and Kanade 1981), `motion` in pixels, shape (n, 4)."""
    side = a.shape[-1]
    centred = np.arange(side, dtype=np.float32) - (side - 1) / 2
    limit = np.array([_REACH * side * 1.2] * 2 + [_STRETCH] * 2, dtype=np.float32)
    ridge = np.diag([1.0, 1.0, side**2 / 12.0, side**2 / 12.0, 1.0]).astype(np.float32)
    for _ in range(steps):
        moved, mask = warp(b, motion)
        down, across = np.gradient(moved, axis=(1, 2))
        slopes = np.stack([down, across, down * centred[:, None], across * centred, moved], axis=1)
        slopes *= mask[:, None]
        flat = slopes.reshape(len(a), 5, -1)
        residual = ((a - moved) * mask).reshape(len(a), -1, 1)
        normal = flat @ flat.transpose(0, 2, 1) + 0.01 * side * ridge
        step = np.linalg.solve(normal, flat @ residual)[:, :4, 0]
        motion = np.clip(motion + np.clip(step, -limit / 3, limit / 3), -limit, limit)
    return motion


def register(a: Pictures, b: Pictures, scale: float = 1.0) -> Registration:
    """Find the symmetry, shift and growth under which pictures b agree best with pictures a.

    Parameters
    ----------
    a, b : float32 array, shape (n, s, s)
        Grey values.
    scale : float
        Width of the filters that bring out the detail, relative to those for thumbnails.

    Returns
    -------
    Registration
    """
    n, side = len(a), a.shape[-1]
    outlines = [detail(p, _OUTLINE[0] * side / 32, _OUTLINE[1] * side / 32, _OUTLINE[2]) for p in (a, b)]
    details = [detail(p, _DETAIL[0] * scale, _DETAIL[1] * scale, _DETAIL[2]) for p in (a, b)]
    scores, order, shifts = best_symmetry([outlines[0], details[0]], [outlines[1], details[1]])
    similarity = np.full(n, -1.0, dtype=np.float32)
    symmetry = order[:, 0].copy()
    motion = np.zeros((n, 4), dtype=np.float32)
    for rank in range(_TRIED):
        rows = np.arange(n)
        if rank:
            rows = np.flatnonzero(scores[rows, order[:, rank]] > _RIVAL * scores[rows, order[:, 0]])
        for chosen in range(SYMMETRIES):
            part = rows[order[rows, rank] == chosen]
            if not len(part):
                continue
            start = np.zeros((len(part), 4), dtype=np.float32)
            start[:, :2] = shifts[part, chosen]
            turned = [np.ascontiguousarray(symmetric(p[part], chosen)) for p in (outlines[1], details[1])]
            found = refine(outlines[0][part], turned[0], start, 4)
            found = refine(details[0][part], turned[1], found, 3)
            value = correlation(details[0][part], *warp(turned[1], found))
            better = value > similarity[part]
            similarity[part[better]] = value[better]
            symmetry[part[better]] = chosen
            motion[part[better]] = found[better]
    motion[:, :2] /= side
    return Registration(similarity, symmetry, motion)


def registration_similarity(pixels_a: NDArray[np.uint8], pixels_b: NDArray[np.uint8]) -> tuple[float, str]:
    """Lay two images over each other in the detail that both have.

    Parameters
    ----------
    pixels_a, pixels_b : uint8 array, shape (height, width) or (height, width, 3)
        Sizes may differ.

    Returns
    -------
    similarity : float
        Correlation of the details where they overlap, 0 (or less) to 1.
    change : str
        See `describe_change`.
    """
    shared = min(float(np.sqrt(p.shape[0] * p.shape[1])) for p in (pixels_a, pixels_b))
    side = 2 * round(min(max(shared, _SIDES[0]), _SIDES[1]) / 2)
    a, b = (grey_square(p, side)[None] for p in (pixels_a, pixels_b))
    found = register(a, b, max(1.0, side / 64))
    return float(np.clip(found.similarity[0], 0.0, 1.0)), describe_change(int(found.symmetry[0]), found.motion[0])


def describe_change(symmetry: int, motion: NDArray[np.float32]) -> str:
    """What makes picture b of picture a, for people.

    Parameters
    ----------
    symmetry : int
        As in `Registration`: what undoes the change.
    motion : float32 array, shape (4,)
    """
    undone = inverse(symmetry)
    words = ["", "rotated by 90 degrees", "rotated by 180 degrees", "rotated by 270 degrees"]
    words += ["mirrored", "mirrored and rotated by 90 degrees", "flipped upside down"]
    words += ["mirrored and rotated by 270 degrees"]
    found = [words[undone]] if undone else []
    if np.abs(motion[2:]).max() > _GROWN:
        found.append("cropped")
    # a crop on one side moves the middle by half of what it takes
    if np.abs(motion[:2]).max() > _MOVED + 0.5 * np.abs(motion[2:]).max():
        found.append("shifted")
    return ", ".join(found) or "same view, re-encoded or resized"
