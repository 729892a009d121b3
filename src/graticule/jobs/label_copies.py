"""Copies that carry two labels, among images that a run has features of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.data.components import components
from graticule.data.duplicates_decision import CONFIRMED, FARTHEST, Confirm
from graticule.data.neighbours import Rows, neighbour_pairs
from graticule.data.preprocess import Preprocessing
from graticule.jobs.kinship import in_full_detail
from graticule.models.scoring import signed_sqrt

_NEAREST = 3
_LOOKED_AT = 200  # pairs laid over each other; each takes about a tenth of a second
_RATIO = 0.6  # largest distance of a candidate pair against that to the next image


def copies_of(
    preprocessing: Preprocessing,
    features: Rows,
    hashes: NDArray[np.uint8],
    y: NDArray[np.int64],
    files: Sequence[Path],
) -> tuple[NDArray[np.int64], list[tuple[int, int, float]]]:
    """Sets of images that show the same picture: equal pixels, or near-duplicates under two labels.

    Near-duplicates are looked for where it matters, among the pairs under two labels that are far more alike than
    either is to a third image; they are read again and laid over each other.

    Parameters
    ----------
    preprocessing : Preprocessing
        How images are read.
    features : float32 array, shape (n, d)
    hashes : uint8 array, shape (n, 32)
        Of the pixels.
    y : int array, shape (n,)
    files : sequence of n Path
        Those that are gone are in no pair of near-duplicates.

    Returns
    -------
    int array, shape (n,)
        Equal numbers: the same picture.
    list of (a, b, similarity)
        Near-duplicates under two labels, a < b.
    """
    exact = np.unique(hashes, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    near = []
    with in_full_detail(files, preprocessing) as confirm:
        for a, b, rivals in _candidates(features, y, exact):
            similarity = confirm(a, b)
            if 1.0 - similarity <= CONFIRMED * _rival(rivals, confirm):
                near.append((a, b, similarity))
    joined = exact.copy()
    for a, b, _ in near:
        joined[joined == joined[b]] = joined[a]
    return components(len(y), None, joined), near


def _rival(rivals: list[tuple[int, int]], confirm: Confirm) -> float:
    """Distance in full detail to the nearest rival."""
    return min([FARTHEST, *(1.0 - confirm(a, b) for a, b in rivals)])


def _candidates(
    features: Rows, y: NDArray[np.int64], exact: NDArray[np.int64]
) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Pairs under two labels that stand out, most alike first, each with its nearest rivals."""
    root = signed_sqrt(features)
    root -= root.mean(axis=0)
    root /= root.std(axis=0) + 1e-6
    root /= np.linalg.norm(root, axis=1, keepdims=True) + 1e-12
    pairs = neighbour_pairs(root, root, _NEAREST)
    pairs = pairs[exact[pairs[:, 0]] != exact[pairs[:, 1]]]
    if not len(pairs):
        return []
    distance = np.maximum(1.0 - (root[pairs[:, 0]] * root[pairs[:, 1]]).sum(axis=1), 0.0)
    image, place = np.concatenate([pairs[:, 0], pairs[:, 1]]), np.tile(np.arange(len(pairs)), 2)
    order = np.lexsort((distance[place], image))
    image, place = image[order], place[order]
    first = np.searchsorted(image, np.arange(len(y) + 1))
    found = []
    for pair in np.flatnonzero(y[pairs[:, 0]] != y[pairs[:, 1]]):
        rivals = [r for i in pairs[pair] for r in place[first[i] : first[i + 1]].tolist() if r != pair]
        nearest = min(rivals, key=lambda r: float(distance[r]), default=None)
        if nearest is None or distance[pair] <= _RATIO * distance[nearest]:
            a, b = (int(i) for i in pairs[pair])
            others = [] if nearest is None else [(int(pairs[nearest][0]), int(pairs[nearest][1]))]
            found.append((float(distance[pair]), a, b, others))
    return [(a, b, others) for _, a, b, others in sorted(found)[:_LOOKED_AT]]
