"""Which answers can be taken without a look: a threshold on the score that keeps the accuracy of what is accepted.

Images are ranked by their best score. The accepted are those above a threshold, and for a threshold set by rank (not by
looking at labels) the labels of the m images above it are independent draws: "accuracy below the target" is rejected
when at most r errors would be that rare, an exact binomial test. Thresholds are tested in an order fixed beforehand,
from the strictest on, each at the error rate that the tests before it have not spent (fallback procedure; Wiens, 2003;
Learn then Test; Angelopoulos et al., 2021), so that the loosest one certified is wrong with probability at most
1 - confidence. 299 accepted images without an error certify 99 % at 95 % confidence, 473 with one error.

Where images come in groups one image per group is drawn, since images of one group are no independent draws.

The *estimated* rule (`graticule.decide.estimated_rule`) is the loosest threshold at which the accepted evidence is
accurate enough. It promises nothing.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.decide.estimated_rule import error_limits, loosest, reachable
from graticule.decide.evidence import Evidence
from graticule.decide.options import CONFIDENCE, TARGET, DecisionOptions
from graticule.decide.rule import ESTIMATED, GUARANTEED, NOT_CERTIFIABLE, Rule

# share of the error rate for the strictest threshold, and where the rest enters: most models accept a third safely
FIRST_SHARE = 0.2
SECOND_START = 0.3
_STEP = 0.05


def least_accepted(target: float, delta: float, errors: int = 0) -> int:
    """Accepted images with so many errors that certify the target at confidence 1 - delta (299 for 0.99, 0.05, 0)."""
    m = max(errors + 1, math.ceil(math.log(delta) / math.log(target)))
    while _at_most(errors, m, 1.0 - target) > delta:
        m += 1
    return m


def certified(score: FloatArray, right: NDArray[np.bool_], target: float, delta: float) -> float:
    """The loosest threshold whose accepted images are right with probability `target`, at confidence 1 - delta.

    Parameters
    ----------
    score : float array, shape (n,)
        Independent images; their order decides alone.
    right : bool array, shape (n,)
    target, delta : float

    Returns
    -------
    float
        Accept above it; infinite where no threshold is certified.
    """
    n = len(score)
    order = np.argsort(-score, kind="stable")
    ranked, wrong = score[order], np.append(0, np.cumsum(~right[order]))
    best, carried = np.inf, 0.0
    for m, fresh in _ladder(n, target, delta):
        carried += fresh
        threshold = float(ranked[m]) if m < n else -1.0
        above = m if m == n else int(np.searchsorted(-ranked, -threshold, side="left"))
        if above < m and carried > 0 and above < least_accepted(target, carried):
            continue  # equal scores leave too few above the threshold to test, whatever their labels
        if carried > 0 and _at_most(int(wrong[above]), above, 1.0 - target) <= carried:
            best = threshold
        else:
            carried = 0.0
    return best


def _ladder(n: int, target: float, delta: float) -> list[tuple[int, float]]:
    """Numbers of accepted images to test, from the fewest on, and the error rate that enters at each."""
    whole = least_accepted(target, delta)
    if whole > n:
        return []
    second = max(whole, round(SECOND_START * n))
    first = least_accepted(target, FIRST_SHARE * delta)
    start = min(first, second)
    steps: list[int] = [start]
    while steps[-1] < n:
        steps.append(min(n, max(steps[-1] + 1, math.ceil(steps[-1] * (1.0 + _STEP)))))
    steps = sorted({*steps, second})
    if first >= second:
        return [(m, delta if m == second else 0.0) for m in steps if m >= second]
    return [(m, FIRST_SHARE * delta if m == first else (1 - FIRST_SHARE) * delta * (m == second)) for m in steps]


def rule_asked_for(
    evidence: Evidence,
    stored: Mapping[str, Any] | None,
    target: float = TARGET,
    confidence: float = CONFIDENCE,
    *,
    per_class: bool = False,
    prevalence: FloatArray | None = None,
) -> Rule:
    """The rule that a bundle stores where it is the one asked for; any other is found with the seed of the stored one.

    Parameters
    ----------
    evidence, target, confidence, per_class, prevalence
        As for `find_rule`.
    stored : mapping, optional
        `Rule.to_json`. One without a seed is of an earlier version, whose rules were found anew with the seed 0.

    Raises
    ------
    BundleError, OptionError
    """
    if stored is None or "seed" not in stored:
        return find_rule(evidence, target, confidence, per_class=per_class, prevalence=prevalence)
    rule = Rule.from_json(stored, evidence.proba.shape[1])
    if prevalence is None and (target, confidence, per_class) == (rule.target, rule.confidence, rule.per_class):
        return rule
    return find_rule(evidence, target, confidence, per_class=per_class, prevalence=prevalence, seed=rule.seed)


def find_rule(
    evidence: Evidence,
    target: float = TARGET,
    confidence: float = CONFIDENCE,
    *,
    per_class: bool = False,
    prevalence: FloatArray | None = None,
    certify: bool = True,
    seed: int = 0,
) -> Rule:
    """The acceptance rule: certified where the evidence allows, else estimated.

    Parameters
    ----------
    evidence : Evidence
    target, confidence : float
        In [0.5, 1).
    per_class : bool
        Keep the target among the images accepted as each class, at confidence 1 - (1 - confidence) / K for each.
    prevalence : float array, shape (K,), optional
        Shares of the classes among the images to come; without it the mix of the evidence is taken.
    certify : bool
        False: the estimated rule only.
    seed : int
        Of the draws of one image per group and of the mix.

    Raises
    ------
    OptionError
    """
    DecisionOptions(target_accuracy=target, confidence=confidence).check()
    k = evidence.proba.shape[1]
    best = evidence.calibrated.argmax(axis=1)
    score, right = evidence.calibrated.max(axis=1), best == evidence.y
    weight = _mix_weights(evidence.y, prevalence, k)
    unit = evidence.unit if evidence.grouped else None
    why = _obstacle(evidence) if certify else "the estimated rule was asked for"
    delta = (1.0 - confidence) / (k if per_class else 1)
    scopes = [np.flatnonzero(best == c) for c in range(k)] if per_class else [np.arange(len(evidence))]
    threshold = np.full(k, np.inf)
    if why is None:
        rows = _independent(evidence, weight, seed)
        for c, scope in enumerate(scopes):
            drawn = np.intersect1d(scope, rows)
            found = certified(score[drawn], right[drawn], target, delta)
            threshold[c if per_class else slice(None)] = found
        if np.isfinite(threshold).any():
            words = _promise(evidence, prevalence)
            return _rule(GUARANTEED, threshold, evidence, target, confidence, per_class, words, seed)
        largest = max(len(np.intersect1d(scope, rows)) for scope in scopes)
        why = _shortfall(largest, least_accepted(target, delta), evidence.grouped)
    for c, scope in enumerate(scopes):
        of = None if unit is None else unit[scope]
        threshold[c if per_class else slice(None)] = loosest(score[scope], right[scope], weight[scope], of, target)
    if np.isfinite(threshold).any():
        return _rule(ESTIMATED, threshold, evidence, target, confidence, per_class, why, seed)
    at_hand = "images at hand" if unit is None else f"{evidence.n_units} groups at hand, allowing for how they differ"
    words = f"{why}; and no threshold reaches {target:.2%} on the {at_hand}: {reachable(score, right, weight, unit)}"
    return _rule(NOT_CERTIFIABLE, threshold, evidence, target, confidence, per_class, words, seed)


def _rule(
    status: str,
    threshold: FloatArray,
    evidence: Evidence,
    target: float,
    confidence: float,
    per_class: bool,
    words: str,
    seed: int,
) -> Rule:
    best = evidence.calibrated.argmax(axis=1)
    accepted = evidence.calibrated.max(axis=1) > threshold[best]
    wrong = (best != evidence.y)[accepted]
    limits = error_limits(wrong, evidence.unit[accepted]) if evidence.grouped else None
    n, errors = len(evidence), int(wrong.sum())
    return Rule(threshold, status, target, confidence, per_class, n, len(wrong), errors, words, limits, seed)


def _obstacle(evidence: Evidence) -> str | None:
    """Why nothing can be guaranteed, if so."""
    if evidence.too_few_groups:
        return f"no guarantee with {evidence.n_units} groups (at least 20)"
    if not evidence.by_shipped:
        return "estimated: the scores are out of fold, not the shipped model's; train with --calibration 0.2 to certify"
    return None


def _promise(evidence: Evidence, prevalence: FloatArray | None) -> str:
    mix = "the mix of classes given" if prevalence is not None else "the mix of the calibration part"
    return f"valid for {'groups' if evidence.grouped else 'images'} like those of the calibration part, and for {mix}"


def _shortfall(n: int, least: int, grouped: bool) -> str:
    unit = "groups" if grouped else "images"
    if n < least:
        return f"not certifiable with {n} {unit}: {least} accepted without an error are the least"
    return f"not certifiable: too many errors among the {n} {unit} with the best scores"


def _mix_weights(y: IntArray, prevalence: FloatArray | None, k: int) -> FloatArray:
    """Weight of each image under the mix of classes given; 1 without one."""
    if prevalence is None:
        return np.ones(len(y))
    share = np.bincount(y, minlength=k) / len(y)
    return np.asarray((prevalence / np.where(share > 0, share, np.inf))[y], dtype=np.float64)


def _independent(evidence: Evidence, weight: FloatArray, seed: int) -> IntArray:
    """Rows that are independent draws of the mix: thinned by weight, then one per group."""
    generator = np.random.default_rng(seed)
    keep = np.flatnonzero(generator.random(len(weight)) * weight.max() < weight)
    if not evidence.grouped:
        return keep
    shuffled = generator.permutation(keep)
    _, first = np.unique(evidence.unit[shuffled], return_index=True)
    return np.sort(shuffled[first])


def exact_interval(errors: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of an error rate (Clopper and Pearson, 1934); (0, 1) without images."""
    if n == 0:
        return 0.0, 1.0
    from graticule.statistics.intervals import clopper_pearson  # loads much

    low, high = clopper_pearson(np.array(float(errors)), np.array(float(n)), level)
    return float(low), float(high)


def _at_most(errors: int, n: int, rate: float) -> float:
    """Probability of at most so many errors among n at a rate."""
    # SciPy takes a while to load and most verbs do without it
    from scipy.special import bdtr

    return float(bdtr(errors, n, rate))
