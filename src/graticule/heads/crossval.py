"""Cross-validation of heads on frozen features: everything fitted sees training folds only."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from graticule.heads.heads import balanced_share_right
from graticule.heads.scaling import AXES_ROWS, FeatureLayout, Scalings
from graticule.heads.scoring import Head, probabilities
from graticule.heads.search import HeadChoice, choose_head, fit_choice
from graticule.split.folds import Folds
from graticule.split.training_only import only_trains
from graticule.statistics.intervals import t_critical
from graticule.workers.pool import available_cores

Progress = Callable[[int], None]
Model = TypeVar("Model")
Choice = TypeVar("Choice")
_CURVE_FRACTIONS = (0.1, 0.25, 0.5)
_MIN_PER_CLASS = 2
# bytes that folds at work together may hold, and copies that each makes of the rows it finds axes from
_MOST_HELD = 600_000_000
_COPIES = 3


@dataclass(frozen=True)
class CrossValidation:
    """Out-of-fold scores and the heads that made them.

    Attributes
    ----------
    proba : float array, shape (n, K)
        Out-of-fold probabilities; NaN rows for the held-out test part.
    heads : list of k heads
    choices : list of k choices
        What the inner cross-validation chose in each fold.
    seconds : float
    """

    proba: NDArray[np.float64]
    heads: list[Head]
    choices: list[HeadChoice]
    seconds: float


@dataclass(frozen=True)
class Search:
    """How heads are chosen.

    Attributes
    ----------
    n_classes : int
    request : "auto", "logistic" or "svm"
    grouped : bool
        Whether the components of the folds stand for groups.
    seed : int
    parts : tuple of (name, length)
        What the numbers of a feature vector are, see `graticule.heads.scaling.FeatureLayout`.
    """

    n_classes: int
    request: str = "auto"
    grouped: bool = False
    seed: int = 0
    parts: tuple[tuple[str, int], ...] = ()

    def scalings(self, features: NDArray[np.floating], rows: NDArray[np.int64]) -> Scalings:
        """Scalings of some training rows."""
        return Scalings(features, rows, FeatureLayout(features.shape[1], self.parts))


def search_units(folds: Folds, grouped: bool) -> NDArray[np.object_] | None:
    """Units that inner folds must keep whole: components of groups and duplicates, or None where all are single."""
    if not grouped and len(np.unique(folds.component)) == len(folds.component):
        return None
    units: NDArray[np.object_] = folds.component.astype(str).astype(object)
    return units


def cross_validate(
    features: NDArray[np.floating],
    y: NDArray[np.int64],
    folds: Folds,
    search: Search,
    *,
    progress: Progress | None = None,
) -> CrossValidation:
    """Fit one head per fold and score the samples it did not see.

    Parameters
    ----------
    features : float array, shape (n, d)
    y : int array, shape (n,)
        Class indices.
    folds : Folds
        Rows of part "cv" are cross-validated; rows of parts "synthetic" and "picked" train only.
    search : Search
    progress : callable, optional
        Told how many folds are done.
    """
    start = time.perf_counter()
    units = search_units(folds, search.grouped)
    proba = np.full((len(y), search.n_classes), np.nan)

    def one_fold(rows: tuple[NDArray[np.int64], NDArray[np.int64]]) -> tuple[Head, HeadChoice]:
        train, test = rows
        scalings = search.scalings(features, train)
        choice = _choose(scalings, y, units, search, folds)
        head = fit_choice(scalings, y[train], search.n_classes, choice)
        proba[test] = probabilities([head], features[test])
        return head, choice

    heads, choices = each_fold(one_fold, folds, features, progress)
    return CrossValidation(proba, heads, choices, time.perf_counter() - start)


def each_fold(
    one_fold: Callable[[tuple[NDArray[np.int64], NDArray[np.int64]]], tuple[Model, Choice]],
    folds: Folds,
    features: NDArray[np.floating],
    progress: Progress | None,
) -> tuple[list[Model], list[Choice]]:
    """What `one_fold` makes of the (training, held-out) rows of each fold, in their order.

    One thread per fold instead of threads inside BLAS: small matrices gain nothing from the latter, threads of two
    pools would wait for each other, and results do not depend on the number of cores.
    """
    models: list[Model] = []
    choices: list[Choice] = []
    with threadpool_limits(1), ThreadPoolExecutor(fold_threads(features)) as threads:
        for model, choice in threads.map(one_fold, fold_rows(folds)):
            models.append(model)
            choices.append(choice)
            if progress is not None:
                progress(len(models))
    return models, choices


def fold_threads(features: NDArray[np.floating]) -> int:
    """Folds at work at a time: each holds some thousands of rows of features a few times over."""
    held = _COPIES * features.nbytes * min(1.0, AXES_ROWS / max(len(features), 1))
    return max(1, min(available_cores(), int(_MOST_HELD / max(held, 1.0))))


def fold_rows(folds: Folds) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(training rows, held-out rows) of each fold; with one fold only, all rows train and none is held out."""
    cv, training = folds.part == "cv", training_rows(folds)
    if folds.k == 1:
        return [(np.flatnonzero(training), np.zeros(0, np.int64))]
    return [
        (
            np.flatnonzero(training & (folds.fold != f) & (True if folds.trains is None else folds.trains[:, f])),
            np.flatnonzero(cv & (folds.fold == f)),
        )
        for f in range(folds.k)
    ]


def training_rows(folds: Folds) -> NDArray[np.bool_]:
    """Mask of rows that train in some fold: cross-validated ones and those that only train; shape (n,)."""
    return np.asarray((folds.part == "cv") | only_trains(folds.part), dtype=bool)


def refit(
    features: NDArray[np.floating],
    y: NDArray[np.int64],
    folds: Folds,
    search: Search,
) -> tuple[Head, HeadChoice]:
    """One head on all cross-validated samples, chosen by the same search."""
    rows = np.flatnonzero(training_rows(folds))
    units = search_units(folds, search.grouped)
    with threadpool_limits(1):
        scalings = search.scalings(features, rows)
        choice = _choose(scalings, y, units, search, folds)
        return fit_choice(scalings, y[rows], search.n_classes, choice), choice


def _choose(
    scalings: Scalings,
    y: NDArray[np.int64],
    units: NDArray[np.object_] | None,
    search: Search,
    folds: Folds,
) -> HeadChoice:
    rows, alone = scalings.rows, only_trains(folds.part)
    return choose_head(
        scalings,
        y[rows],
        None if units is None else units[rows],
        n_classes=search.n_classes,
        request=search.request,
        seed=search.seed,
        trains_only=alone[rows] if alone.any() else None,
        made=folds.made[rows],
    )


def learning_curve(
    features: NDArray[np.floating],
    y: NDArray[np.int64],
    folds: Folds,
    result: CrossValidation,
    search: Search,
    level: float = 0.95,
) -> list[dict[str, float | int | None]] | None:
    """Out-of-fold balanced accuracy against the number of training images.

    Each fold's head is fitted again on a part of its training samples (whole units where the data are grouped)
    with the settings chosen for the full fold; the last point is the cross-validation itself. The interval is
    Student's t over the folds' balanced accuracies: it tells the spread between folds, which is what the eye needs to
    judge the slope.

    Returns
    -------
    list of {"fraction", "n_train", "balanced_accuracy", "low", "high"}, or None when there is but one fold or no
    smaller part keeps every class.
    """
    if folds.k < 2:
        return None
    units = search_units(folds, search.grouped)
    points = []
    for fraction in _CURVE_FRACTIONS:
        values, sizes = [], []
        for (train, test), choice in zip(fold_rows(folds), result.choices, strict=True):
            part = _part_of(train, y, units, fraction, search.seed)
            if np.bincount(y[part], minlength=search.n_classes).min() < _MIN_PER_CLASS:
                break
            with threadpool_limits(1):
                head = fit_choice(search.scalings(features, part), y[part], search.n_classes, choice)
            values.append(balanced_share_right(probabilities([head], features[test]), y[test]))
            sizes.append(len(part))
        if len(values) == folds.k:
            points.append(_point(fraction, sizes, values, level))
    if not points:
        return None
    full = [(len(train), balanced_share_right(result.proba[test], y[test])) for train, test in fold_rows(folds)]
    points.append(_point(1.0, [n for n, _ in full], [value for _, value in full], level))
    return points


def _part_of(
    train: NDArray[np.int64], y: NDArray[np.int64], units: NDArray[np.object_] | None, fraction: float, seed: int
) -> NDArray[np.int64]:
    """About a fraction of the training rows: per class, or by whole units. Smaller parts lie inside larger ones."""
    rng = np.random.default_rng(seed)
    if units is None:
        by_class = [rng.permutation(train[y[train] == k]) for k in np.unique(y[train])]
        return np.sort(np.concatenate([rows[: max(1, round(fraction * len(rows)))] for rows in by_class]))
    names = rng.permutation(np.unique(units[train].astype(str)))
    chosen = names[: max(1, round(fraction * len(names)))]
    return train[np.isin(units[train].astype(str), chosen)]


def mean_over_folds(values: list[float], level: float = 0.95) -> tuple[float, float, float]:
    """Mean of a figure of k folds, with Student's t limits over the folds: the spread between them."""
    mean, k = float(np.mean(values)), len(values)
    half = float(t_critical(level, np.array(k - 1.0))) * float(np.std(values, ddof=1)) / np.sqrt(k)
    return mean, mean - half, mean + half


def _point(fraction: float, sizes: list[int], values: list[float], level: float) -> dict[str, float | int | None]:
    mean, low, high = mean_over_folds(values, level)
    return {
        "fraction": fraction,
        "n_train": round(float(np.mean(sizes))),
        "balanced_accuracy": mean,
        "low": max(0.0, low),
        "high": min(1.0, high),
    }
