"""What training for a number learns for its decisions: intervals of the numbers, and novelty of the pictures."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.arrays import FloatArray, IntArray, numbered, object_array
from graticule.decide.likeness import picture_novelty
from graticule.decide.novelty import HeldOutImages, Novelty, fit_novelty
from graticule.decide.options import ALPHA
from graticule.decide.settle import MIN_NOVELTY
from graticule.decide.value_intervals import ValueIntervals, fit_intervals, held_out_limits
from graticule.features.samples import Samples
from graticule.heads.crossval import fold_rows
from graticule.regress.method import sizes_in_nm
from graticule.regress.outcome import ValueOutcome
from graticule.split.division import Division
from graticule.split.value_folds import inner_value_folds

LEVEL = 0.9
# bins of the number that novelty takes for classes
LEVELS_OF_NUMBER = 5
_FOLDS = 5


@dataclass(frozen=True)
class ValueDecider:
    """What the bundle needs to decide on numbers, and what the run tells of it.

    Attributes
    ----------
    value, low, high : float arrays, shape (n,)
        Of every part; limits at `LEVEL`, from other images than the one they are of; NaN where there are none.
    intervals : ValueIntervals or None
        On the scale that is learnt; None without an image that no model saw.
    novelty : Novelty or None
    document : dict
        decisions.json without its schema version.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    intervals: ValueIntervals | None
    novelty: Novelty | None
    document: dict[str, Any]


def settle_values(samples: Samples, division: Division, outcome: ValueOutcome, seed: int) -> ValueDecider:
    """Fit intervals and novelty, and put limits to the number of every image."""
    folds, target, manifest = division.folds, outcome.target, samples.manifest
    sizes = sizes_in_nm(samples)
    truth = target.learnt(manifest.targets, sizes)
    cv = np.flatnonzero((folds.part == "cv") & (folds.k > 1))
    aside, test = np.flatnonzero(folds.part == "calibration"), np.flatnonzero(folds.part == "test")
    rows = aside if len(aside) else cv
    novelty = _novelty(samples, division, truth, aside, seed)
    difficulty = _difficulty(samples, novelty, division, rows)
    # groups that share copies are one; their names are no more than their numbers
    group = None if manifest.group is None else object_array([str(unit) for unit in folds.component])
    low, high = np.full(len(truth), np.nan), np.full(len(truth), np.nan)
    intervals = None
    if len(rows):
        own = None if difficulty is None else difficulty[rows]
        given = (truth[rows], outcome.learnt[rows], None if group is None else group[rows], own)
        intervals = fit_intervals(*given, bounds=target.limits, split=bool(len(aside)))
        low[rows], high[rows] = held_out_limits(*given, level=LEVEL, bounds=target.limits)
        others = np.concatenate([test, cv]) if len(aside) else test
        own = None if difficulty is None else difficulty[others]
        low[others], high[others] = intervals.apply(outcome.learnt[others], own, LEVEL)
    document = {
        "kind": "values",
        "level": LEVEL,
        "intervals": None if intervals is None else intervals.describe(),
        "scale": "log" if target.logarithmic else "linear",
        "novelty": None
        if novelty is None
        else {"alpha": ALPHA, "units": novelty.units, "grouped": manifest.group is not None},
    }
    value, low, high = (target.restored(each, sizes) for each in (outcome.learnt, low, high))
    return ValueDecider(value, low, high, intervals, novelty, document)


def _novelty(samples: Samples, division: Division, truth: FloatArray, aside: IntArray, seed: int) -> Novelty | None:
    """The space of all training images; what a classifier calls classes are bins of the number here."""
    folds = division.folds
    rows = np.flatnonzero(folds.part == "cv")
    if len(rows) < MIN_NOVELTY:
        return None
    unit = folds.component[rows]
    ends = np.quantile(truth[rows], np.arange(1, LEVELS_OF_NUMBER) / LEVELS_OF_NUMBER)
    bins = numbered(np.searchsorted(ends, truth[rows], side="right"))
    if folds.k > 1:
        place = np.full(len(truth), -1)
        place[rows] = np.arange(len(rows))
        real = folds.part == "cv"
        parts = [(place[train[real[train]]], place[held]) for train, held in fold_rows(folds)]
    else:
        parts = inner_value_folds(truth[rows], unit, _FOLDS, seed)
    if not parts and not len(aside):
        return None
    grouped = samples.manifest.group is not None

    def seen(some: IntArray) -> HeldOutImages:
        return HeldOutImages(samples.alike_features[some], None, folds.component[some] if grouped else None)

    fitted = fit_novelty(seen(rows), bins, parts, seen(aside) if len(aside) else None)
    # as the bundle keeps it, in single precision: the report's figures are then those of `evaluate`
    return Novelty.unpack(fitted.pack())


def _difficulty(samples: Samples, novelty: Novelty | None, division: Division, rows: IntArray) -> FloatArray | None:
    """What may tell how hard an image is: its novelty, shape (n, 1); of the evidence as images not in the space."""
    if novelty is None or len(novelty.evidence) != len(rows):
        return None
    found = picture_novelty(novelty, samples.alike_features)
    if not (division.folds.part == "calibration").any():
        found[rows] = novelty.evidence
    return found[:, None]
