"""Exact duplicates and near-duplicates: the same picture re-encoded, resized, shifted, turned, mirrored or cropped.

    fingerprints ──> candidates, a few per image ──> registration ──> decision

Candidates come from descriptors that the symmetries of the square leave alone; a pair counts when, laid over each
other, its fine detail agrees far better than that of other pairs with the same images.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from graticule.images.fingerprint import sizes_and_contrast
from graticule.split.components import joined
from graticule.split.duplicates.candidates import NEIGHBOURS, candidate_pairs, farther_pairs
from graticule.split.duplicates.decision import Confirm, crowded, stand_out
from graticule.split.duplicates.matching import Progress, match
from graticule.split.duplicates.registration import Registration
from graticule.split.duplicates.symmetry import describe_change

_BLANK = 4.0  # grey levels; a picture of less contrast shows nothing that two images could share
_ASPECT = 0.25  # largest difference of height / width, natural logarithm


@dataclass(frozen=True)
class Pair:
    """Two images that show the same picture.

    Attributes
    ----------
    a, b : int
        Rows, a < b.
    kind : str
        "exact": equal pixels. "near": equal pictures.
    similarity : float
        0 to 1: correlation of the fine details where the pictures overlap; 1 for exact ones.
    change : str
        What makes b of a, for people: "rotated by 90 degrees, shifted".
    """

    a: int
    b: int
    kind: Literal["exact", "near"]
    similarity: float
    change: str


def find_duplicates(
    pixel_sha256: Sequence[str],
    fingerprints: NDArray[np.uint8],
    features: NDArray[np.float32] | None = None,
    *,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
) -> list[Pair]:
    """Pairs of images with equal pixels or equal pictures.

    Parameters
    ----------
    pixel_sha256 : sequence of n str
        Hash of the pixels; "" for an unreadable image, which is in no pair.
    fingerprints : uint8 array, shape (n, FINGERPRINT_SIZE)
    features : float32 array, shape (n, d), optional
        Of a network; more candidates are found with them.
    confirm : callable, optional
        (a, b) to the similarity of two images in full detail, see `full_similarity`; asked about doubtful
        pairs only.
    progress : callable, optional
        Called with pairs compared and pairs to compare.

    Returns
    -------
    list of Pair
        Sorted by a, then b. Of a set with equal pixels each image is paired with the first one only, and only the
        first one is compared with others.

    Raises
    ------
    ValueError
        When the tables differ in length.
    """
    n = len(pixel_sha256)
    if len(fingerprints) != n or (features is not None and len(features) != n):
        raise ValueError(f"{n} hashes, but {len(fingerprints)} fingerprints or another number of features")
    pairs: list[Pair] = []
    first: dict[str, int] = {}
    for i, sha in enumerate(pixel_sha256):
        if sha and first.setdefault(sha, i) != i:
            pairs.append(Pair(first[sha], i, "exact", 1.0, "equal pixels"))
    sizes, contrast = sizes_and_contrast(fingerprints)
    rows = np.array([i for i in first.values() if contrast[i] >= _BLANK], dtype=np.int64)
    if len(rows) > 1:
        whole = len(rows) == n
        picked = fingerprints if whole else fingerprints[rows]
        seen = features if features is None or whole else features[rows]
        ask = None if confirm is None else lambda a, b: confirm(int(rows[a]), int(rows[b]))
        near = _near(picked, sizes[rows], candidate_pairs(picked, seen), ask, progress)
        pairs += [Pair(int(rows[p.a]), int(rows[p.b]), p.kind, p.similarity, p.change) for p in near]
    return sorted(pairs, key=lambda p: (p.a, p.b))


def _near(
    fingerprints: NDArray[np.uint8],
    sizes: NDArray[np.float32],
    candidates: NDArray[np.int64],
    confirm: Confirm | None,
    progress: Progress | None,
) -> list[Pair]:
    found = match(fingerprints, candidates, progress)
    # a family may be larger than the list of candidates, which then shows too little of what is outside
    full = crowded(candidates, found.similarity, len(fingerprints), NEIGHBOURS)
    more = farther_pairs(fingerprints, full, candidates)
    if len(more):
        candidates = np.concatenate([candidates, more])
        found = Registration.join([found, match(fingerprints, more, progress, hope=-1.0)])
    aspect = np.log(sizes[:, 0] / sizes[:, 1])
    turned = np.where(found.symmetry % 2 == 1, -1.0, 1.0)  # an odd number of quarter turns exchanges height and width
    fits = np.abs(aspect[candidates[:, 0]] - turned * aspect[candidates[:, 1]]) <= _ASPECT
    with threadpool_limits(1):  # products of small matrices gain nothing from threads of their own
        same = stand_out(candidates, found.similarity, len(fingerprints), confirm, fits=fits)
    return [
        Pair(
            int(a),
            int(b),
            "near",
            float(np.clip(found.similarity[k], 0.0, 1.0)),
            describe_change(found.by_symmetry[k], found.motion[k]),
        )
        for k in np.flatnonzero(same)
        for a, b in candidates[k : k + 1]
    ]


def duplicate_components(n: int, pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """Images joined by pairs, directly or in a chain.

    Returns
    -------
    int64 array, shape (n,)
        Equal numbers: one component. Numbered from 0 in order of their first image.
    """
    return joined(n, np.array([(pair.a, pair.b) for pair in pairs], dtype=np.int64).reshape(-1, 2))


def conflicts(pairs: Sequence[Pair], labels: Sequence[str]) -> list[Pair]:
    """The pairs whose two images carry different labels; an unlabelled image ("") conflicts with none.

    Of images with equal pixels each is compared with the first that carries a label.
    """
    first: dict[int, int] = {}
    found = []
    for pair in pairs:
        if pair.kind == "exact" and not labels[pair.a] and labels[pair.b]:
            pair = replace(pair, a=first.setdefault(pair.a, pair.b))
        if labels[pair.a] and labels[pair.b] and labels[pair.a] != labels[pair.b]:
            found.append(pair)
    return found
