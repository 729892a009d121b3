"""What a training run learns for its decisions: calibration, evidence for sets and acceptance, novelty."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, class_codes
from graticule.decide.acceptance import find_rule
from graticule.decide.assessment import assess, coverage_of, proportion
from graticule.decide.conformal import LEVELS, p_values, prediction_sets, prepare_sets, promise
from graticule.decide.evidence import SHIPPED, Evidence
from graticule.decide.labelled import decided, member_scores, undecided
from graticule.decide.novelty import HeldOutImages, Novelty, doubt, fit_novelty
from graticule.decide.options import ALPHA
from graticule.decide.reliability import calibration_errors, diagram_of
from graticule.decide.risk_coverage import coverage_at, risk_coverage
from graticule.decide.rule import Rule
from graticule.evaluate.metrics import brier, log_loss
from graticule.evaluate.summary import plain_numbers
from graticule.features.reader import as_trained
from graticule.features.samples import Samples
from graticule.heads.calibration import Calibration
from graticule.heads.calibration_fit import CalibrationChoice, choose_calibration
from graticule.heads.crossval import fold_rows, training_rows
from graticule.heads.outcome import Outcome
from graticule.split.division import Division
from graticule.split.folds import inner_folds

MIN_NOVELTY = 20
_FOLDS = 5


@dataclass(frozen=True)
class Decider:
    """What the bundle needs to decide, and what the run tells of it.

    Attributes
    ----------
    proba : float array, shape (n, K)
        Scores of every part after calibration: out-of-fold ones by maps that never saw the image.
    calibration : Calibration
        Of the shipped model.
    evidence : Evidence or None
    novelty : Novelty or None
    document : dict
        decisions.json without its schema version.
    """

    proba: FloatArray
    calibration: Calibration
    evidence: Evidence | None
    novelty: Novelty | None
    document: dict[str, Any]


def settle_decisions(samples: Samples, division: Division, outcome: Outcome, seed: int) -> Decider:
    """Calibrate the scores, gather the evidence, fit novelty, and say what can be acted on."""
    manifest, folds = samples.manifest, division.folds
    y, grouped = class_codes(manifest.label, manifest.classes), manifest.group is not None
    cv = np.flatnonzero((folds.part == "cv") & (folds.k > 1))
    aside, test = np.flatnonzero(folds.part == "calibration"), np.flatnonzero(folds.part == "test")
    choice = _calibrate(outcome.proba[cv], y[cv], folds.component[cv], seed)
    proba = outcome.proba.copy()
    proba[cv] = choice.crossfitted
    once = np.concatenate([aside, test])
    proba[once] = choice.calibration(outcome.proba[once])
    rows = aside if len(aside) else cv
    evidence = None
    if len(rows):
        evidence = Evidence(
            proba=outcome.proba[rows],
            calibrated=proba[rows],
            y=y[rows],
            fold=np.full(len(rows), SHIPPED) if len(aside) else folds.fold[rows],
            unit=folds.component[rows],
            grouped=grouped,
            members=folds.k > 1 and len(outcome.heads) == folds.k,
        )
    novelty = _fit_novelty(samples, division, outcome.proba, y, aside, grouped, seed)
    # found here and nowhere else: the bundle stores it, and other verbs take it from there
    rule = None if evidence is None else find_rule(evidence, seed=seed)
    document = _describe(choice, outcome.proba[cv], y[cv], folds.component[cv], grouped, seed)
    document |= _describe_evidence(evidence, rule, manifest.classes, seed)
    document["novelty"] = None
    if novelty is not None:
        told = {"alpha": ALPHA, "units": novelty.units, "grouped": grouped, "centre": samples.by_centre}
        document["novelty"] = told
    decider = Decider(proba, choice.calibration, evidence, novelty, document)
    if not len(cv):
        # with one split there are no scores but those of the test part
        unit = folds.component[test] if grouped else None
        document["calibration"]["reliability"] = diagram_of(y[test], proba[test], unit) if len(test) else None
    document["test"] = _on_test(decider, rule, samples, outcome, y, test, training_rows(folds)) if len(test) else None
    return decider


def _calibrate(proba: FloatArray, y: NDArray[np.int64], unit: NDArray[np.int64], seed: int) -> CalibrationChoice:
    if not len(y):
        return CalibrationChoice(Calibration(), proba, {}, "no out-of-fold scores (--folds 1) to fit a calibration on")
    return choose_calibration(proba, y, unit if len(np.unique(unit)) < len(unit) else None, seed)


def _fit_novelty(
    samples: Samples,
    division: Division,
    proba: FloatArray,
    y: NDArray[np.int64],
    aside: NDArray[np.int64],
    grouped: bool,
    seed: int,
) -> Novelty | None:
    folds = division.folds
    rows = np.flatnonzero(folds.part == "cv")
    if len(rows) < MIN_NOVELTY:
        return None
    unit = folds.component[rows]
    if folds.k > 1:
        place = np.full(len(y), -1)
        place[rows] = np.arange(len(rows))
        real = folds.part == "cv"
        parts = [(place[train[real[train]]], place[held]) for train, held in fold_rows(folds)]
    else:
        parts = inner_folds(y[rows], unit, _FOLDS, seed)
    if not parts and not len(aside):
        return None

    def seen(some: NDArray[np.int64], scored: bool) -> HeldOutImages:
        units = folds.component[some] if grouped else None
        return HeldOutImages(samples.alike_features[some], doubt(proba[some]) if scored else None, units)

    fitted = fit_novelty(seen(rows, folds.k > 1), y[rows], parts, seen(aside, True) if len(aside) else None)
    # as the bundle keeps it, in single precision: the report's figures are then those of `evaluate`
    return Novelty.unpack(fitted.pack())


def _describe(
    choice: CalibrationChoice, raw: FloatArray, y: NDArray[np.int64], unit: NDArray[np.int64], grouped: bool, seed: int
) -> dict[str, Any]:
    """The entry "calibration" of decisions.json."""
    calibration: dict[str, Any] = {
        "method": choice.calibration.method,
        "note": choice.note,
        "log_loss_by_method": choice.log_loss,
    }
    if len(y):
        for name, proba in (("before", raw), ("after", choice.crossfitted)):
            calibration[name] = {
                "log_loss": log_loss(y, proba),
                "brier": brier(y, proba),
                **calibration_errors(y, proba, seed),
            }
        calibration["reliability"] = diagram_of(y, choice.crossfitted, unit if grouped else None)
    return {"calibration": calibration}


def _describe_evidence(
    evidence: Evidence | None, rule: Rule | None, classes: tuple[str, ...], seed: int
) -> dict[str, Any]:
    """The entries "evidence", "sets" and "acceptance" of decisions.json."""
    if evidence is None or rule is None:
        return {"evidence": None, "sets": [], "acceptance": None}
    return {
        "evidence": evidence.describe(),
        "sets": [_sets_at(evidence, level, classes, seed) for level in LEVELS],
        "acceptance": _acceptance(evidence, rule),
    }


def _sets_at(evidence: Evidence, level: float, classes: tuple[str, ...], seed: int) -> dict[str, Any]:
    """Size and coverage of sets for evidence that was left out of the evidence they were made from."""
    inside, unit = crossfitted_sets(evidence, level, seed), evidence.unit if evidence.grouped else None
    claim = promise(evidence, prepare_sets(evidence), level, classes)
    return claim | coverage_of(inside, evidence.y, unit, classes)


def crossfitted_sets(evidence: Evidence, level: float, seed: int = 0) -> NDArray[np.bool_]:
    """Sets of the evidence itself, each from evidence of other folds; bool array of shape (n, K)."""
    n, k = evidence.proba.shape
    inside = np.ones((n, k), bool)
    if evidence.by_shipped:
        parts = inner_folds(evidence.y, evidence.unit, _FOLDS, seed)
    else:
        held = [np.flatnonzero(evidence.fold == f) for f in np.unique(evidence.fold)]
        parts = [(np.setdiff1d(np.arange(n), rows), rows) for rows in held]
    for rest, rows in parts:
        other = Evidence(
            evidence.proba[rest],
            evidence.calibrated[rest],
            evidence.y[rest],
            np.full(len(rest), SHIPPED),
            evidence.unit[rest],
            evidence.grouped,
            False,
        )
        scores = evidence.proba[rows]
        p = p_values(prepare_sets(other), scores[None], scores, level)
        inside[rows] = prediction_sets(p, evidence.calibrated[rows].argmax(axis=1), level)
    return inside


def _acceptance(evidence: Evidence, rule: Rule) -> dict[str, Any]:
    score = evidence.calibrated.max(axis=1)
    right = evidence.calibrated.argmax(axis=1) == evidence.y
    unit = evidence.unit if evidence.grouped else None
    curve = risk_coverage(score, right, unit)
    return {
        "rule": rule.to_json(),
        "coverage": rule.accepted / len(evidence),
        "accuracy": proportion(right, rule.accepts(evidence.calibrated), unit, exact=True),
        "curve": {name: plain_numbers(getattr(curve, name)) for name in ("coverage", "risk", "low", "high")},
        "area": curve.area,
        "coverage_at": coverage_at(score, right, unit),
    }


def _on_test(
    decider: Decider,
    rule: Rule | None,
    samples: Samples,
    outcome: Outcome,
    y: NDArray[np.int64],
    test: NDArray[np.int64],
    training: NDArray[np.bool_],
) -> dict[str, Any]:
    """What the decisions would have been on the held-out part, and how good."""
    evidence = decider.evidence
    if evidence is None or rule is None:
        return {"n": len(test)}
    group, raw = samples.manifest.group, outcome.proba[test]
    window = as_trained(samples, training, outcome.encoder.preprocessing.intensity)
    answers = undecided(
        (y[test], raw, decider.proba[test]),
        None if group is None else group[test],
        [samples.info[i] for i in test],
        window,
    )
    members = _members(samples, outcome, test)
    if members is not None:
        sets = prepare_sets(evidence)
        answers = decided(answers, members, samples.alike_features[test], sets, decider.novelty, LEVELS)
    return assess(answers, rule, ALPHA, samples.manifest.classes) | {
        "log_loss": {"before": log_loss(y[test], raw), "after": log_loss(y[test], answers.proba)}
    }


def _members(samples: Samples, outcome: Outcome, rows: NDArray[np.int64]) -> FloatArray | None:
    """Scores by each member of the shipped model, shape (H, n, K).

    None for several fine-tuned networks: they act on features of their own, which are not at hand here.
    """
    if len(outcome.heads) == 1:
        return outcome.proba[rows][None]
    if outcome.training is not None:
        return None
    return member_scores(outcome.heads, samples.features[rows])
