"""Tests of equal accuracy of two models on the same samples, and what belongs to them.

McNemar's test counts samples as independent. On grouped samples it rejects a true hypothesis far too often, so groups
are tested by flipping the sign of whole groups.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from graticule.arrays import FloatArray, IntArray
from graticule.statistics import intervals
from graticule.statistics.groups import Groups

MIN_TEST_GROUPS = 6
N_FLIPS = 20_000
# additions of the exact count of sign patterns: some seconds
EXACT_COST = 2_000_000_000
CHUNK_CELLS = 16 * 2**20


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> dict[str, Any]:
    """McNemar's exact test of equal accuracies (McNemar, 1947): two-sided binomial test of the discordant pairs.

    p is 1 without discordant pairs. For independent samples only.
    """
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p = min(1.0, 2.0 * float(binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)))
    return {"name": "mcnemar-exact", "p": p, "only_a_right": only_a, "only_b_right": only_b, "note": None}


def sign_flip(
    right_a: NDArray[np.bool_],
    right_b: NDArray[np.bool_],
    groups: Groups,
    seed: int = 0,
    exact_cost: int = EXACT_COST,
) -> dict[str, Any]:
    """Sign-flip test of equal accuracies with groups as units (Fisher, 1935; Winkler et al., 2014).

    Under the hypothesis that the models are exchangeable within each group, the sign of a group's net gain of
    correct samples is a coin toss. p is the share of sign patterns whose net gain is at least as far from 0 as the
    one observed. All patterns are counted, whatever the number of groups, since gains are whole numbers; only where
    that takes more than `exact_cost` additions, 20,000 random patterns stand for all (observed one counted in).

    Parameters
    ----------
    right_a, right_b : bool arrays, shape (n,)
    groups : Groups
        Of the n samples.
    seed : int
        Of the random patterns.
    exact_cost : int

    Returns
    -------
    dict
        "name"; "p", None with fewer than 6 groups; "smallest_p", the least p that these groups could have given;
        "method" ("exact" or "monte-carlo") and "n_patterns" (random ones, else None); "n_groups", "groups_better",
        "groups_worse" (b against a); "note".
    """
    gain = np.zeros(len(groups), dtype=np.int64)
    np.add.at(gain, groups.codes, right_b.astype(np.int64) - right_a.astype(np.int64))
    moved = np.abs(gain[gain != 0])
    exact = len(moved) * int(moved.sum()) <= exact_cost
    smallest = min(1.0, 2.0 ** (1 - len(moved)))
    result: dict[str, Any] = {
        "name": "sign-flip",
        "p": None,
        "smallest_p": smallest if exact else max(smallest, 1.0 / (1 + N_FLIPS)),
        "method": "exact" if exact else "monte-carlo",
        "n_patterns": None if exact else N_FLIPS,
        "n_groups": len(groups),
        "groups_better": int((gain > 0).sum()),
        "groups_worse": int((gain < 0).sum()),
        "note": None,
    }
    if len(groups) < MIN_TEST_GROUPS:
        least = 2.0 ** (1 - len(groups))
        result |= {"smallest_p": least, "method": None, "n_patterns": None}
        result["note"] = (
            f"{len(groups)} groups: no p-value, since even the clearest difference would give p = {least:.3g} "
            f"with fewer than {MIN_TEST_GROUPS} groups"
        )
        return result
    observed = abs(int(gain.sum()))
    result["p"] = count_patterns(moved, observed) if exact else draw_patterns(moved, observed, seed)
    if 0 < len(moved) < MIN_TEST_GROUPS:
        result["note"] = (
            f"the runs differ in {len(moved)} of {len(groups)} groups only: p could not have been below {smallest:.3g}"
        )
    return result


def count_patterns(moved: IntArray, observed: int) -> float:
    """Share of all sign patterns of whole numbers `moved` (m,), each > 0, whose sum is at least `observed` from 0.

    The distribution of the sum of those with a plus is built up number by number.
    """
    total = int(moved.sum())
    share = np.zeros(total + 1)
    share[0] = 1.0
    reach = 0
    for step in np.sort(moved):
        reach += int(step)
        plus = share[: reach + 1 - step].copy()
        share[: reach + 1] *= 0.5
        share[step : reach + 1] += 0.5 * plus
    distance = np.abs(2 * np.arange(total + 1) - total)
    return min(1.0, float(share[distance >= observed].sum()))


def draw_patterns(moved: IntArray, observed: int, seed: int) -> float:
    """The same share from 20,000 random patterns; the observed one counts as one more (Phipson and Smyth, 2010)."""
    generator = np.random.default_rng(seed)
    step = max(1, CHUNK_CELLS // max(1, len(moved)))
    reached = 0
    for at in range(0, N_FLIPS, step):
        plus = generator.integers(0, 2, size=(min(step, N_FLIPS - at), len(moved)), dtype=np.int8)
        reached += int((np.abs(2 * (plus @ moved) - moved.sum()) >= observed).sum())
    return (1 + reached) / (1 + N_FLIPS)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for the number of tests, so that the chance of any false rejection stays at the level.

    Step-down method of Holm (1979), in the order given; None stays None and counts as no test.
    """
    known = sorted((value, at) for at, value in enumerate(p) if value is not None)
    corrected: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (value, at) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        corrected[at] = largest
    return corrected


def bonett_price(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_], level: float) -> tuple[float, float]:
    """Limits of the difference b - a of two paired proportions of n samples (Bonett and Price, 2012).

    Wald's interval after one sample is added to each discordant count: wide enough when few samples are discordant.
    """
    n = len(right_a) + 2
    gain = (int((right_b & ~right_a).sum()) + 1) / n
    loss = (int((right_a & ~right_b).sum()) + 1) / n
    half = intervals.z_critical(level) * float(np.sqrt((gain + loss - (gain - loss) ** 2) / n))
    value = float(right_b.mean() - right_a.mean())
    return max(min(gain - loss - half, value), -1.0), min(max(gain - loss + half, value), 1.0)


# The bootstrap sees no variation where two models hardly ever disagree, and would call a difference of 0 certain. As
# Bonett and Price do for the accuracy, one sample is added in each direction, shared evenly by the classes. Sizes of
# shape (K,) are samples per class (empty ones count nothing), and the design effect is 1 for independent samples.


def unseen_in_share(sizes: FloatArray, design_effect: float) -> float:
    """Variance that one more discordant sample in each direction adds to the difference of two shares: 2 / n^2."""
    return 2.0 / float(sizes.sum()) ** 2 * design_effect


def unseen_in_average(sizes: FloatArray, design_effect: float) -> float:
    """The same of averages over K classes of n_k samples: 2 / K^2 times the mean of 1 / n_k^2."""
    present = sizes[sizes > 0]
    return 2.0 / len(present) ** 2 * float((1.0 / present**2).mean()) * design_effect


def unseen_in_specificity(sizes: FloatArray, design_effect: float) -> float:
    """The same of the mean specificity: a wrong answer is a false positive of one of the K - 1 other classes."""
    return unseen_in_average(sizes, design_effect) / max(int((sizes > 0).sum()) - 1, 1) ** 2
