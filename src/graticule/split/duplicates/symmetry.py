"""The eight symmetries of the square, and words for what one picture went through to become another."""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array

SYMMETRIES = 8
_MOVED, _GROWN = 0.012, 0.015  # below, part of the side and logarithm: not worth a word
# Symmetries explain a pair about equally well when their distances (1 - correlation) differ less than this factor: two
# standard errors of Fisher's z (1921), sqrt(2 / (N - 3)), at N = 100 independent points of detail on a thumbnail.
_ALIKE = float(np.exp(2 * 2 * np.sqrt(2 / 97)))
_ALWAYS_ALIKE = 0.01  # distance below which all agree
_NAMES = (
    "",
    "rotated by 90 degrees",
    "rotated by 180 degrees",
    "rotated by 270 degrees",
    "mirrored",
    "mirrored and rotated by 90 degrees",
    "flipped upside down",
    "mirrored and rotated by 270 degrees",
)


def symmetric(pictures: Float32Array, symmetry: int) -> Float32Array:
    """Mirror left to right for 4 to 7, then `symmetry % 4` quarter turns counter-clockwise; shape (..., s, s)."""
    mirrored = pictures[..., ::-1] if symmetry >= 4 else pictures
    return np.rot90(mirrored, symmetry % 4, axes=(-2, -1))


def each_symmetric(pictures: Float32Array, symmetry: NDArray[np.int64]) -> Float32Array:
    """Each of n pictures under a symmetry of its own, shape (n, s, s)."""
    result = np.empty_like(pictures)
    for one in np.unique(symmetry):
        mask = symmetry == one
        result[mask] = symmetric(pictures[mask], int(one))
    return result


def inverse(symmetry: int) -> int:
    """The symmetry that undoes another; mirror images undo themselves."""
    return symmetry if symmetry >= 4 else -symmetry % 4


def turned_shift(shift: NDArray[np.float32], symmetry: int) -> NDArray[np.float32]:
    """Shifts down and right after a symmetry of the plane they lie in, shape (n, 2)."""
    down, right = shift[:, 0], -shift[:, 1] if symmetry >= 4 else shift[:, 1]
    for _ in range(symmetry % 4):
        down, right = -right, down
    return np.stack([down, right], axis=1)


def describe_change(by_symmetry: NDArray[np.float32], motion: NDArray[np.float32]) -> str:
    """What makes picture b of picture a, for people.

    A round object looks the same mirrored and turned: where several symmetries explain the pair about equally well,
    none of them is named.

    Parameters
    ----------
    by_symmetry : float32 array, shape (8,)
        Correlation reached with each symmetry of b, which undoes the change; -1 where none was tried.
    motion : float32 array, shape (4,)
        Of the best symmetry: shift down and right (parts of the side), growth down and across (natural logarithm).
    """
    distance = 1.0 - by_symmetry
    alike = np.flatnonzero(distance <= max(_ALIKE * float(distance.min()), _ALWAYS_ALIKE))
    found = [_turning(alike)]
    if np.abs(motion[2:]).max() > _GROWN:
        found.append("cropped")
    # a crop on one side moves the middle by half of what it takes
    if np.abs(motion[:2]).max() > _MOVED + 0.5 * np.abs(motion[2:]).max():
        found.append("shifted")
    return ", ".join(filter(None, found)) or "same view, re-encoded or resized"


def _turning(symmetries: NDArray[np.intp]) -> str:
    """Words for one symmetry of b, or for several between which the pictures do not tell; not all eight are tried."""
    if len(symmetries) == 1:
        return _NAMES[inverse(int(symmetries[0]))]
    return "same object, perhaps rotated or mirrored" if symmetries[0] == 0 else "rotated or mirrored"
