"""Put units (connected components of samples) into bins (folds and a held-out part), balanced by class.

The task is a relative of vector bin packing: exact balance is NP-hard, so a seeded greedy placement (largest share of
a class first, much as scikit-learn's StratifiedGroupKFold, 2020, places by spread) is improved by moves and swaps, and
the best of several starts is kept. Where the search leaves a class out of a bin, an integer program decides whether
that can be helped (HiGHS: Huangfu and Hall, Math. Prog. Comp. 2018).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, vstack

from graticule.arrays import FloatArray, IntArray

_MISSING = 1e9
_CANDIDATES = 2048
_STEPS = 400
_STALLS = 8
_POLISHED = 1000
_EXACT_CELLS = 4000
_EXACT_NODES = 2000


@dataclass(frozen=True)
class _Problem:
    """M units of known class counts (M, C), wanted counts per bin (B, C), penalty (C,) of a class missing in a bin."""

    counts: FloatArray
    target: FloatArray
    penalty: NDArray[np.float64]

    def cost(self, filled: FloatArray, bins: IntArray) -> NDArray[np.float64]:
        """Cost of bins whose class counts are `filled` (..., C): missing classes, then Pearson's chi-square."""
        target = self.target[bins]
        chi_square: NDArray[np.float64] = ((filled - target) ** 2 / target + self.penalty * (filled < 0.5)).sum(axis=-1)
        return chi_square


def assign(
    counts: NDArray[np.int64], weights: NDArray[np.float64], rng: np.random.Generator, tries: int = 8
) -> IntArray:
    """Put each unit into one bin.

    Parameters
    ----------
    counts : int array, shape (M, C)
        Samples of each class in each unit; every unit has at least one sample, every class too.
    weights : float array, shape (B,)
        Share of the samples each bin should hold; sums to 1.
    rng : Generator
    tries : int
        Starts of the search; fewer are made where there are many units.

    Returns
    -------
    int array, shape (M,)
        Bin of each unit. First as few (bin, class) pairs as possible are empty, then the sum of (n - wanted)^2 /
        wanted over bins and classes is small.
    """
    n_bins = len(weights)
    single = counts.sum(axis=1) == 1
    loose_of_class = (counts * single[:, None]).sum(axis=0)
    plenty = loose_of_class >= n_bins
    loose = single & (counts @ plenty > 0)
    bound = np.flatnonzero(~loose)
    target = weights[:, None] * counts.sum(axis=0)
    problem = _Problem(counts[bound].astype(np.float64), target, np.where(plenty, 0.0, _MISSING))
    best = np.zeros(len(bound), dtype=np.int64)
    if len(bound):
        best = _search(problem, rng, max(1, min(tries, 40_000 // len(bound))))
    place = np.empty(len(counts), dtype=np.int64)
    place[bound] = best
    _place_loose(counts, loose, place, target, rng)
    if 0 < len(bound) < len(counts) <= _POLISHED:
        # what was placed first did not know the remainders of what came last
        place = _improve(_Problem(counts.astype(np.float64), target, np.full(len(plenty), _MISSING)), place, rng)
    return place


def class_totals(counts: NDArray[np.int64], place: IntArray, n_bins: int) -> NDArray[np.int64]:
    """Samples of each class in each bin, shape (n_bins, C)."""
    totals = np.zeros((n_bins, counts.shape[1]), dtype=np.int64)
    np.add.at(totals, place, counts)
    return totals


def _search(problem: _Problem, rng: np.random.Generator, tries: int) -> IntArray:
    """Best of several greedy starts, each improved; with an exact start where a class is missing in all of them."""
    everything = np.arange(len(problem.target))
    best, best_cost = np.zeros(len(problem.counts), dtype=np.int64), np.inf
    for attempt in range(tries):
        place = _improve(problem, _greedy(problem, _order(problem, rng, 0.3 * attempt)), rng)
        cost = float(problem.cost(_filled(problem, place), everything).sum())
        if cost < best_cost:
            best, best_cost = place, cost
    if best_cost >= _MISSING:
        exact = _cover(problem)
        if exact is not None:
            best = _improve(problem, exact, rng)
    return best


def _order(problem: _Problem, rng: np.random.Generator, noise: float) -> NDArray[np.int64]:
    """Units in order of placement: large shares of a class first, shaken by lognormal noise."""
    share = (problem.counts / problem.target.sum(axis=0)).max(axis=1)
    shaken = share * np.exp(noise * rng.standard_normal(len(share)))
    # rounded: the order of near-equal shares must not hang on the last bit of a platform's exp
    return np.argsort(-np.round(shaken, 12), kind="stable")


def _greedy(problem: _Problem, order: NDArray[np.int64]) -> IntArray:
    filled = np.zeros_like(problem.target)
    scale = 1.0 / problem.target
    place = np.zeros(len(order), dtype=np.int64)
    for unit in order:
        x = problem.counts[unit]
        gain = (scale * (2 * (filled - problem.target) + x)) @ x - (filled < 0.5) @ (problem.penalty * (x > 0))
        chosen = int(np.argmin(gain))
        place[unit] = chosen
        filled[chosen] += x
    return place


def _filled(problem: _Problem, place: IntArray) -> FloatArray:
    filled = np.zeros_like(problem.target)
    np.add.at(filled, place, problem.counts)
    return filled


def _improve(problem: _Problem, place: IntArray, rng: np.random.Generator) -> IntArray:
    """Best of a sample of moves and swaps, again and again, until none of several samples lowers the cost."""
    n_units, n_bins = len(problem.counts), len(problem.target)
    # the last, empty unit turns a swap with it into a move
    counts = np.vstack([problem.counts, np.zeros(problem.counts.shape[1])])
    place = place.copy()
    filled = _filled(problem, place)
    cost = problem.cost(filled, np.arange(n_bins))
    candidates = min(_CANDIDATES, 64 + 4 * n_units * (n_units + n_bins))
    stalls = 0
    for _ in range(_STEPS):
        if stalls >= _STALLS:
            break
        first = rng.integers(n_units, size=candidates)
        second = rng.integers(n_units, size=candidates)
        to = place[second]
        moves = slice(candidates // 2, None)
        second[moves] = n_units
        to[moves] = rng.integers(n_bins, size=len(to[moves]))
        from_ = place[first]
        shift = counts[second] - counts[first]
        change = problem.cost(filled[from_] + shift, from_) + problem.cost(filled[to] - shift, to)
        change = np.where(from_ == to, np.inf, change - cost[from_] - cost[to])
        pick = int(np.argmin(change))
        if not change[pick] < -1e-9 * max(1.0, float(cost[from_[pick]] + cost[to[pick]])):
            stalls += 1
            continue
        stalls = 0
        place[first[pick]] = to[pick]
        if second[pick] < n_units:
            place[second[pick]] = from_[pick]
        changed = np.array([from_[pick], to[pick]])
        filled[changed[0]] += shift[pick]
        filled[changed[1]] -= shift[pick]
        cost[changed] = problem.cost(filled[changed], changed)
    return place


def _cover(problem: _Problem) -> IntArray | None:
    """Any placement with every class in every bin, or None where there is none or the program is too large."""
    rare = np.flatnonzero(problem.penalty > 0)
    n_units, n_bins = len(problem.counts), len(problem.target)
    if n_units * n_bins > _EXACT_CELLS:
        return None
    cells = np.arange(n_units * n_bins).reshape(n_units, n_bins)
    unit_of = np.repeat(np.arange(n_units), n_bins)
    once = coo_array((np.ones(cells.size), (unit_of, cells.ravel())), shape=(n_units, cells.size))
    has = [(np.flatnonzero(problem.counts[:, c]), b) for c in rare for b in range(n_bins)]
    row = np.concatenate([np.full(len(units), i) for i, (units, _) in enumerate(has)])
    column = np.concatenate([cells[units, b] for units, b in has])
    cover = coo_array((np.ones(len(row)), (row, column)), shape=(len(has), cells.size))
    lower = np.ones(n_units + len(has))
    upper = np.concatenate([np.ones(n_units), np.full(len(has), np.inf)])
    result = milp(
        c=np.zeros(cells.size),
        constraints=LinearConstraint(csr_array(vstack([once, cover])), lower, upper),
        integrality=np.ones(cells.size),
        bounds=Bounds(0, 1),
        options={"node_limit": _EXACT_NODES},
    )
    if result.x is None:
        return None
    return np.asarray(np.argmax(result.x.reshape(n_units, n_bins), axis=1), dtype=np.int64)


def _place_loose(
    counts: NDArray[np.int64], loose: NDArray[np.bool_], place: IntArray, target: FloatArray, rng: np.random.Generator
) -> None:
    """Put units of a single sample, of classes that have many, where they level each class best; changes `place`.

    The cost is separable and convex in the number a bin receives, so taking the cheapest marginal costs is optimal.
    """
    n_bins = len(target)
    filled = class_totals(counts[~loose], place[~loose], n_bins).astype(np.float64)
    total = target.sum(axis=1)
    class_of = counts.argmax(axis=1)
    for c in np.argsort(-target.sum(axis=0), kind="stable"):
        units = np.flatnonzero(loose & (class_of == c))
        if not len(units):
            continue
        wanted, have = target[:, c], filled[:, c]
        # no bin receives more than it lacks, but for the remainder after rounding
        most = int(min(len(units), np.ceil(max(0.0, float((wanted - have).max()))) + n_bins))
        step = np.arange(most)
        marginal = (2 * (have[:, None] + step - wanted[:, None]) + 1) / wanted[:, None]
        marginal[have < 0.5, :1] = -_MISSING
        fullness = filled.sum(axis=1) / total
        # equal marginal costs go to the emptier bin, so that remainders of many classes do not pile up
        tie = np.repeat(np.round(fullness, 9)[:, None], most, axis=1)
        cheapest = np.lexsort((tie.ravel(), np.round(marginal, 9).ravel()))[: len(units)]
        received = np.bincount(cheapest // most, minlength=n_bins)
        place[rng.permutation(units)] = np.repeat(np.arange(n_bins), received)
        filled[:, c] += received
