"""Copies that carry two labels, among images that a run has features of.

features ──> images worth reading, and look-alikes of them ──> fingerprints ──> the decision of an audit
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array
from graticule.features.neighbours import neighbour_pairs
from graticule.heads.scoring import signed_sqrt
from graticule.images.fingerprint import fingerprint_of_file
from graticule.images.preprocess import Preprocessing
from graticule.split.components import components
from graticule.split.duplicates.families import families
from graticule.split.duplicates.find import find_duplicates
from graticule.split.kinship import in_full_detail
from graticule.workers.pool import in_workers

_NEAREST = 24
_READ = 300  # images read at most, those of the pairs most alike first
_GAP = 0.8  # largest distance of a pair that is worth reading, as part of the distance to what is farther
_POOL = 5_000  # images among which distances are ranked
_BEYOND = 3  # look-alikes beyond a gap that are read too, so that there is something to be judged against
_CHUNK = 512


def copies_of(
    preprocessing: Preprocessing,
    features: Float32Array,
    hashes: NDArray[np.uint8],
    y: NDArray[np.int64],
    files: Sequence[Path],
) -> tuple[NDArray[np.int64], list[tuple[int, int, float]]]:
    """Families of images that show the same picture: equal pixels, or near-duplicates where two labels meet.

    Near-duplicates are looked for where it matters, around the pairs under two labels that are far more alike than
    either is to what is farther. Those images are read again, with some look-alikes, and judged as in an audit.

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
        Equal numbers: one family.
    list of (a, b, similarity)
        Every two images of a family under two labels whose pixels differ, a < b; equal pixels stand for one another. Of
        two that hang together only through others the least similarity in their family.
    """
    exact, first = _equal(hashes)
    labels = np.unique(np.column_stack([exact, y]), axis=0)
    mixed = np.bincount(labels[:, 0]) > 1
    # a family under several labels already differs from all others
    label = np.where(mixed, -1 - np.arange(len(first)), y[first])
    rows = first[_worth_reading(_directions(features[first]), label)]
    codes = in_workers(partial(fingerprint_of_file, preprocessing=preprocessing), [files[i] for i in rows], _unread)
    read = [(int(row), code) for row, code in zip(rows, codes, strict=True) if code is not None]
    if len(read) < 2:
        return exact, []
    rows = np.array([row for row, _ in read])
    with in_full_detail([files[i] for i in rows], preprocessing) as confirm:
        pairs = find_duplicates(
            [str(row) for row in rows], np.stack([code for _, code in read]), features[rows], confirm=confirm
        )
    direct = {frozenset(exact[rows[[p.a, p.b]]].tolist()): p.similarity for p in pairs}
    together = exact.copy()
    near: list[tuple[int, int, float]] = []
    for family in families(pairs):
        numbers = exact[rows[list(family.rows)]]
        members = np.flatnonzero(np.isin(exact, numbers))
        if len(set(y[members].tolist())) < 2:
            continue
        together[members] = numbers[0]
        near += [
            (a, b, direct.get(frozenset(exact[[a, b]].tolist()), family.similarity))
            for k, a in enumerate(members.tolist())
            for b in members[k + 1 :].tolist()
            if exact[a] != exact[b]
        ]
    return components(len(y), None, together), near


def _equal(hashes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each set of equal pixels, and the first image of each."""
    _, first, number = np.unique(hashes, axis=0, return_index=True, return_inverse=True)
    return number.reshape(-1).astype(np.int64), first.astype(np.int64)


def _unread(cause: str) -> None:
    """What stands for an image that cannot be read."""


def _directions(features: Float32Array) -> Float32Array:
    """Standardised signed square roots at unit length, shape (n, d)."""
    root = signed_sqrt(features)
    root -= root.mean(axis=0)
    root /= root.std(axis=0) + 1e-6
    root /= np.linalg.norm(root, axis=1, keepdims=True) + 1e-12
    return root


def _worth_reading(directions: Float32Array, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Images in pairs under two labels that may be copies, most alike first, and look-alikes of them; in order."""
    pairs = neighbour_pairs(directions, directions, _NEAREST)
    pairs = pairs[label[pairs[:, 0]] != label[pairs[:, 1]]]
    if not len(pairs):
        return np.empty(0, dtype=np.int64)
    asked = np.unique(pairs)
    reach, beyond = _gaps(directions, asked)
    place = np.searchsorted(asked, pairs)
    parts = np.array_split(pairs, -(-len(pairs) // _POOL))
    distance = np.concatenate([1.0 - (directions[p[:, 0]] * directions[p[:, 1]]).sum(axis=1) for p in parts])
    chosen: set[int] = set()
    for k in np.argsort(distance, kind="stable"):
        if len(chosen) >= _READ:
            break
        if distance[k] <= reach[place[k]].min():
            chosen.update(pairs[k].tolist(), beyond[place[k]].ravel().tolist())
    return np.array(sorted(chosen), dtype=np.int64)


def _gaps(directions: Float32Array, asked: NDArray[np.int64]) -> tuple[Float32Array, NDArray[np.int64]]:
    """How far the farthest gap among the distances of an image lets copies be, and which images come behind it.

    Distances are looked at by rank: 1, 2, 3, 4, then ever farther apart, so that a gap behind a family of any size is
    seen.

    Returns
    -------
    float32 array, shape (k,)
        Distances.
    int64 array, shape (k, _BEYOND)
        Images.
    """
    n = len(directions)
    pool = np.sort(np.random.default_rng(0).choice(n, min(n, _POOL), replace=False))
    ranks = np.unique(np.minimum([0, 1, 2, 3, *(3 * 2**i - 1 for i in range(1, 13))], len(pool) - 1))
    reach = np.empty(len(asked), dtype=np.float32)
    beyond = np.empty((len(asked), _BEYOND), dtype=np.int64)
    for start in range(0, len(asked), _CHUNK):
        part = asked[start : start + _CHUNK]
        distance = np.maximum(1.0 - directions[part] @ directions[pool].T, 0.0)
        order = np.argpartition(distance, ranks, axis=1)[:, ranks]
        ranked = np.take_along_axis(distance, order, axis=1)
        # an image is its own rank 0 where it is in the pool
        front = np.concatenate([np.zeros((len(part), 1), np.float32), ranked[:, :-1]], axis=1)
        last = ranked.shape[1] - 1 - (front <= _GAP * ranked)[:, ::-1].argmax(axis=1)
        reach[start : start + len(part)] = _GAP * np.take_along_axis(ranked, last[:, None], axis=1)[:, 0]
        behind = np.minimum(last[:, None] + np.arange(_BEYOND), ranked.shape[1] - 1)
        beyond[start : start + len(part)] = pool[np.take_along_axis(order, behind, axis=1)]
    return reach, beyond
