"""Lay one picture over another: the eight symmetries of the square, shifts, and the stretch a crop leaves behind.

All functions take batches of square pictures, in the bands of `graticule.split.duplicates.bands`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft2

from graticule.arrays import Float32Array
from graticule.images.fingerprint import grey_square
from graticule.images.image import read_image
from graticule.images.intensity import IntensityError
from graticule.images.preprocess import Preprocessing, picture_of
from graticule.split.duplicates.bands import Bands, bands_of, padded_product
from graticule.split.duplicates.symmetry import SYMMETRIES, each_symmetric, inverse, symmetric, turned_shift

_REACH = 0.16  # largest shift looked for, as part of the side
_HIGHEST = 0.36  # cycles per pixel of the thumbnail: the bands leave 2 % of the power there, and less above
_STRETCH = 0.14  # largest change of size looked for, natural logarithm
_MARGIN = 1 / 16  # of the side: the band-pass smears what lies beyond an edge this far into the picture
_SIDES = (32, 96)  # of the square on which full images are compared, pixels
_TRIED, RIVAL = 3, 0.85  # symmetries tried, when their score reaches this part of the best one's
_STEPS = (4, 3)  # of refinement on outlines, then on details
_BLOCK = 256 * 1024  # pixels refined together


@lru_cache(maxsize=16)
def _difference(side: int) -> Float32Array:
    """Central differences along one axis, one-sided at the ends, as a matrix of shape (side, side)."""
    slopes = np.asarray(np.gradient(np.eye(side), axis=0))
    return slopes.astype(np.float32)


@dataclass(frozen=True)
class Hypotheses:
    """The most promising symmetries of n pairs, best first.

    Attributes
    ----------
    score : float32 array, shape (n, 3)
        Cross-correlation, averaged over the bands.
    symmetry : int8 array, shape (n, 3)
    shift : float32 array, shape (n, 3, 2)
        Down and right, whole pixels: a at x corresponds to the turned b at x + shift.
    """

    score: NDArray[np.float32]
    symmetry: NDArray[np.int8]
    shift: NDArray[np.float32]

    def of(self, rows: NDArray[np.int64]) -> Hypotheses:
        """Those of some pairs."""
        return Hypotheses(self.score[rows], self.symmetry[rows], self.shift[rows])

    @classmethod
    def join(cls, parts: Sequence[Hypotheses]) -> Hypotheses:
        """One after the other."""
        names = ("score", "symmetry", "shift")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@lru_cache(maxsize=16)
def _frequencies(padded: int) -> NDArray[np.intp]:
    """Frequencies down that the bands leave anything of; as many across, of which half are redundant."""
    highest = min(int(_HIGHEST * padded), (padded - 1) // 2)
    return np.concatenate([np.arange(highest + 1), np.arange(padded - highest, padded)])


def _spectrum(band: Float32Array, padded: int) -> NDArray[np.complex64]:
    kept = _frequencies(padded)
    spectrum: NDArray[np.complex64] = rfft2(band, (padded, padded))[:, kept, : len(kept) // 2 + 1]
    return spectrum


@lru_cache(maxsize=16)
def _inverse_transform(padded: int, reach: int) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """Inverse Fourier transform at shifts up to `reach` alone: matrices for the rows and for the halved columns."""
    lags = np.arange(-reach, reach + 1)
    kept = _frequencies(padded)
    turns = 2j * np.pi / padded
    down = np.exp(turns * np.outer(lags, kept)).astype(np.complex64)
    half = kept[: len(kept) // 2 + 1]
    across = np.exp(turns * np.outer(half, lags)) * (np.where(half == 0, 1.0, 2.0) / padded**2)[:, None]
    # only the real part of the product is wanted: real and imaginary parts one below the other
    parts = np.stack([across.real, -across.imag], axis=1).reshape(2 * len(half), len(lags))
    return down, parts.astype(np.float32)


def hypotheses(bands: Bands, pairs: NDArray[np.int64]) -> Hypotheses:
    """Highest cross-correlation over shifts for each symmetry of the second picture.

    Parameters
    ----------
    bands : Bands
    pairs : int array, shape (n, 2)
        Rows of the pictures a and b. Sorted by a is fastest: a is turned, which comes to the same.
    """
    n, side = len(pairs), bands.fine.shape[-1]
    reach = max(1, round(_REACH * side))
    padded = next_fast_len(side + reach, real=True)
    lags = np.arange(-reach, reach + 1, dtype=np.float32)
    overlap = np.sqrt(1.0 - np.abs(lags) / side)
    scale = 1.0 / (2 * side**2 * overlap[:, None] * overlap)
    down, across = _inverse_transform(padded, reach)
    firsts, first = np.unique(pairs[:, 0], return_inverse=True)
    seconds, second = np.unique(pairs[:, 1], return_inverse=True)
    both = (bands.outline, bands.fine)
    spectra = [_spectrum(band[seconds], padded)[second] for band in both]
    score = np.empty((n, SYMMETRIES), dtype=np.float32)
    shift = np.empty((n, SYMMETRIES, 2), dtype=np.float32)
    for symmetry in range(SYMMETRIES):
        turned = [np.ascontiguousarray(symmetric(band[firsts], inverse(symmetry))) for band in both]
        products = [np.conj(_spectrum(band, padded))[first] for band in turned]
        for product, spectrum in zip(products, spectra, strict=True):
            product *= spectrum
        products[0] += products[1]
        near = ((down @ products[0]).view(np.float32) @ across * scale).reshape(n, -1)
        best = near.argmax(axis=1)
        score[:, symmetry] = near[np.arange(n), best]
        place = np.stack([lags[best // len(lags)], lags[best % len(lags)]], axis=1)
        shift[:, symmetry] = turned_shift(place, symmetry)
    order = np.argsort(-score, axis=1, kind="stable")[:, :_TRIED]
    ranked = np.take_along_axis(score, order, axis=1)
    return Hypotheses(ranked, order.astype(np.int8), np.take_along_axis(shift, order[..., None], axis=1))


def _weights(
    shift: NDArray[np.float32], growth: NDArray[np.float32], side: int
) -> tuple[Float32Array, NDArray[np.bool_]]:
    """Cubic interpolation (Keys 1981) along one axis: matrices (n, s, s), and which rows fall inside, (n, s)."""
    places = np.arange(side, dtype=np.float32)
    at = np.exp(growth)[:, None] * (places - (side - 1) / 2) + shift[:, None] + (side - 1) / 2
    margin = np.minimum(_MARGIN * side, 2.0 * np.abs(at - places))
    inside = (at >= margin) & (at <= side - 1 - margin)
    at = np.clip(at, 0, side - 1)
    cell = np.floor(at)
    x = (at - cell)[..., None]
    taps = [
        ((-0.5 * x + 1.0) * x - 0.5) * x,
        (1.5 * x - 2.5) * x * x + 1.0,
        ((-1.5 * x + 2.0) * x + 0.5) * x,
        (0.5 * x - 0.5) * x * x,
    ]
    # one column in front and two behind take the taps that fall outside
    matrix = np.zeros((*at.shape, side + 3), dtype=np.float32)
    np.put_along_axis(matrix, cell.astype(np.intp)[..., None] + np.arange(4), np.concatenate(taps, axis=-1), axis=-1)
    return matrix[..., 1 : side + 1], inside


def warp(b: Float32Array, motion: NDArray[np.float32]) -> tuple[Float32Array, Float32Array]:
    """Move pictures; `motion` in pixels and logarithms, shape (n, 4). Returns the pictures and a mask, (n, s, s)."""
    side = b.shape[-1]
    down, inside_down = _weights(motion[:, 0], motion[:, 2], side)
    across, inside_across = _weights(motion[:, 1], motion[:, 3], side)
    moved = padded_product(padded_product(down, b), across.transpose(0, 2, 1))
    return moved, inside_down[:, :, None].astype(np.float32) * inside_across[:, None, :]


def correlation(a: Float32Array, b: Float32Array, mask: Float32Array) -> NDArray[np.float32]:
    """Pearson correlation inside the mask, shape (n,)."""
    weight = mask.sum(axis=(1, 2), keepdims=True) + 1e-6
    a = (a - (a * mask).sum(axis=(1, 2), keepdims=True) / weight) * mask
    b = (b - (b * mask).sum(axis=(1, 2), keepdims=True) / weight) * mask
    norm = np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2))) + 1e-6
    result: NDArray[np.float32] = (a * b).sum(axis=(1, 2)) / norm
    return result


def refine(a: Float32Array, b: Float32Array, motion: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """Gauss-Newton on shift, growth and gain (Lucas and Kanade 1981), `motion` in pixels, shape (n, 4)."""
    n, side = len(a), a.shape[-1]
    centred = np.arange(side, dtype=np.float32) - (side - 1) / 2
    limit = np.array([_REACH * side * 1.2] * 2 + [_STRETCH] * 2, dtype=np.float32)
    ridge = 0.01 * side * np.diag([1.0, 1.0, side**2 / 12.0, side**2 / 12.0, 1.0]).astype(np.float32)
    difference = _difference(side)[None]
    slopes = np.empty((n, 5, side, side), dtype=np.float32)
    flat = slopes.reshape(n, 5, -1)
    normal = np.empty((n, 5, 5), dtype=np.float32)
    for _ in range(steps):
        moved, mask = warp(b, motion)
        np.multiply(padded_product(difference, moved), mask, out=slopes[:, 0])
        np.multiply(padded_product(moved, difference.transpose(0, 2, 1)), mask, out=slopes[:, 1])
        np.multiply(slopes[:, 0], centred[:, None], out=slopes[:, 2])
        np.multiply(slopes[:, 1], centred, out=slopes[:, 3])
        np.multiply(moved, mask, out=slopes[:, 4])
        for row in range(5):
            normal[:, row, row:] = (flat[:, row:] @ flat[:, row, :, None])[..., 0]
            normal[:, row:, row] = normal[:, row, row:]
        # the slopes are 0 outside the overlap, so a needs no mask
        against = flat @ a.reshape(n, -1, 1) - normal[:, :, 4:]
        step = np.linalg.solve(normal + ridge, against)[:, :4, 0]
        motion = np.clip(motion + np.clip(step, -limit / 3, limit / 3), -limit, limit)
    return motion


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
    by_symmetry : float32 array, shape (n, 8)
        The similarity reached with each symmetry; -1 for those that were not worth a trial.
    """

    similarity: NDArray[np.float32]
    symmetry: NDArray[np.int64]
    motion: NDArray[np.float32]
    by_symmetry: NDArray[np.float32]

    @classmethod
    def join(cls, parts: Sequence[Registration]) -> Registration:
        """One after the other."""
        names = ("similarity", "symmetry", "motion", "by_symmetry")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def put(self, rows: NDArray[np.int64], part: Registration) -> None:
        """Write the registrations of some pairs into the arrays."""
        for name in ("similarity", "symmetry", "motion", "by_symmetry"):
            getattr(self, name)[rows] = getattr(part, name)


def refined_registration(bands: Bands, pairs: NDArray[np.int64], guess: Hypotheses) -> Registration:
    """The best of the hypotheses after refinement to parts of a pixel and to a change of size; n pairs."""
    n, side = len(pairs), bands.fine.shape[-1]
    tried = guess.score > RIVAL * guess.score[:, :1]
    tried[:, 0] = True
    pair, rank = np.nonzero(tried)
    symmetry = guess.symmetry[pair, rank].astype(np.int64)
    motion = np.zeros((len(pair), 4), dtype=np.float32)
    motion[:, :2] = guess.shift[pair, rank]
    value = np.empty(len(pair), dtype=np.float32)
    pieces = max(1, -(-len(pair) * side**2 // _BLOCK))
    # alike symmetries side by side, so that a block is turned in one or two pieces
    for rows in np.array_split(np.argsort(symmetry, kind="stable"), pieces):
        a, b = pairs[pair[rows]].T
        outline, fine = (each_symmetric(band[b], symmetry[rows]) for band in (bands.outline, bands.fine))
        found = refine(bands.outline[a], outline, motion[rows], _STEPS[0])
        motion[rows] = refine(bands.fine[a], fine, found, _STEPS[1])
        value[rows] = correlation(bands.fine[a], *warp(fine, motion[rows]))
    motion[:, :2] /= side
    by_symmetry = np.full((n, SYMMETRIES), -1.0, dtype=np.float32)
    by_symmetry[pair, symmetry] = value
    # the first entry of each pair, best one first; of equals the one with the better score
    best = np.lexsort((rank, -value, pair))[np.searchsorted(pair, np.arange(n))]
    return Registration(value[best], symmetry[best], motion[best], by_symmetry)


def register(pictures: Float32Array, pairs: NDArray[np.int64], scale: float = 1.0) -> Registration:
    """Find the symmetry, shift and growth under which second pictures agree best with first ones.

    Parameters
    ----------
    pictures : float32 array, shape (m, s, s)
        Grey values.
    pairs : int array, shape (n, 2)
        Rows of the pictures a and b.
    scale : float
        Width of the filters that bring out the detail, relative to those for thumbnails.
    """
    bands = bands_of(pictures, scale)
    return refined_registration(bands, pairs, hypotheses(bands, pairs))


def full_similarity(pixels_a: NDArray[np.uint8], pixels_b: NDArray[np.uint8]) -> float:
    """Lay two images over each other in the detail that both have.

    Parameters
    ----------
    pixels_a, pixels_b : uint8 array, shape (height, width) or (height, width, 3)
        Sizes may differ.

    Returns
    -------
    float
        Correlation of the details where they overlap, 0 (or less) to 1.
    """
    shared = min(float(np.sqrt(p.shape[0] * p.shape[1])) for p in (pixels_a, pixels_b))
    side = 2 * round(min(max(shared, _SIDES[0]), _SIDES[1]) / 2)
    pictures = np.stack([grey_square(p, side) for p in (pixels_a, pixels_b)])
    # a small image holds nothing finer than its own pixels, and what compression left there is noise
    scale = max(1.0, side / 64, side / shared)
    found = register(pictures, np.array([[0, 1]]), scale)
    return float(np.clip(found.similarity[0], 0.0, 1.0))


def similarity_of_files(files: tuple[Path, Path], preprocessing: Preprocessing) -> float:
    """`full_similarity` of two files as the network sees them; 0 where the intensity policy fits one of them not.

    Raises
    ------
    ImageError
        When one cannot be read.
    """
    try:
        one, other = (picture_of(read_image(file, preprocessing.selection), preprocessing) for file in files)
    except IntensityError:
        return 0.0
    return full_similarity(one.shown, other.shown)
