"""Which pairs stand out: copies are more alike than anything else their images come near.

Single cells on plain ground look alike to any measure, and how much differs between data sets. So the distance of a
pair (1 - similarity) is judged against pictures that are not of the same family. The idea is the ratio test of Lowe
(2004) for image features. Among many copies of one picture the nearest rivals of a pair are copies too, so the test
looks for a gap instead: whatever lies before a wide gap in the list of an image's neighbours, be it one image or
three hundred, is of its family, and what comes behind is the background. Families are units from then on: a copy that
was altered more joins when it stands out from all that is outside.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array
from graticule.split.components import joined

Confirm = Callable[[int, int], float]

SAME = 0.01  # distance below which no rival matters
GAP = 0.33  # largest distance of a pair, as part of the distance to what is outside
# The same for the farthest of 1, 2, 3, 4 and more images in front of a gap. A crowd of one sort of objects ends in a
# gap too, where other sorts begin, but its members differ more than copies do.
_GAPS = (GAP, 0.22, 0.22, 0.12)
# Each of a crowd of copies has another as near as this, in full detail at least. Simple objects of one sort, such as
# discs on plain ground, may differ from all else so much that they end in a gap as wide, but no two are one picture.
_CROWD, _CROWD_NEAREST = 4, 0.025
_GREY = 0.9  # up to this ratio a pair is looked at in full detail, where that is possible
CONFIRMED = 0.5  # largest ratio in full detail
_CONFIRMED_IN_CROWD = 0.25  # the same where rivals are looked past
FARTHEST = 0.5  # rivals count as at least this near, so a pair far from all others must still agree well
_UNKNOWN = 0.1  # where a set is too small to show rivals


@dataclass(frozen=True)
class _Neighbours:
    """The pairs seen from each image: 2 m entries sorted by image, then distance.

    Attributes
    ----------
    image, other, row : int64 arrays, shape (2 m,)
        Two images of a pair, and the row of the pair.
    distance : float32 array, shape (2 m,)
    """

    image: NDArray[np.int64]
    other: NDArray[np.int64]
    row: NDArray[np.int64]
    distance: Float32Array


def _neighbours(pairs: NDArray[np.int64], distance: Float32Array) -> _Neighbours:
    image, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    row = np.tile(np.arange(len(pairs)), 2)
    order = np.lexsort((row, distance[row], image))
    return _Neighbours(image[order], other[order], row[order], distance[row[order]])


def family_reach(
    seen: _Neighbours, n: int, gaps: Sequence[float], nearest: float = _CROWD_NEAREST
) -> tuple[Float32Array, NDArray[np.int64]]:
    """How far the family of each image reaches: the largest distance in front of a wide gap.

    Parameters
    ----------
    seen : _Neighbours
    n : int
        Number of images.
    gaps : sequence of float
        A gap is wide when the distance in front is at most this part of the one behind: for 1, 2, 3 ... images in
        front, the last for more.
    nearest : float
        Behind a crowd there is no gap unless one of it is as near as this.

    Returns
    -------
    float32 array, shape (n,)
        0 where there is no gap.
    int64 array, shape (n,)
        Row of the pair behind the gap, or -1.
    """
    behind = np.full(len(seen.row), _UNKNOWN, dtype=np.float32)
    origin = np.full(len(seen.row), -1, dtype=np.int64)
    inner = seen.image[:-1] == seen.image[1:]
    behind[:-1][inner] = np.minimum(seen.distance[1:][inner], FARTHEST)
    origin[:-1][inner] = seen.row[1:][inner]
    first = np.searchsorted(seen.image, seen.image)
    nearer = np.arange(len(seen.row)) - first
    close = (nearer < _CROWD - 1) | (seen.distance[first] <= nearest)
    ratio = np.asarray(gaps, dtype=np.float32)[np.minimum(nearer, len(gaps) - 1)]
    gap = np.flatnonzero(close & (seen.distance <= ratio * behind))
    reach = np.zeros(n, dtype=np.float32)
    last = np.full(n, -1, dtype=np.int64)
    # sorted by distance: the last gap of an image overwrites those before
    reach[seen.image[gap]] = seen.distance[gap]
    last[seen.image[gap]] = origin[gap]
    return reach, last


def crowded(pairs: NDArray[np.int64], similarity: Float32Array, n: int, least: int) -> NDArray[np.int64]:
    """Images with at least `least` candidates so near that a gap may follow; what comes behind is worth a look."""
    near = pairs[1.0 - similarity <= GAP * FARTHEST]
    return np.flatnonzero(np.bincount(near.ravel(), minlength=n) >= least)


def _outside(seen: _Neighbours, family: NDArray[np.int64], pairs: NDArray[np.int64]
             ) -> tuple[Float32Array, NDArray[np.int64]]:  # fmt: skip
    """Nearest rival of both images of each pair that is of neither image's family.

    Returns
    -------
    float32 array, shape (m, 2)
        At most `FARTHEST`; `_UNKNOWN` where no rival is known.
    int64 array, shape (m, 2)
        Row of the pair that gives it, or -1.
    """
    n = len(family)

    def first(among: NDArray[np.bool_]) -> NDArray[np.int64]:
        places = np.flatnonzero(among)
        found = np.full(n, -1, dtype=np.int64)
        found[seen.image[places][::-1]] = places[::-1]
        return found

    theirs, own = family[seen.other], family[seen.image]
    nearest = first(theirs != own)
    met = np.where(nearest >= 0, family[seen.other[nearest]], -1)
    following = first((theirs != own) & (theirs != met[seen.image]))
    other = family[pairs[:, ::-1]]
    place = np.where(met[pairs] == other, following[pairs], nearest[pairs])
    known = place >= 0
    distance = np.where(known, np.minimum(seen.distance[place], FARTHEST), _UNKNOWN).astype(np.float32)
    return distance, np.where(known, seen.row[place], -1)


def stand_out(
    pairs: NDArray[np.int64],
    similarity: Float32Array,
    n: int,
    confirm: Confirm | None = None,
    *,
    fits: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Tell copies from look-alikes.

    Parameters
    ----------
    pairs : int64 array, shape (m, 2)
        Candidates, rivals of the copies among them.
    similarity : float32 array, shape (m,)
    n : int
        Number of images.
    confirm : callable, optional
        (a, b) to the similarity of two images in full detail; asked about the doubtful pairs and their rivals.
    fits : bool array, shape (m,), optional
        False for pairs that cannot be copies, whatever their distance; they are rivals all the same.

    Returns
    -------
    bool array, shape (m,)
        Pairs whose chains are the families; not each pair within a family is among them.
    """
    distance = (1.0 - similarity).astype(np.float32)
    possible = np.ones(len(pairs), dtype=bool) if fits is None else fits
    seen = _neighbours(pairs, distance)
    sure: NDArray[np.bool_] = (distance <= SAME) | (distance <= family_reach(seen, n, _GAPS)[0][pairs].min(axis=1))
    sure &= possible
    reach, behind = family_reach(seen, n, (GAP,), nearest=FARTHEST)
    crowd = distance <= reach[pairs].min(axis=1)
    near = distance <= family_reach(seen, n, (GAP,))[0][pairs].min(axis=1)
    bounds = np.column_stack(
        [np.where(crowd, _CONFIRMED_IN_CROWD, CONFIRMED), np.where(crowd & ~near, _CROWD_NEAREST, FARTHEST)]
    )
    asked: set[tuple[int, ...]] = set()
    while True:
        family = joined(n, pairs[sure])
        apart: NDArray[np.bool_] = possible & (family[pairs[:, 0]] != family[pairs[:, 1]])
        rival, origin = _outside(seen, family, pairs)
        limit = rival.min(axis=1)
        new = np.flatnonzero(apart & (distance <= GAP * limit))
        if not len(new) and confirm is not None:
            doubtful = np.flatnonzero(apart & (crowd | (distance <= _GREY * limit)))
            origin = np.where(crowd[:, None], behind[pairs], origin)
            doubtful = doubtful[np.argsort(distance[doubtful], kind="stable")]
            new = _confirmed(pairs, doubtful, origin, bounds, confirm, asked)
        if not len(new):
            return sure
        sure[new] = True


def _confirmed(
    pairs: NDArray[np.int64],
    doubtful: NDArray[np.int64],
    origin: NDArray[np.int64],
    bounds: NDArray[np.float64],
    confirm: Confirm,
    asked: set[tuple[int, ...]],
) -> NDArray[np.int64]:
    """Those of the doubtful pairs that stand out in full detail; none is asked about twice with the same rivals.

    `bounds` has a row per pair: the largest distance, as part of that to the rivals and as such.
    """
    found = []
    for row in doubtful.tolist():
        question = (row, *origin[row].tolist())
        if question not in asked:
            asked.add(question)
            ratio, most = bounds[row].tolist()
            if _distance(confirm, pairs[row]) <= min(
                most, ratio * _rival_distance(confirm, pairs[origin[row][origin[row] >= 0]])
            ):
                found.append(row)
    return np.array(found, dtype=np.int64)


def _distance(confirm: Confirm, pair: NDArray[np.int64]) -> float:
    """Of two images in full detail."""
    return 1.0 - confirm(int(pair[0]), int(pair[1]))


def _rival_distance(confirm: Confirm, rivals: NDArray[np.int64]) -> float:
    """Of the nearest of some pairs in full detail, at most `FARTHEST`."""
    return min([FARTHEST, *(_distance(confirm, pair) for pair in rivals)])
