"""Which pairs stand out: a near-duplicate is more alike than anything else its two images come near.

Single cells on plain ground look alike to any measure, and how much differs between data sets. So a pair is judged by
its distance (1 - similarity) against the distance of each image to its next rivals. The idea is the ratio test of Lowe
(2004) for image features, here with a second, stricter test that looks past the first rivals, because three frames of
one object are rivals of each other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Confirm = Callable[[int, int], float]

SAME = 0.01  # distance below which no rival matters
_RATIOS = ((1, 0.33), (3, 0.22))  # (rivals looked past, largest ratio)
_GREY = 0.9  # up to this ratio a pair is looked at in full detail, where that is possible
CONFIRMED = 0.5  # largest ratio in full detail
FARTHEST = 0.5  # rivals count as at least this near, so a pair far from all others must still agree well
_UNKNOWN = 0.1  # where a set is too small to show rivals


def rival_distances(
    pairs: NDArray[np.int64], distance: NDArray[np.float32], n: int, past: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Distance of each image to its rival number `past` + 1, nearest first, and the pair that gives it.

    Parameters
    ----------
    pairs : int64 array, shape (m, 2)
    distance : float32 array, shape (m,)
    n : int
        Number of images.
    past : int
        Nearer images that are looked past: 1 for the other image of the pair itself.

    Returns
    -------
    float32 array, shape (n,)
        At most `FARTHEST`; `_UNKNOWN` for images with too few rivals.
    int64 array, shape (n,)
        Row of `pairs`, or -1.
    """
    image = np.concatenate([pairs[:, 0], pairs[:, 1]])
    row = np.tile(np.arange(len(pairs)), 2)
    order = np.lexsort((row, distance[row], image))
    image, row = image[order], row[order]
    place = np.searchsorted(image, np.arange(n)) + past
    count = np.bincount(image, minlength=n)
    result = np.full(n, _UNKNOWN, dtype=np.float32)
    origin = np.full(n, -1, dtype=np.int64)
    found = count > past
    origin[found] = row[place[found]]
    result[found] = np.minimum(distance[origin[found]], FARTHEST)
    return result, origin


def decide(
    pairs: NDArray[np.int64], similarity: NDArray[np.float32], n: int, confirm: Confirm | None = None
) -> NDArray[np.bool_]:
    """Tell near-duplicates from look-alikes.

    Parameters
    ----------
    pairs : int64 array, shape (m, 2)
        Candidates, rivals of the duplicates among them.
    similarity : float32 array, shape (m,)
    n : int
        Number of images.
    confirm : callable, optional
        (a, b) to the similarity of two images in full detail; asked about the doubtful pairs and their rivals.

    Returns
    -------
    bool array, shape (m,)
    """
    distance = (1.0 - similarity).astype(np.float32)
    sure = distance <= SAME
    for past, ratio in _RATIOS:
        sure |= distance <= ratio * rival_distances(pairs, distance, n, past)[0][pairs].min(axis=1)
    if confirm is not None:
        rival, origin = rival_distances(pairs, distance, n, 1)
        doubtful = distance <= _GREY * rival[pairs].min(axis=1)
        for row in np.flatnonzero(doubtful & ~sure):
            sure[row] = _stands_out(pairs, int(row), origin, confirm)
    return sure


def _stands_out(pairs: NDArray[np.int64], row: int, origin: NDArray[np.int64], confirm: Confirm) -> bool:
    """Whether a pair is much nearer than the next rivals of its images, in full detail."""
    limit = FARTHEST
    for image in pairs[row]:
        if origin[image] >= 0:
            a, b = pairs[origin[image]]
            limit = min(limit, 1.0 - confirm(int(a), int(b)))
    a, b = pairs[row]
    return 1.0 - confirm(int(a), int(b)) <= CONFIRMED * limit
