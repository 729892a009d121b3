"""Cross-validation of regressions on features: everything fitted sees training folds only."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from graticule.arrays import FloatArray, IntArray
from graticule.heads.crossval import Progress, each_fold, fold_rows, mean_over_folds, training_rows
from graticule.heads.scaling import FeatureLayout
from graticule.regress.fitting import fit_member
from graticule.regress.inputs import BlockInputs, choices_of
from graticule.regress.scoring import ValueMember, member_values
from graticule.regress.search import AUTO, ValueChoice, choose_value
from graticule.split.folds import Folds
from graticule.split.training_only import only_trains

_FRACTIONS = (0.1, 0.25, 0.5)
_LEAST = 10


@dataclass(frozen=True)
class ValueSearch:
    """How regressions are chosen.

    Attributes
    ----------
    layout : FeatureLayout
    request : "auto", "ridge", "kernel" or "svr"
    features : "auto", "network", "orientation" or "both"
    seed : int
    """

    layout: FeatureLayout
    request: str = AUTO
    features: str = AUTO
    seed: int = 0

    @property
    def blocks(self) -> tuple[str, ...]:
        """What may be looked at."""
        return choices_of(self.layout, self.features)


@dataclass(frozen=True)
class ValueCrossValidation:
    """Out-of-fold numbers and the regressions that made them.

    Attributes
    ----------
    learnt : float array, shape (n,)
        Out of fold, on the scale that is learnt; NaN for what was set aside.
    members : list of k ValueMember
    choices : list of k ValueChoice
    seconds : float
    """

    learnt: FloatArray
    members: list[ValueMember]
    choices: list[ValueChoice]
    seconds: float


def cross_validate_values(
    features: NDArray[np.floating],
    values: FloatArray,
    folds: Folds,
    search: ValueSearch,
    *,
    progress: Progress | None = None,
) -> ValueCrossValidation:
    """Fit one fold after the other and say the number of each image that it did not see.

    Parameters
    ----------
    features : float array, shape (n, d)
    values : float array, shape (n,)
        On the scale that is learnt.
    folds : Folds
        Rows of part "cv" are cross-validated; rows of parts "synthetic" and "picked" train only.
    search : ValueSearch
    progress : callable, optional
        Told how many folds are done.
    """
    start = time.perf_counter()
    learnt = np.full(len(values), np.nan)

    def one_fold(rows: tuple[IntArray, IntArray]) -> tuple[ValueMember, ValueChoice]:
        train, test = rows
        member, choice = fit_rows(features, values, folds, search, train)
        learnt[test] = member_values([member], features[test])[0]
        return member, choice

    members, choices = each_fold(one_fold, folds, features, progress)
    return ValueCrossValidation(learnt, members, choices, time.perf_counter() - start)


def fit_rows(
    features: NDArray[np.floating], values: FloatArray, folds: Folds, search: ValueSearch, rows: IntArray
) -> tuple[ValueMember, ValueChoice]:
    """Choose and fit on some rows."""
    inputs = BlockInputs(features, rows, search.layout)
    aside = only_trains(folds.part)[rows]
    choice = choose_value(
        inputs,
        values[rows],
        folds.component[rows],
        blocks=search.blocks,
        request=search.request,
        seed=search.seed,
        trains_only=aside if aside.any() else None,
        made=folds.made[rows],
    )
    return _fitted(inputs, values, choice), choice


def _fitted(inputs: BlockInputs, values: FloatArray, choice: ValueChoice) -> ValueMember:
    given = [inputs.of(one.blocks) for one in choice.settings]
    return fit_member(choice.settings, given, inputs.features[inputs.rows], values[inputs.rows])


def refit_values(
    features: NDArray[np.floating], values: FloatArray, folds: Folds, search: ValueSearch
) -> tuple[ValueMember, ValueChoice]:
    """One member on all cross-validated images, chosen by the same search."""
    with threadpool_limits(1):
        return fit_rows(features, values, folds, search, np.flatnonzero(training_rows(folds)))


def value_learning_curve(
    features: NDArray[np.floating],
    values: FloatArray,
    folds: Folds,
    result: ValueCrossValidation,
    search: ValueSearch,
    error_of: Callable[[FloatArray, IntArray], float],
) -> list[dict[str, float | int | None]] | None:
    """Mean absolute error out of fold against the number of training images, with the settings of the full folds.

    Parameters
    ----------
    error_of : callable
        Mean absolute error of numbers on the scale that is learnt, of some rows.

    Returns
    -------
    list of {"fraction", "n_train", "mae", "low", "high"}, or None with one fold
        Limits are Student's t over the folds: the spread between them, to judge the slope by.
    """
    if folds.k < 2:
        return None
    points = []
    for fraction in _FRACTIONS:
        errors, sizes = [], []
        for (train, test), choice in zip(fold_rows(folds), result.choices, strict=True):
            part = _part(train, folds.component, fraction, search.seed)
            if len(part) < _LEAST:
                break
            with threadpool_limits(1):
                inputs = BlockInputs(features, part, search.layout)
                member = _fitted(inputs, values, choice)
            errors.append(error_of(member_values([member], features[test])[0], test))
            sizes.append(len(part))
        if len(errors) == folds.k:
            points.append(_point(fraction, sizes, errors))
    full = [(len(train), error_of(result.learnt[test], test)) for train, test in fold_rows(folds)]
    return [*points, _point(1.0, [n for n, _ in full], [error for _, error in full])]


def _part(train: IntArray, unit: IntArray, fraction: float, seed: int) -> IntArray:
    """About a fraction of the training rows by whole units; smaller parts lie inside larger ones."""
    names = np.random.default_rng(seed).permutation(np.unique(unit[train]))
    return train[np.isin(unit[train], names[: max(1, round(fraction * len(names)))])]


def _point(fraction: float, sizes: list[int], errors: list[float]) -> dict[str, float | int | None]:
    mean, low, high = mean_over_folds(errors)
    n = round(float(np.mean(sizes)))
    return {"fraction": fraction, "n_train": n, "mae": mean, "low": max(0.0, low), "high": high}
