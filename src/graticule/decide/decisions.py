"""What to do with each image, and why, in words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, StrArray
from graticule.decide.acceptance import exact_interval
from graticule.decide.rule import Rule

ACCEPT, REVIEW, REJECT = "accept", "review", "reject"
UNREADABLE = "unreadable"
NOVEL = "unlike any training image"
_NAMED = 3
# a rival below this share of the best score is not worth naming
_RIVAL = 0.2


def decide(
    proba: FloatArray,
    inside: NDArray[np.bool_] | None,
    novel: NDArray[np.bool_],
    rule: Rule,
    classes: Sequence[str],
) -> tuple[StrArray, StrArray]:
    """Decision and reason of each image.

    Parameters
    ----------
    proba : float array, shape (n, K)
        Calibrated scores.
    inside : bool array, shape (n, K), optional
        Prediction sets.
    novel : bool array, shape (n,)
    rule : Rule
    classes : sequence of K str

    Returns
    -------
    decision, reason : object arrays of str, shape (n,)
    """
    n = len(proba)
    decision, reason = np.full(n, REVIEW, dtype=object), np.empty(n, dtype=object)
    accepted = rule.accepts(proba) & ~novel
    decision[accepted], decision[novel] = ACCEPT, REJECT
    best = proba.argmax(axis=1)
    score = proba[np.arange(n), best]
    for i in range(n):
        name = classes[best[i]]
        if novel[i]:
            reason[i] = NOVEL
        elif accepted[i]:
            reason[i] = f"sure of {name}"
        else:
            reason[i] = _doubt(proba[i], None if inside is None else inside[i], float(score[i]), name, rule, classes)
    return decision, reason


def _doubt(
    proba: FloatArray,
    inside: NDArray[np.bool_] | None,
    score: float,
    name: str,
    rule: Rule,
    classes: Sequence[str],
) -> str:
    """Why an image needs a look: the classes it lies between, else how far its score is from being accepted."""
    order = np.argsort(-proba, kind="stable")
    rivals = [k for k in order[1:] if proba[k] >= _RIVAL * score or (inside is not None and inside[k])]
    if rivals:
        named: list[str] = [name, *(classes[k] for k in rivals)]
        if len(named) <= _NAMED:
            return f"between {', '.join(named[:-1])} and {named[-1]}"
        return f"between {named[0]}, {named[1]} and {len(named) - 2} others"
    threshold = float(rule.threshold[order[0]])
    if not np.isfinite(threshold):
        return f"probably {name}, but no answer of this kind can be accepted unseen"
    return f"probably {name}: score {score:.3f}, accepted above {threshold:.3f}"


def expected_errors(rule: Rule, score: FloatArray) -> dict[str, object] | None:
    """Errors to expect among accepted images.

    The share of errors among the accepted evidence, with its Clopper-Pearson interval, times the number accepted; it
    holds for images of the same mix. Where images come in groups the interval is that of a share in groups
    (`cluster_t`); with fewer than 10 groups it leaves everything open. `by_scores` is the sum of 1 - score, which
    follows the images at hand.

    Parameters
    ----------
    rule : Rule
    score : float array, shape (m,)
        Best calibrated score of each accepted image.

    Returns
    -------
    dict or None
        None where no accepted evidence tells.
    """
    if rule.accepted == 0:
        return None
    m = len(score)
    low, high = exact_interval(rule.errors, rule.accepted) if rule.limits is None else rule.limits
    by_group = "too_few_groups" if rule.limits == (0.0, 1.0) else "cluster-t"
    return {
        "value": m * rule.errors / rule.accepted,
        "low": m * low,
        "high": m * high,
        "method": "clopper-pearson" if rule.limits is None else by_group,
        "level": 0.95,
        "by_scores": float((1.0 - score).sum()),
    }
