"""How decisions turned out on labelled images that were new to the model: promised, and kept?

Every share stands with its interval. Where images come in groups the group is the sampling unit (`cluster_t`), and with
fewer than `MIN_GROUPS` groups there is no interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.arrays import BoolArray, FloatArray, IntArray
from graticule.decide.acceptance import exact_interval
from graticule.decide.reliability import calibration_errors, diagram_of
from graticule.decide.risk_coverage import coverage_at, risk_coverage
from graticule.decide.rule import Rule
from graticule.evaluate.metrics import brier, log_loss, sample_log_loss
from graticule.evaluate.summary import plain_numbers
from graticule.heads.calibration_fit import paired_gain
from graticule.statistics.intervals import MIN_GROUPS, share_limits, t_critical

LEVEL = 0.95
KEPT, MISSED, OPEN = "kept", "missed", "open"
USUAL_ALPHAS = (0.01, 0.05)

Figure = dict[str, Any]


@dataclass(frozen=True)
class LabelledAnswers:
    """What a model says of n labelled images that it was not fitted on.

    Attributes
    ----------
    y : int array, shape (n,)
    raw, proba : float arrays, shape (n, K)
        Scores before and after calibration.
    novelty : float array, shape (n,)
        p-values, NaN where unknown.
    inside : dict of bool arrays, shape (n, K)
        Prediction sets by their level.
    unit : int array, shape (n,), or None
        Groups, if any.
    beyond : bool array, shape (n,), or None
        Images that are rejected for their values, whatever their scores (`graticule.images.beyond`); None: none is.
    """

    y: IntArray
    raw: FloatArray
    proba: FloatArray
    novelty: FloatArray
    inside: Mapping[float, BoolArray]
    unit: IntArray | None
    beyond: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def rejected(self, alpha: float) -> BoolArray:
        """Images with a novelty p-value at or below alpha, or with values beyond those trained on; shape (n,)."""
        novel = np.asarray(self.novelty <= alpha, dtype=bool)
        return novel if self.beyond is None else novel | self.beyond

    @property
    def right(self) -> BoolArray:
        """Whether the best class is the label's, shape (n,)."""
        return np.asarray(self.proba.argmax(axis=1) == self.y, dtype=bool)


def proportion(hit: BoolArray, within: BoolArray, unit: IntArray | None, *, exact: bool = False) -> Figure:
    """Share of hits within a selection of n images, with its interval.

    Parameters
    ----------
    hit, within : bool arrays, shape (n,)
    unit : int array, shape (n,), or None
        Groups.
    exact : bool
        Clopper and Pearson's interval instead of Wilson's, without groups.

    Returns
    -------
    dict
        "value", "low", "high" (None where undefined), "method", "level".
    """
    n, hits = int(within.sum()), int((hit & within).sum())
    value = hits / n if n else None
    if unit is not None:
        low, high = share_limits(hit[within], unit[within], LEVEL)
        if np.isnan(low):
            return {"value": value, "low": None, "high": None, "method": "too_few_groups", "level": LEVEL}
        return {"value": value, "low": low, "high": high, "method": "cluster-t", "level": LEVEL}
    method = "clopper-pearson" if exact else "wilson"
    if not n:
        return {"value": None, "low": None, "high": None, "method": method, "level": LEVEL}
    if exact:
        low, high = exact_interval(hits, n, LEVEL)
    else:
        low, high = share_limits(hit[within], None, LEVEL)
    return {"value": value, "low": low, "high": high, "method": method, "level": LEVEL}


def assess(answers: LabelledAnswers, rule: Rule, alpha: float, classes: Sequence[str]) -> dict[str, Any]:
    """Decisions, sets and novelty of these images.

    Parameters
    ----------
    answers : LabelledAnswers
    rule : Rule
    alpha : float
        Images with a novelty p-value at or below it are rejected.
    classes : sequence of K str

    Returns
    -------
    dict
        "n", "n_groups", "decisions", "acceptance", "sets", "novelty".
    """
    rejected = answers.rejected(alpha)
    accepted = rule.accepts(answers.proba) & ~rejected
    return {
        "n": len(answers),
        "n_groups": None if answers.unit is None else len(np.unique(answers.unit)),
        "decisions": _decisions(accepted, rejected, answers.unit),
        "acceptance": _acceptance(answers, rule, accepted),
        "sets": [
            {"level": level} | coverage_of(inside, answers.y, answers.unit, classes)
            for level, inside in answers.inside.items()
        ],
        "novelty": assess_novelty(answers, alpha),
    }


def _decisions(accepted: BoolArray, rejected: BoolArray, unit: IntArray | None) -> dict[str, Figure]:
    everything = np.ones(len(accepted), bool)
    return {
        name: {"n": int(mask.sum())} | proportion(mask, everything, unit)
        for name, mask in (("accept", accepted), ("review", ~accepted & ~rejected), ("reject", rejected))
    }


def _acceptance(answers: LabelledAnswers, rule: Rule, accepted: BoolArray) -> dict[str, Any]:
    score, right = answers.proba.max(axis=1), answers.right
    curve = risk_coverage(score, right, answers.unit)
    accuracy = proportion(right, accepted, answers.unit, exact=True)
    return {
        "rule": rule.to_json(),
        "coverage": float(accepted.mean()),
        "accepted": int(accepted.sum()),
        "errors": int((accepted & ~right).sum()),
        "accuracy": accuracy,
        "target": against(accuracy, rule.target),
        "curve": {name: plain_numbers(getattr(curve, name)) for name in ("coverage", "risk", "low", "high")},
        "area": curve.area,
        "coverage_at": coverage_at(score, right, answers.unit),
    }


def against(figure: Figure, target: float) -> str | None:
    """Whether a figure's interval lies above the target ("kept"), below it ("missed") or around it ("open").

    None where there is no interval.
    """
    low, high = figure["low"], figure["high"]
    if low is None or high is None:
        return None
    return KEPT if low >= target else MISSED if high < target else OPEN


def coverage_of(inside: BoolArray, y: IntArray, unit: IntArray | None, classes: Sequence[str]) -> dict[str, Any]:
    """Coverage and size of prediction sets, over all images and class by class.

    Parameters
    ----------
    inside : bool array, shape (n, K)
    y : int array, shape (n,)
    unit : int array, shape (n,), or None
        Groups.
    classes : sequence of K str

    Returns
    -------
    dict
        "coverage", "low", "high", "method", "size" (mean), "single" (share of sets with one class), and "per_class":
        {class: {"n", "coverage", "low", "high", "size"}}.
    """
    hit, size = inside[np.arange(len(y)), y], inside.sum(axis=1)
    everything = proportion(hit, np.ones(len(y), bool), unit)
    per_class = {}
    for k, name in enumerate(classes):
        mine = y == k
        found = proportion(hit, mine, unit)
        per_class[name] = {
            "n": int(mine.sum()),
            "coverage": found["value"],
            "low": found["low"],
            "high": found["high"],
            "size": float(size[mine].mean()) if mine.any() else None,
        }
    return {
        "coverage": everything["value"],
        "low": everything["low"],
        "high": everything["high"],
        "method": everything["method"],
        "size": float(size.mean()),
        "single": float((size == 1).mean()),
        "per_class": per_class,
    }


def assess_novelty(answers: LabelledAnswers, alpha: float) -> dict[str, Any] | None:
    """How many images of known classes are rejected as novel; None where novelty is unknown."""
    known = ~np.isnan(answers.novelty)
    if not known.any():
        return None
    return {
        "alpha": alpha,
        "rejected": int((answers.novelty <= alpha).sum()),
        "n": int(known.sum()),
        "share": proportion(answers.novelty <= alpha, known, answers.unit),
        "share_at": {f"{a:g}": proportion(answers.novelty <= a, known, answers.unit) for a in USUAL_ALPHAS},
    }


def assess_calibration(answers: LabelledAnswers, method: str, seed: int = 0) -> dict[str, Any]:
    """Log loss, Brier score and calibration errors before and after, the change of the log loss, a reliability diagram.

    Parameters
    ----------
    answers : LabelledAnswers
    method : str
        Name of the calibration.
    seed : int
        Of the draws for the null.
    """
    y, same = answers.y, bool(np.array_equal(answers.raw, answers.proba))
    after = _errors(y, answers.proba, seed)
    return {
        "method": method,
        "before": after if same else _errors(y, answers.raw, seed),
        "after": after,
        "log_loss_change": _change(sample_log_loss(y, answers.proba) - sample_log_loss(y, answers.raw), answers.unit),
        "reliability": diagram_of(y, answers.proba, answers.unit),
    }


def _change(difference: FloatArray, unit: IntArray | None) -> Figure:
    """Mean of paired differences with Student's t over images or groups."""
    n_units = len(difference) if unit is None else len(np.unique(unit))
    if n_units < (2 if unit is None else MIN_GROUPS):
        value = float(difference.mean())
        return {"value": value, "low": None, "high": None, "method": "too_few_groups", "level": LEVEL}
    value, error = paired_gain(difference, unit)
    half = float(t_critical(LEVEL, np.array(n_units - 1.0))) * error
    return {"value": value, "low": value - half, "high": value + half, "method": "paired", "level": LEVEL}


def _errors(y: IntArray, proba: FloatArray, seed: int) -> dict[str, Any]:
    return {"log_loss": log_loss(y, proba), "brier": brier(y, proba), **calibration_errors(y, proba, seed)}
