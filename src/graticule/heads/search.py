"""Choose a head by an inner cross-validation on training data only.

Every candidate is judged on the same inner folds by its held-out log loss after a temperature has been fitted, each
class weighing the same: a criterion that rewards ranking and honest confidence and does not let a frequent class win.
The stages are greedy to stay cheap: first scaling and regularisation of the logistic head (warm starts along C), then
class weighting where classes differ in size, then means of the best logistic heads of different scalings (they need no
fit: their held-out scores are known), then support vector machines on the winning scaling (the distance matrix is
computed once per inner fold). A mean of logistic heads is itself one linear head. More than `SEARCH_LIMIT` samples
are thinned, whole groups at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from graticule.arrays import Float32Array, numbered
from graticule.heads.heads import (
    KERNEL_LIMIT,
    HeadSettings,
    balanced_log_loss,
    fit_head,
    fit_temperature,
    kernel_width,
    linear_scores,
    make_classifier,
    make_scaling,
    mean_of_linear,
    pairwise_margins,
)
from graticule.heads.scoring import Head, squared_distances
from graticule.split.folds import inner_folds

SEARCH_LIMIT = 5000
INNER_FOLDS = 3
MIN_GROUPS = 3
_SHRINKAGES = (1.0, 0.5, 0.2)
_LOGISTIC_C = (0.003, 0.01, 0.03)
_LINEAR_SVM_C = (1e-5, 1e-4)
_RBF = ((4.0, 0.25), (16.0, 0.25), (16.0, 0.1))

InnerFold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Member:
    """A head and the temperature fitted on its own inner held-out scores."""

    settings: HeadSettings
    temperature: float


@dataclass(frozen=True)
class HeadChoice:
    """The outcome of a search.

    Attributes
    ----------
    members : tuple of Member
        One head, or several logistic ones whose scores are averaged.
    temperature : float
        Of the averaged scores; 1 for a single head and for a default.
    inner_score : float or None
        Balanced log loss (nats) of the winner on the inner folds.
    candidates, inner_folds : int
        How many were compared on how many folds; 0 for a default head.
    """

    members: tuple[Member, ...]
    temperature: float
    inner_score: float | None
    candidates: int
    inner_folds: int

    @property
    def kind(self) -> str:
        """ "logistic", "linear_svm", "rbf_svm", or "mean of 2 logistic heads"."""
        kind = self.members[0].settings.kind
        return kind if len(self.members) == 1 else f"mean of {len(self.members)} {kind} heads"

    def describe(self) -> dict[str, Any]:
        """Settings for the report; those of several members are listed side by side."""
        described = [member.settings.describe() for member in self.members]
        if len(described) == 1:
            return described[0]
        return {name: ", ".join(str(d[name]) for d in described) for name in described[0]}


_PLAIN = Member(HeadSettings("logistic", C=0.01, shrinkage=1.0, balanced=True), 1.0)
_WHITENED = Member(HeadSettings("logistic", C=0.01, shrinkage=0.5, balanced=True), 1.0)
# mean pairwise margins lie around -1 to 1, logistic scores are log odds: hence the temperature
_MACHINE = Member(HeadSettings("rbf_svm", C=16.0, shrinkage=1.0, gamma=0.1, balanced=True), 4.0)
_LINEAR_MACHINE = Member(HeadSettings("linear_svm", C=1e-4, shrinkage=1.0, balanced=True), 4.0)
DEFAULTS = {"auto": (_PLAIN, _WHITENED), "logistic": (_PLAIN, _WHITENED), "svm": (_MACHINE,)}


@dataclass(frozen=True)
class _Scaled:
    """One inner fold on one scaling."""

    train: Float32Array
    test: Float32Array
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
    trains_only: NDArray[np.bool_] | None = None,
) -> HeadChoice:
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
    trains_only : bool array, shape (n,), optional
        Samples (synthetic ones) that no candidate is judged on.
    """
    # the chosen head is fitted on all rows, not on the thinned ones
    kernels = len(rows) <= KERNEL_LIMIT
    keep = _thin(y[rows], group, seed)
    features, y = features[rows[keep]], y[rows[keep]]
    group = None if group is None else group[keep]
    folds: list[InnerFold] = []
    if group is None or len(set(group)) >= MIN_GROUPS:
        folds = inner_folds(y, group, INNER_FOLDS, seed)
    if trains_only is not None:
        only = trains_only[rows[keep]]
        folds = [(train, test[~only[test]]) for train, test in folds]
        folds = folds if all(len(test) for _, test in folds) else []
    if not folds:
        members = DEFAULTS[request] if request != "svm" or kernels else (_LINEAR_MACHINE,)
        return HeadChoice(members, 1.0, None, 0, 0)
    judged = _Search(features, y, folds, n_classes, kernels=kernels).run(request)
    best = _best(judged)
    return HeadChoice(best.members, best.temperature, best.loss, len(judged), len(folds))


def fit_choice(features: NDArray[np.floating], y: NDArray[np.int64], n_classes: int, choice: HeadChoice) -> Head:
    """Fit the chosen head on features of shape (n, d) and class indices of shape (n,); see `heads.fit_head`."""
    heads = [fit_head(features, y, n_classes, member.settings, member.temperature) for member in choice.members]
    return heads[0] if len(heads) == 1 else mean_of_linear(heads, choice.temperature)


def _best(judged: list[_Judged]) -> _Judged:
    return min(judged, key=lambda candidate: candidate.loss)


def _settings(judged: _Judged) -> HeadSettings:
    return judged.members[0].settings


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
    index = numbered(group.astype(str))
    sizes = np.bincount(index)
    order = rng.permutation(len(sizes))
    sizes = sizes[order]
    taken = order[: max(MIN_GROUPS, int(np.searchsorted(np.cumsum(sizes), SEARCH_LIMIT)))]
    rows = np.flatnonzero(np.isin(index, taken))
    return rows if len(np.unique(y[rows])) == len(np.unique(y)) else np.arange(n)


@dataclass(frozen=True)
class _Judged:
    """A candidate with its balanced log loss and its held-out scores (before the temperature) on the inner folds."""

    members: tuple[Member, ...]
    temperature: float
    loss: float
    scores: NDArray[np.float64]


class _Search:
    """Inner folds, and the held-out scores of candidates on them."""

    def __init__(
        self,
        features: NDArray[np.floating],
        y: NDArray[np.int64],
        folds: list[InnerFold],
        n_classes: int,
        *,
        kernels: bool = True,
    ) -> None:
        self.kernels = kernels
        self.features, self.y, self.folds, self.n_classes = features, y, folds, n_classes
        self.held_out = np.sort(np.concatenate([test for _, test in folds]))

    def run(self, request: str) -> list[_Judged]:
        """Every candidate tried."""
        logistic: list[_Judged] = []
        for shrinkage in _SHRINKAGES:
            grid = [HeadSettings("logistic", C, shrinkage, balanced=True) for C in _LOGISTIC_C]
            logistic += self.judge(grid, shrinkage, self.logistic)
        best = _settings(_best(logistic))
        if len(set(np.bincount(self.y, minlength=self.n_classes))) > 1:
            logistic += self.judge([replace(best, balanced=False)], best.shrinkage, self.logistic)
            best = _settings(_best(logistic))
        machines: list[_Judged] = []
        if request != "logistic" and self.kernels:
            grid = [HeadSettings("rbf_svm", C, best.shrinkage, gamma, best.balanced) for C, gamma in _RBF]
            machines += self.judge(grid, best.shrinkage, self.rbf)
        if request == "svm":
            grid = [HeadSettings("linear_svm", C, best.shrinkage, balanced=best.balanced) for C in _LINEAR_SVM_C]
            return machines + self.judge(grid, best.shrinkage, self.linear_svm)
        return logistic + self.means(logistic) + machines

    def means(self, logistic: list[_Judged]) -> list[_Judged]:
        """Means of the best logistic heads of two or more scalings."""
        best = [_best([c for c in logistic if _settings(c).shrinkage == s]) for s in _SHRINKAGES]
        judged = []
        for size in range(2, len(best) + 1):
            for chosen in itertools.combinations(best, size):
                scores = np.mean([c.members[0].temperature * c.scores for c in chosen], axis=0)
                temperature, loss = self.temperature_and_loss(scores)
                judged.append(_Judged(tuple(c.members[0] for c in chosen), temperature, loss, scores))
        return judged

    def judge(
        self, grid: list[HeadSettings], shrinkage: float, fit: Callable[[list[HeadSettings], _Scaled], Iterator[Any]]
    ) -> list[_Judged]:
        """Held-out loss of each candidate of a grid on one scaling."""
        held_out = [np.zeros((len(self.y), self.n_classes)) for _ in grid]
        for fold in self.scaled(shrinkage):
            for scores, result in zip(held_out, fit(grid, fold), strict=True):
                scores[fold.rows] = result
        judged = []
        for settings, scores in zip(grid, held_out, strict=True):
            temperature, loss = self.temperature_and_loss(scores)
            judged.append(_Judged((Member(settings, temperature),), 1.0, loss, scores))
        return judged

    def temperature_and_loss(self, scores: NDArray[np.float64]) -> tuple[float, float]:
        """The temperature fitted on held-out scores, and the balanced log loss there."""
        rows, y = scores[self.held_out], self.y[self.held_out]
        temperature = fit_temperature(rows, y)
        return temperature, balanced_log_loss(rows, y, temperature)

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
