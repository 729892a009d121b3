"""Families of copies: the images that hang together by pairs of equal or nearly equal pictures.

Twenty copies of one picture are 190 pairs, of which a search finds as many as it needs. People look at the one family.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graticule.split.components import joined
from graticule.split.duplicates.find import Pair

_CHANGES = 3


@dataclass(frozen=True)
class Family:
    """Images of which each is a copy of at least one other.

    Attributes
    ----------
    rows : tuple of int
        At least two, in order.
    kind : str
        "exact": all have equal pixels. "near": some are nearly equal.
    complete : bool
        Whether every two of them were found alike. Otherwise they are a chain: two of its images may have nothing in
        common but those between them.
    similarity : float
        Of the least alike pair that was found, 0 to 1.
    changes : tuple of str
        What makes near copies of one another, most frequent first, at most three.
    """

    rows: tuple[int, ...]
    kind: Literal["exact", "near"]
    complete: bool
    similarity: float
    changes: tuple[str, ...]


def families(pairs: Sequence[Pair]) -> list[Family]:
    """The families that pairs of images make, largest first, then in order of their first image."""
    if not pairs:
        return []
    rows, ends = np.unique([(pair.a, pair.b) for pair in pairs], return_inverse=True)
    ends = ends.reshape(-1, 2)
    exact = np.array([pair.kind == "exact" for pair in pairs])
    family, unit = joined(len(rows), ends), joined(len(rows), ends[exact])
    members: list[list[int]] = [[] for _ in range(int(family.max()) + 1)]
    links: list[list[int]] = [[] for _ in members]
    for place, number in enumerate(family.tolist()):
        members[number].append(place)
    for k, number in enumerate(family[ends[:, 0]].tolist()):
        links[number].append(k)
    found = []
    for places, own in zip(members, links, strict=True):
        near = [pairs[k] for k in own if pairs[k].kind == "near"]
        linked = {tuple(sorted(unit[ends[k]].tolist())) for k in own if pairs[k].kind == "near"}
        units = len(set(unit[places].tolist()))
        changes = Counter(pair.change for pair in near if pair.change)
        found.append(
            Family(
                tuple(rows[places].tolist()),
                "near" if near else "exact",
                # copies of equal pixels stand for one another
                len(linked) == units * (units - 1) // 2,
                min(pairs[k].similarity for k in own),
                tuple(change for change, _ in changes.most_common(_CHANGES)),
            )
        )
    return sorted(found, key=lambda one: (-len(one.rows), one.rows))


def under_two_labels(family: Family, labels: Sequence[str]) -> bool:
    """Whether images of a family carry different labels; those without one ("") differ from none."""
    return len({labels[row] for row in family.rows} - {""}) > 1


def counts(found: Sequence[Family]) -> dict[str, int]:
    """How many families, of how many images; and how many of each kind."""
    kinds = Counter(family.kind for family in found)
    images = sum(len(family.rows) for family in found)
    return {"n": len(found), "images": images, "exact": kinds["exact"], "near": kinds["near"]}
