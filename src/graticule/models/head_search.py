"""Choose a head by an inner cross-validation on training data only.

Every candidate is judged on the same inner folds by its held-out log loss after a temperature has been fitted, each
class weighing the same: a criterion that rewards ranking and honest confidence and does not let a frequent class win.
The stages are greedy to stay cheap: first scaling and regularisation of the logistic head (warm starts along C), then
class weighting where classes are imbalanced, then support vector machines on the winning scaling (the distance matrix
is computed once per inner fold). More than `SEARCH_LIMIT` samples are thinned, whole groups at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from graticule.data.folds import inner_folds
from graticule.models.heads import (
    KERNEL_LIMIT,
    HeadSettings,
    balanced_log_loss,
    fit_temperature,
    kernel_width,
    linear_scores,
    make_classifier,
    make_scaling,
    pairwise_margins,
)
from graticule.models.scoring import Floats, squared_distances

HEADS = ("auto", "logistic", "svm")
SEARCH_LIMIT = 5000
INNER_FOLDS = 3
MIN_GROUPS = 3
_SHRINKAGES = (1.0, 0.5, 0.2)
_LOGISTIC_C = (0.003, 0.01, 0.03)
_LINEAR_SVM_C = (1e-5, 1e-4)
_RBF = ((4.0, 0.25), (16.0, 0.25), (16.0, 0.1))
_IMBALANCE = 1.5

DEFAULTS = {
    "auto": HeadSettings("logistic", C=0.01, shrinkage=0.3, balanced=True),
    "logistic": HeadSettings("logistic", C=0.01, shrinkage=0.3, balanced=True),
    "svm": HeadSettings("rbf_svm", C=16.0, shrinkage=0.5, gamma=0.25, balanced=True),
}
# mean pairwise margins lie around -1 to 1, logistic scores are log odds
_DEFAULT_TEMPERATURE = {"auto": 1.0, "logistic": 1.0, "svm": 4.0}

InnerFold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Choice:
    """The outcome of a search.

    Attributes
    ----------
    settings : HeadSettings
    temperature : float
        Fitted on the inner held-out scores; 1 for a default head.
    inner_score : float or None
        Balanced log loss (nats) of the winner on the inner folds.
    candidates, inner_folds : int
        How many were compared on how many folds; 0 for a default head.
    """

    settings: HeadSettings
    temperature: float
    inner_score: float | None
    candidates: int
    inner_folds: int


@dataclass(frozen=True)
class _Scaled:
    """One inner fold on one scaling."""

    train: Floats
    test: Floats
    y_train: NDArray[np.int64]
    rows: NDArray[np.int64]


def choose_head(
    features: NDArray[np.floating],
    y: NDArray[np.int64],
    group: NDArray[np.object_] | None,
    *,
    rows: NDArray[np.int64],
    n_classes: int,
    request: str = "auto",
    seed: int = 0,
) -> Choice:
    """Choose head settings and temperature from training data.

    Parameters
    ----------
    features : float array, shape (n, d)
        All features; only `rows` are looked at (and copied, thinned, so that memory stays small).
    y : int array, shape (n,)
    group : object array, shape (len(rows),), or None
        Groups of `rows`. A group is never on both sides of an inner fold; with fewer than 3 groups, or where no
        inner fold keeps every class, a fixed default head is used.
    rows : int array
        The training rows.
    n_classes : int
    request : "auto", "logistic" or "svm"
    seed : int

    Returns
    -------
    Choice
    """
    keep = _thin(y[rows], group, seed)
    features, y = features[rows[keep]], y[rows[keep]]
    group = None if group is None else group[keep]
    folds: list[InnerFold] = []
    if group is None or len(set(group)) >= MIN_GROUPS:
        folds = inner_folds(y, group, INNER_FOLDS, seed)
    if not folds:
        return Choice(DEFAULTS[request], _DEFAULT_TEMPERATURE[request], None, 0, 0)
    judged = _Search(features, y, folds, n_classes).run(request)
    best = min(judged, key=lambda c: c[1])
    settings, score, temperature = best
    return Choice(settings, temperature, score, len(judged), len(folds))


def _thin(y: NDArray[np.int64], group: NDArray[np.object_] | None, seed: int) -> NDArray[np.int64]:
    """Sorted rows for the search: all, or about `SEARCH_LIMIT` drawn by class, or by whole groups."""
    n = len(y)
    if n <= SEARCH_LIMIT:
        return np.arange(n)
    rng = np.random.default_rng(seed)
    if group is None:
        per_class = max(2 * INNER_FOLDS, SEARCH_LIMIT // len(np.unique(y)))
        drawn = [rng.permutation(np.flatnonzero(y == k))[:per_class] for k in np.unique(y)]
        return np.sort(np.concatenate(drawn))
    names, index = np.unique(group.astype(str), return_inverse=True)
    order = rng.permutation(len(names))
    sizes = np.bincount(index)[order]
    taken = order[: max(MIN_GROUPS, int(np.searchsorted(np.cumsum(sizes), SEARCH_LIMIT)))]
    rows = np.flatnonzero(np.isin(index, taken))
    return rows if len(np.unique(y[rows])) == len(np.unique(y)) else np.arange(n)


class _Search:
    """Inner folds, and the held-out scores of candidates on them."""

    def __init__(
        self, features: NDArray[np.floating], y: NDArray[np.int64], folds: list[InnerFold], n_classes: int
    ) -> None:
        self.features, self.y, self.folds, self.n_classes = features, y, folds, n_classes

    def run(self, request: str) -> list[tuple[HeadSettings, float, float]]:
        """(settings, loss, temperature) of every candidate tried."""
        judged: list[tuple[HeadSettings, float, float]] = []
        counts = np.bincount(self.y, minlength=self.n_classes)
        imbalanced = bool(counts.max() > _IMBALANCE * max(counts.min(), 1))
        for shrinkage in _SHRINKAGES:
            grid = [HeadSettings("logistic", C, shrinkage, balanced=imbalanced) for C in _LOGISTIC_C]
            judged += self.judge(grid, shrinkage, self.logistic)
        best = min(judged, key=lambda c: c[1])[0]
        if imbalanced:
            judged += self.judge([replace(best, balanced=False)], best.shrinkage, self.logistic)
            best = min(judged, key=lambda c: c[1])[0]
        if request == "logistic":
            return judged
        machines: list[tuple[HeadSettings, float, float]] = []
        if len(self.y) <= KERNEL_LIMIT:
            grid = [HeadSettings("rbf_svm", C, best.shrinkage, gamma, best.balanced) for C, gamma in _RBF]
            machines += self.judge(grid, best.shrinkage, self.rbf)
        if request == "svm":
            grid = [HeadSettings("linear_svm", C, best.shrinkage, balanced=best.balanced) for C in _LINEAR_SVM_C]
            machines += self.judge(grid, best.shrinkage, self.linear_svm)
            return machines
        return judged + machines

    def judge(
        self, grid: list[HeadSettings], shrinkage: float, fit: Callable[[list[HeadSettings], _Scaled], Iterator[Any]]
    ) -> list[tuple[HeadSettings, float, float]]:
        """Held-out loss and temperature of each candidate of a grid on one scaling."""
        held_out = [np.zeros((len(self.y), self.n_classes)) for _ in grid]
        rows = np.sort(np.concatenate([test for _, test in self.folds]))
        for fold in self.scaled(shrinkage):
            for scores, result in zip(held_out, fit(grid, fold), strict=True):
                scores[fold.rows] = result
        judged = []
        for settings, scores in zip(grid, held_out, strict=True):
            temperature = fit_temperature(scores[rows], self.y[rows])
            judged.append((settings, balanced_log_loss(scores[rows], self.y[rows], temperature), temperature))
        return judged

    def scaled(self, shrinkage: float) -> Iterable[_Scaled]:
        """Each inner fold with scaling fitted on its training side."""
        for train, test in self.folds:
            scaling = make_scaling(shrinkage)
            fitted = scaling.fit_transform(self.features[train], self.y[train])
            yield _Scaled(fitted, scaling.transform(self.features[test]), self.y[train], test)

    def logistic(self, grid: list[HeadSettings], fold: _Scaled) -> Iterator[NDArray[np.float64]]:
        """Scores along C, each fit starting from the last."""
        classifier = make_classifier(grid[0]).set_params(warm_start=True)
        for settings in grid:
            classifier.set_params(C=settings.C).fit(fold.train, fold.y_train)
            weights, bias = linear_scores(classifier)
            yield fold.test @ weights.T + bias

    def linear_svm(self, grid: list[HeadSettings], fold: _Scaled) -> Iterator[NDArray[np.float64]]:
        """Scores of linear support vector machines."""
        for settings in grid:
            weights, bias = linear_scores(make_classifier(settings).fit(fold.train, fold.y_train))
            yield fold.test @ weights.T + bias

    def rbf(self, grid: list[HeadSettings], fold: _Scaled) -> Iterator[NDArray[np.float64]]:
        """Scores of RBF support vector machines on one distance matrix."""
        among = squared_distances(fold.train, fold.train)
        to_train = squared_distances(fold.test, fold.train)
        width = kernel_width(fold.train)
        for settings in grid:
            gamma = settings.gamma * width
            weight = "balanced" if settings.balanced else None
            machine = SVC(C=settings.C, kernel="precomputed", class_weight=weight, cache_size=500)
            machine.fit(np.exp(-gamma * among), fold.y_train)
            coefficients, bias = pairwise_margins(machine, self.n_classes)
            yield np.exp(-gamma * to_train[:, machine.support_]) @ coefficients + bias
