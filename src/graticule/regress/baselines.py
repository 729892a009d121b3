"""What a model of a number is held against: constants, and measures of orientation, learnt on the same folds."""

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.isotonic import IsotonicRegression

from graticule.arrays import FloatArray, IntArray
from graticule.heads.crossval import fold_rows, training_rows
from graticule.heads.outcome import scored_once
from graticule.split.folds import Folds

# columns of `graticule.directions.features`, and what they are called beside a model
GRADIENT = "local gradient orientation"
MEASURES = {"tensor mixture": "s1.5_equal_share", GRADIENT: "lgo_amount"}

Fit = Callable[[IntArray], Callable[[IntArray], FloatArray]]


def constant_baselines(values: FloatArray, folds: Folds) -> dict[str, FloatArray]:
    """Mean and median of the training targets, for each image those of the folds that it is not in; shape (n,) each."""

    def constant(function: Callable[[FloatArray], float]) -> FloatArray:
        def fit(train: IntArray) -> Callable[[IntArray], FloatArray]:
            found = float(function(values[train]))
            return lambda rows: np.full(len(rows), found)

        return over_folds(fit, folds)

    return {
        "mean": constant(lambda some: float(np.mean(some))),
        "median": constant(lambda some: float(np.median(some))),
    }


def measured_baselines(
    measures: Mapping[str, FloatArray], values: FloatArray, folds: Folds, *, raw: bool
) -> dict[str, FloatArray]:
    """Measures of each picture (n,), as they are and calibrated: the best monotone map of the training images.

    Parameters
    ----------
    measures : mapping of str to float array, shape (n,)
    values : float array, shape (n,)
        Targets, in their own unit.
    folds : Folds
    raw : bool
        Whether a measure means the target itself: a fraction from 0 to 1.
    """
    found: dict[str, FloatArray] = {}
    for name, measure in measures.items():

        def fit(train: IntArray, measure: FloatArray = measure) -> Callable[[IntArray], FloatArray]:
            rises = float(((measure - measure[train].mean()) * (values - values[train].mean()))[train].sum()) >= 0
            curve = IsotonicRegression(increasing=rises, out_of_bounds="clip").fit(measure[train], values[train])
            return lambda rows: np.asarray(curve.predict(measure[rows]), dtype=np.float64)

        found |= {name: measure} if raw else {}
        found[f"{name}, calibrated"] = over_folds(fit, folds)
    return found


def over_folds(fit: Fit, folds: Folds) -> FloatArray:
    """What a method says, fitted on the training rows of each fold, and for what was set aside on all of them."""
    found = np.full(len(folds.part), np.nan)
    for train, test in fold_rows(folds):
        found[test] = fit(train)(test)
    aside = np.flatnonzero(scored_once(folds))
    if len(aside):
        found[aside] = fit(np.flatnonzero(training_rows(folds)))(aside)
    return found
