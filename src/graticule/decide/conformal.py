"""Prediction sets: classes that new images cannot be said not to be, with a bound on how often the true one is missed.

For a new image x and a class c, p(x, c) is the share of evidence of class c that fits its class no better than x would
(counting x itself), and the set at level 1 - a holds the classes with p > a, and always the best one:

    p(x, c) = (1 + sum_i w_i [s_i >= s(x, c)]) / (1 + G_c)      over evidence i of class c

* s is 1 - p_c (LAC; Sadinle, Lei and Wasserman, 2019) or the probability of all classes at least as likely (APS;
  Romano, Sesia and Candes, 2020; not randomised, hence on the safe side).
* Evidence of one class only makes the bound hold in each class (Mondrian; Vovk, 2012), whatever the mix of classes.
* w_i shares the weight 1 of a group among its images and G_c counts groups: the bound then holds for an image of a new
  group (hierarchical conformal prediction; Lee, Barber and Willett, 2023). Without groups w_i = 1.
* Evidence scored by fold i's member is compared with x scored by the same member (CV+; Barber et al., 2021; Romano et
  al., 2020): coverage 1 - a is nominal and 1 - 2a is proven. Evidence scored by the shipped model proves 1 - a.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.decide.evidence import SHIPPED, Evidence, Ranked, rank_evidence
from graticule.statistics.conformal_quantiles import needed, share_of_unit

LEVELS = (0.95, 0.99)


@dataclass(frozen=True)
class PredictionSets:
    """What p(x, c) needs.

    Attributes
    ----------
    score : "lac" or "aps"
    units : float array, shape (K,)
        Units (images or groups) of evidence per class.
    pooled_units : float
        Units of evidence of all classes.
    by_class : list over classes of {member: table}
    pooled : {member: table}
    """

    score: str
    units: FloatArray
    pooled_units: float
    by_class: Sequence[dict[int, Ranked]]
    pooled: dict[int, Ranked]


def nonconformity(proba: FloatArray, score: str = "lac") -> FloatArray:
    """How badly each class fits each image, shape (n, K) in [0, 1]; larger is worse."""
    if score == "lac":
        return np.asarray(1.0 - proba, dtype=np.float64)
    order = np.argsort(-proba, axis=1, kind="stable")
    mass = np.cumsum(np.take_along_axis(proba, order, axis=1), axis=1)
    out = np.empty_like(proba, dtype=np.float64)
    np.put_along_axis(out, order, mass, axis=1)
    return out


def prepare_sets(evidence: Evidence, score: str = "lac") -> PredictionSets:
    """Tables of the evidence for `p_values`."""
    n, k = evidence.proba.shape
    scores = nonconformity(evidence.proba, score)[np.arange(n), evidence.y]
    by_class: list[dict[int, Ranked]] = []
    units = np.zeros(k)
    for c in range(k):
        rows = np.flatnonzero(evidence.y == c)
        weight = share_of_unit(evidence.unit[rows]) if evidence.grouped else np.ones(len(rows))
        units[c] = round(float(weight.sum()))
        by_class.append(rank_evidence(scores[rows], weight, evidence.fold[rows]))
    weight = share_of_unit(evidence.unit) if evidence.grouped else np.ones(n)
    return PredictionSets(
        score, units, float(round(weight.sum())), by_class, rank_evidence(scores, weight, evidence.fold)
    )


def p_values(sets: PredictionSets, members: FloatArray, shipped: FloatArray, level: float) -> FloatArray:
    """Conformal p-value of every class of every image.

    Parameters
    ----------
    sets : PredictionSets
    members : float array, shape (H, n, K)
        Scores by each member of the shipped model; H may be 1 where evidence is not by members.
    shipped : float array, shape (n, K)
        Scores by the shipped model, not calibrated.
    level : float
        A class with less evidence than `needed(level)` is judged by the evidence of all classes together.

    Returns
    -------
    float array, shape (n, K)
        In (0, 1].
    """
    least = needed(level)
    used = sorted({member for tables in (*sets.by_class, sets.pooled) for member in tables})
    fits = {m: nonconformity(shipped if m == SHIPPED or m >= len(members) else members[m], sets.score) for m in used}
    out = np.ones_like(shipped)
    for c in range(shipped.shape[1]):
        alone = sets.units[c] >= least
        tables, units = (sets.by_class[c], sets.units[c]) if alone else (sets.pooled, sets.pooled_units)
        weight = np.zeros(len(shipped))
        for member, table in tables.items():
            weight += table.at_least(fits[member][:, c])
        out[:, c] = (1.0 + weight) / (1.0 + units)
    return out


def prediction_sets(p: FloatArray, best: IntArray, level: float) -> NDArray[np.bool_]:
    """Membership of each class in each set, shape (n, K): p above 1 - level, and the best class in any case."""
    inside = p > (1.0 - level) + 1e-12
    inside[np.arange(len(p)), best] = True
    return np.asarray(inside, dtype=bool)


def promise(evidence: Evidence, sets: PredictionSets, level: float, classes: Sequence[str]) -> dict[str, object]:
    """What the sets may claim at a level.

    Returns
    -------
    dict
        "level", "proven" (None: nothing), "words", and "short": classes without enough evidence, {class: [n, needed]}.
    """
    least = needed(level)
    short = {name: [int(n), least] for name, n in zip(classes, sets.units, strict=True) if n < least}
    unit = "groups" if evidence.grouped else "images"
    if evidence.too_few_groups:
        words = f"no guarantee: {evidence.n_units} groups, at least 20 are needed to speak of new groups"
        return {"level": level, "proven": None, "words": words, "short": short}
    if evidence.by_shipped:
        words, proven = f"guaranteed for {unit} like those of the calibration part", level
    elif evidence.members:
        proven = 1.0 - 2.0 * (1.0 - level)
        words = f"{level:.0%} nominal, {proven:.0%} proven for {unit} like those cross-validated (CV+)"
    else:
        words, proven = "estimated: the shipped model was refitted after the scores were made", None
    return {"level": level, "proven": proven, "words": words, "short": short}
