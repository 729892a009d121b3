"""Which pairs of images are worth laying over each other.

A picture is described by the strengths of its spatial frequencies, which a shift leaves alone, each set of frequencies
that the symmetries of the square exchange being sorted. Images are also looked up as if cropped or moved a little: a
crop stretches what is left, and where the picture fills the frame a shift takes part of it away.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2

from graticule.arrays import Float32Array
from graticule.features.neighbours import neighbour_pairs
from graticule.images.fingerprint import SIDE, sizes_and_contrast, unpack
from graticule.split.duplicates.bands import detail
from graticule.split.duplicates.matching import on_all_cores
from graticule.split.duplicates.registration import warp

NEIGHBOURS = 6
_MOVED_NEIGHBOURS = 2
# shift down, shift across (parts of the side), growth of both (logarithm) of the looked-up picture; the growth is half
# of what 5 % cut off on all sides makes
_MOVES = ((0.0, 0.0, -0.06), (0.06, 0.06, 0.0), (0.06, -0.06, 0.0), (-0.06, 0.06, 0.0), (-0.06, -0.06, 0.0))
_BAND = (1.0, 4.0)  # pixels of the thumbnail
# Images of fewer pixels than a thumbnail are looked up once more by what is coarser than their own pixels, where
# compression leaves noise.
_SMALL_BAND = (2.5, 8.0)
_RADIUS = 9  # cycles per picture
_KEPT = 64
_SAMPLE = 5_000
_CHUNK = 1_024
_POOL = 20_000  # images among which `farther_pairs` ranks


def _orbits() -> list[NDArray[np.intp]]:
    """Sets of frequencies (down, across) that mirrorings and quarter turns exchange, each of shape (2 or 4, 2).

    Of a frequency and its negative, which are equally strong, the one with a number across of at least 0 stands.
    """
    orbits = []
    for u in range(1, _RADIUS + 1):
        for v in range(u + 1):
            if u * u + v * v <= _RADIUS * _RADIUS:
                exchanged = {(u, v), (u, -v), (v, u), (v, -u)}
                half = {(y, x) if x >= 0 else (-y, -x) for y, x in exchanged}
                orbits.append(np.array(sorted(half), dtype=np.intp))
    return orbits


_ORBITS = _orbits()


def descriptors(thumbnails: Float32Array, fine: float = _BAND[0], coarse: float = _BAND[1]) -> Float32Array:
    """Descriptors that do not change under the symmetries of the square and hardly under shifts.

    Parameters
    ----------
    thumbnails : float32 array, shape (n, s, s)
    fine, coarse : float
        Of the band-pass, see `detail`.

    Returns
    -------
    float32 array, shape (n, d)
    """
    side = thumbnails.shape[-1]
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    pictures = detail(thumbnails, fine, coarse, floor=0.2) * (window[:, None] * window)
    strength = np.sqrt(np.abs(rfft2(pictures)[..., : _RADIUS + 1]))
    sets = [np.sort(strength[:, orbit[:, 0], orbit[:, 1]], axis=1) for orbit in _ORBITS]
    return np.concatenate(sets, axis=1).astype(np.float32)


def _moved(thumbnails: Float32Array, move: tuple[float, float, float]) -> Float32Array:
    side = thumbnails.shape[-1]
    motion = np.array([[move[0] * side, move[1] * side, move[2], move[2]]], dtype=np.float32)
    return warp(thumbnails, motion)[0]


@dataclass(frozen=True)
class _Axes:
    """Standardisation, rotation to the main axes and half whitening, learnt from a sample."""

    mean: Float32Array
    turn: Float32Array

    def reduced(self, rows: Float32Array) -> Float32Array:
        """Coordinates on the axes, brought to unit length; shape (n, at most `_KEPT`)."""
        placed = (rows - self.mean) @ self.turn
        unit: Float32Array = (placed / (np.linalg.norm(placed, axis=1, keepdims=True) + 1e-6)).astype(np.float32)
        return unit


def _axes(sample: Float32Array) -> _Axes:
    mean, deviation = sample.mean(axis=0), sample.std(axis=0) + 1e-6
    standard = (sample - mean) / deviation
    power, axes = np.linalg.eigh(standard.T.astype(np.float64) @ standard / len(sample))
    kept = np.argsort(-power)[:_KEPT]
    # half whitened: weak axes, on which only near-duplicates agree, gain weight, and their noise not too much
    turn = axes[:, kept] / np.maximum(power[kept], 1e-3 * power.max()) ** 0.25
    return _Axes(mean, (turn / deviation[:, None]).astype(np.float32))


def _sampled(n: int) -> NDArray[np.int64]:
    """Rows from which axes are learnt, in order."""
    return np.sort(np.random.default_rng(0).choice(n, min(n, _SAMPLE), replace=False))


def _blockwise(n: int, rows_of: Callable[[NDArray[np.int64]], Float32Array], axes: _Axes) -> Float32Array:
    """Reduced rows of all n images, of which never more than a block is there in full."""
    blocks = [np.arange(start, min(n, start + _CHUNK)) for start in range(0, n, _CHUNK)]
    return np.concatenate(list(on_all_cores(lambda block: axes.reduced(rows_of(block)), blocks)))


def _described(fingerprints: NDArray[np.uint8]) -> tuple[Float32Array, _Axes]:
    """Reduced descriptors of all images, and the axes they lie on."""

    def plain(rows: NDArray[np.int64]) -> Float32Array:
        return descriptors(unpack(fingerprints[rows])[0])

    axes = _axes(plain(_sampled(len(fingerprints))))
    return _blockwise(len(fingerprints), plain, axes), axes


def candidate_pairs(fingerprints: NDArray[np.uint8], features: Float32Array | None) -> NDArray[np.int64]:
    """Pairs of rows that may be near-duplicates.

    Parameters
    ----------
    fingerprints : uint8 array, shape (n, FINGERPRINT_SIZE)
    features : float32 array, shape (n, d), optional
        Of a network; their signed square roots are compared.

    Returns
    -------
    int64 array, shape (pairs, 2)
        a < b, each pair once, sorted.
    """
    n = len(fingerprints)
    if n < 2:
        return np.empty((0, 2), dtype=np.int64)
    base, axes = _described(fingerprints)
    found = [neighbour_pairs(base, base, NEIGHBOURS)]
    for move in _MOVES:

        def moved(rows: NDArray[np.int64], move: tuple[float, float, float] = move) -> Float32Array:
            return descriptors(_moved(unpack(fingerprints[rows])[0], move))

        found.append(neighbour_pairs(_blockwise(n, moved, axes), base, _MOVED_NEIGHBOURS))
    small = np.flatnonzero(np.sqrt(sizes_and_contrast(fingerprints)[0].prod(axis=1)) < SIDE)
    if len(small) > 1:

        def coarser(rows: NDArray[np.int64]) -> Float32Array:
            return descriptors(unpack(fingerprints[small[rows]])[0], *_SMALL_BAND)

        seen = _blockwise(len(small), coarser, _axes(coarser(_sampled(len(small)))))
        found.append(small[neighbour_pairs(seen, seen, _MOVED_NEIGHBOURS)])
    if features is not None:
        table = features

        def roots(rows: NDArray[np.int64]) -> Float32Array:
            return np.sign(table[rows]) * np.sqrt(np.abs(table[rows]))

        seen = _blockwise(n, roots, _axes(roots(_sampled(n))))
        found.append(neighbour_pairs(seen, seen, NEIGHBOURS))
    return np.unique(np.concatenate(found), axis=0)


def farther_pairs(fingerprints: NDArray[np.uint8], rows: NDArray[np.int64], known: NDArray[np.int64]
                  ) -> NDArray[np.int64]:  # fmt: skip
    """Pairs of some images with less and less likely candidates: number 3, 6, 12, 24 ... in order of likeness.

    However large the family of an image is, the first of these that are not of it follow soon after its last.

    Parameters
    ----------
    fingerprints : uint8 array, shape (n, FINGERPRINT_SIZE)
    rows : int64 array, shape (k,)
        Images asked for.
    known : int64 array, shape (m, 2)
        Pairs, a < b, that are left out of the result.

    Returns
    -------
    int64 array, shape (pairs, 2)
        a < b, each pair once, sorted.
    """
    n = len(fingerprints)
    if not len(rows) or n < 3:
        return np.empty((0, 2), dtype=np.int64)
    base, _ = _described(fingerprints)
    pool = np.sort(np.random.default_rng(0).choice(n, min(n, _POOL), replace=False))
    ranks = [3 * 2**i - 1 for i in range(len(pool).bit_length()) if 3 * 2**i <= len(pool)]
    codes = [np.empty(0, dtype=np.int64)]
    for part in np.array_split(rows, -(-len(rows) // _CHUNK)):
        likeness = base[part] @ base[pool].T
        # an image is most like itself, which is rank 0 where it is in the pool
        chosen = pool[np.argpartition(-likeness, ranks, axis=1)[:, ranks]]
        image = np.repeat(part, len(ranks)).reshape(chosen.shape)
        codes.append((np.minimum(image, chosen) * n + np.maximum(image, chosen))[image != chosen])
    fresh = np.setdiff1d(np.concatenate(codes), known[:, 0] * n + known[:, 1])
    return np.column_stack([fresh // n, fresh % n])
