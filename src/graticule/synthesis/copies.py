"""Whether generated images are copies of the real ones that their generator saw: all together, and one by one.

As a set. Real images that the generator saw (parents) and others of the same groups that it did not (held out) are
alike, so that an honest generated image is as likely nearest to either. How often it is a parent is held against what
comes out when parents and held-out images change places within their groups, copies of each other kept together
(permutation test). Blur brings an image nearer to all others; a comparison of two sets is not moved by it, where a
comparison of distances (Meehan et al., "A three-sample test to detect data copying", 2020) takes blur for copying.

One by one. A copy is far nearer to its original than to anything else. What is too near is told by real images: the
ratio of the distance to the nearest parent and to the nearest held-out image, among held-out ones; without held-out
images of the same groups the ratio of the distances to the nearest parent and to the next one, among parents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import betabinom

from graticule.arrays import BoolArray, Float32Array, FloatArray, IntArray
from graticule.statistics.intervals import wilson
from graticule.synthesis.distance import NearestPictures, nearest_pictures

PERMUTATIONS = 1999
# fewer held-out images of the same groups tell nothing, over all generators; and of one generator
LEAST_HELD_OUT = 20
_LEAST_OF_ONE = 5
LEAST_PARENTS = 10
# share of real images that may be as near to a parent as what is called a copy
TOO_NEAR = 0.01
# real images that are asked how near is usual
_ASKED = 2000


@dataclass(frozen=True)
class FromGenerator:
    """What one generator made of a class, and the real images of that class.

    Attributes
    ----------
    generated : float32 array, shape (n, side, side)
        Made by `graticule.synthesis.distance.comparable`, as `real`.
    real : float32 array, shape (m, side, side)
    parent : bool array, shape (m,)
        Whether the generator saw it.
    unit : int array, shape (m,)
        Real images of one unit are copies of each other.
    group : int array, shape (m,)
        Specimen, run or whatever real images belong to; all alike where that is not known.
    """

    generated: Float32Array
    real: Float32Array
    parent: BoolArray
    unit: IntArray
    group: IntArray

    @property
    def held_out(self) -> BoolArray:
        """Real images that the generator did not see, nor a copy of them, of groups that it saw images of."""
        apart = ~self.parent & ~np.isin(self.unit, self.unit[self.parent])
        return np.asarray(apart & np.isin(self.group, self.group[self.parent]), bool)


@dataclass(frozen=True)
class SetTest:
    """Copied as a set?

    Attributes
    ----------
    share : float
        Share of generated images whose nearest real image is a parent.
    low, middle, high : float
        The middle 95 % and the median of what comes out where parents and held-out images change places.
    p : float
        How often at least as large a share comes out by chance; NaN where the test could not be made.
    n, n_parents, n_held_out : int
    """

    share: float
    low: float
    middle: float
    high: float
    p: float
    n: int
    n_parents: int
    n_held_out: int

    @property
    def made(self) -> bool:
        """Whether there were held-out images enough."""
        return self.p == self.p


@dataclass(frozen=True)
class Copies:
    """Copied one by one?

    Attributes
    ----------
    flagged : bool array, shape (n,)
        Generated images that are nearer to a parent than real images are.
    parent : int array, shape (n,)
        The nearest parent of each, a place among the real images.
    ratio : float array, shape (n,)
        Its distance, by that of the nearest other image; 0 for an exact copy, about 1 for a new image.
    share, low, high : float
        Of flagged images, with Wilson's 95 % interval.
    p : float
        How often so many of n new images are flagged by chance.
    n_reference : int
        Real images that told how near is usual.
    """

    flagged: BoolArray
    parent: IntArray
    ratio: FloatArray
    share: float
    low: float
    high: float
    p: float
    n_reference: int


def copied_as_a_set(shown: Sequence[FromGenerator], *, seed: int = 0) -> SetTest:
    """The permutation test over all generators of a class.

    Parameters
    ----------
    shown : sequence of FromGenerator
        One per generator.
    seed : int
    """
    rng = np.random.default_rng(seed)
    observed, drawn, n, n_parents, n_held = 0.0, np.zeros(PERMUTATIONS), 0, 0, 0
    for one in shown:
        held = one.held_out
        parents = one.parent & np.isin(one.group, one.group[held])
        n_held += int(held.sum())
        n_parents += int(parents.sum())
        if held.sum() < _LEAST_OF_ONE or parents.sum() < LEAST_PARENTS or not len(one.generated):
            continue
        pool = np.flatnonzero(parents | held)
        found = nearest_pictures(one.generated, one.real[pool], one.unit[pool])
        votes = np.bincount(found.index, minlength=len(pool)).astype(float)
        label = one.parent[pool].astype(float)
        observed += float(votes @ label)
        drawn += _permuted(votes, label, one.unit[pool], one.group[pool], rng)
        n += len(one.generated)
    if not n or n_held < LEAST_HELD_OUT:
        return SetTest(np.nan, np.nan, np.nan, np.nan, np.nan, 0, n_parents, n_held)
    p = (1 + (drawn >= observed - 1e-9).sum()) / (PERMUTATIONS + 1)
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975]) / n
    return SetTest(observed / n, float(low), float(middle), float(high), float(p), n, n_parents, n_held)


def _permuted(
    votes: FloatArray, label: FloatArray, unit: IntArray, group: IntArray, rng: np.random.Generator
) -> FloatArray:
    """Votes for parents where units change places within groups, shape (PERMUTATIONS,)."""
    _, first, unit_of = np.unique(unit, return_index=True, return_inverse=True)
    weight = np.bincount(unit_of, votes)
    role, home = label[first], group[first]
    out = np.zeros(PERMUTATIONS)
    for one in np.unique(home):
        own = np.flatnonzero(home == one)
        roles = np.tile(role[own], (PERMUTATIONS, 1))
        out += rng.permuted(roles, axis=1) @ weight[own]
    return out


def copied_one_by_one(shown: Sequence[FromGenerator]) -> Copies:
    """Generated images that are too near to one that their generator saw, over all generators of a class in turn.

    Parameters
    ----------
    shown : sequence of FromGenerator
    """
    parts = [_copies_of(one) for one in shown]
    flagged = np.concatenate([part[0] for part in parts])
    n, hits = len(flagged), int(flagged.sum())
    low, high = (float(v) for v in wilson(np.array(float(hits)), np.array(float(n))))
    reference = min(part[3] for part in parts)
    rank = _rank(reference)
    chance = float(betabinom.sf(hits - 1, n, rank, reference + 1 - rank)) if reference >= rank else 1.0
    return Copies(
        flagged,
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        hits / n,
        low,
        high,
        chance,
        reference,
    )


def _rank(n: int) -> int:
    """Which of n ratios, from the smallest, a new image falls below with a chance of `TOO_NEAR`, or of 1 in n + 1."""
    return max(1, int(TOO_NEAR * (n + 1)))


def _copies_of(shown: FromGenerator) -> tuple[BoolArray, IntArray, FloatArray, int]:
    """Flags, nearest parents, ratios, and how many real images told how near is usual."""
    parents, held = np.flatnonzero(shown.parent), np.flatnonzero(shown.held_out)
    found = nearest_pictures(shown.generated, shown.real[parents], shown.unit[parents])
    asked = _some(parents)
    usual = nearest_pictures(shown.real[asked], shown.real[parents], shown.unit[parents], own=shown.unit[asked])
    ratio, reference = _by_next(found), _by_next(usual)
    flagged, n_reference = ratio < _threshold(reference), len(reference)
    if len(held) >= LEAST_HELD_OUT:
        asked = _some(held)
        others = nearest_pictures(shown.generated, shown.real[held], shown.unit[held])
        beside = nearest_pictures(shown.real[asked], shown.real[held], shown.unit[held], own=shown.unit[asked])
        usual = nearest_pictures(shown.real[asked], shown.real[parents], shown.unit[parents])
        # of groups without held-out images a parent is judged by the other parents
        known = np.isin(shown.group[parents], shown.group[held])[found.index]
        by_held, reference = _ratio(found.distance, others.distance), _ratio(usual.distance, beside.distance)
        flagged = np.where(known, by_held < _threshold(reference), flagged)
        ratio = np.where(known, by_held, ratio)
        n_reference = min(n_reference, len(reference)) if not known.all() else len(reference)
    return np.asarray(flagged, bool), parents[found.index], ratio, n_reference


def _threshold(reference: FloatArray) -> float:
    return float(np.sort(reference)[_rank(len(reference)) - 1])


def _by_next(found: NearestPictures) -> FloatArray:
    return _ratio(found.distance, found.next_distance)


def _ratio(near: Float32Array, other: Float32Array) -> FloatArray:
    """Of two distances, 1 where both are nought or there is no other."""
    usable = np.isfinite(other) & (other > 0)
    return np.where(usable, near.astype(float) / np.where(usable, other, 1), 1.0)


def _some(rows: IntArray) -> IntArray:
    """At most `_ASKED` of some rows, spread over them."""
    return rows if len(rows) <= _ASKED else rows[np.linspace(0, len(rows) - 1, _ASKED).astype(int)]
