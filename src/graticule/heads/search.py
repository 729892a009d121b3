"""Choose a head by an inner cross-validation on training data only.

Every candidate is judged on the same inner folds by its held-out log loss after a temperature has been fitted, each
class weighing the same: a criterion that rewards ranking and honest confidence and does not let a frequent class win.
The stages are greedy to stay cheap: first which parts of the features, with one logistic head; then scaling and
regularisation of the logistic head on the best parts (warm starts along C), class weighting where classes differ in
size, and means of the best logistic heads of different scalings and parts (they need no fit: their held-out scores are
known). A mean of logistic heads is itself one linear head. Support vector machines are tried where they are asked for
or the features are one whole, on the best scaling (the distance matrix is computed once per inner fold). More than
`thinning.SEARCH_LIMIT` samples are thinned, whole groups at a time.

Standardising and main axes are those of all training rows, without labels; what learns from labels is fitted on the
training side of each inner fold.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from graticule.arrays import Float32Array
from graticule.heads.heads import (
    KERNEL_LIMIT,
    HeadSettings,
    balanced_log_loss,
    balanced_share_right,
    fit_head,
    fit_temperature,
    kernel_width,
    linear_scores,
    make_classifier,
    mean_of_linear,
    pairwise_margins,
)
from graticule.heads.scaling import FeatureLayout, Scalings, ShrunkWhitening
from graticule.heads.scoring import Head, squared_distances
from graticule.heads.thinning import thinned
from graticule.split.folds import inner_folds
from graticule.statistics.intervals import t_critical

INNER_FOLDS = 3
MIN_GROUPS = 3
_SHRINKAGES = (1.0, 0.5, 0.2)
_LOGISTIC_C = (0.003, 0.01, 0.03)
_LINEAR_SVM_C = (1e-5, 1e-4)
# best heads of other parts that enter means
_BESIDE = 2
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
    told : tuple of (parts, balanced accuracy)
        What each set of parts told on the inner folds with one kind of head; empty where there was but one set.
    """

    members: tuple[Member, ...]
    temperature: float
    inner_score: float | None
    candidates: int
    inner_folds: int
    told: tuple[tuple[tuple[str, ...], float], ...] = ()

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
    """One inner fold, scaled and whitened."""

    train: Float32Array
    test: Float32Array
    y_train: NDArray[np.int64]
    rows: NDArray[np.int64]


def choose_head(
    scalings: Scalings,
    y: NDArray[np.int64],
    group: NDArray[np.object_] | None,
    *,
    n_classes: int,
    request: str = "auto",
    seed: int = 0,
    trains_only: NDArray[np.bool_] | None = None,
    made: NDArray[np.bool_] | None = None,
) -> HeadChoice:
    """Choose head settings and temperature from training data.

    Parameters
    ----------
    scalings : Scalings
        The m training rows among all features; nothing else is looked at.
    y : int array, shape (m,)
        Their class indices.
    group : object array, shape (m,), or None
        Their groups. A group is never on both sides of an inner fold; with fewer than 3 groups, or where no inner fold
        keeps every class, a fixed default head is used.
    n_classes : int
    request : "auto", "logistic" or "svm"
    seed : int
    trains_only : bool array, shape (m,), optional
        Samples (synthetic ones) that no candidate is judged on.
    made : bool array, shape (m,), optional
        Samples that were made from others; the choice is made without them, since it judges on their parents.
    """
    # the chosen head is fitted on all rows, not on the thinned ones
    kernels = len(y) <= KERNEL_LIMIT
    keep = thinned(y, group, least_groups=MIN_GROUPS, least_per_class=2 * INNER_FOLDS, seed=seed)
    keep = keep if made is None else keep[~made[keep]]
    y = y[keep]
    group = None if group is None else group[keep]
    folds: list[InnerFold] = []
    if group is None or len(set(group)) >= MIN_GROUPS:
        folds = inner_folds(y, group, INNER_FOLDS, seed)
    if trains_only is not None:
        only = trains_only[keep]
        folds = [(train, test[~only[test]]) for train, test in folds]
        folds = folds if all(len(test) for _, test in folds) else []
    if not folds:
        return default_choice(request, scalings.layout, kernels=kernels)
    search = _Search(scalings, keep, y, folds, n_classes, kernels=kernels)
    judged = search.run(request)
    best = _best(judged)
    return HeadChoice(best.members, best.temperature, best.loss, len(judged), len(folds), search.told)


def default_choice(request: str, layout: FeatureLayout, *, kernels: bool = True) -> HeadChoice:
    """A fixed head for what is too little to choose one."""
    members = DEFAULTS[request] if request != "svm" or kernels else (_LINEAR_MACHINE,)
    parts = layout.choices[0]
    placed = tuple(replace(member, settings=replace(member.settings, parts=parts)) for member in members)
    return HeadChoice(placed, 1.0, None, 0, 0)


def fit_choice(scalings: Scalings, y: NDArray[np.int64], n_classes: int, choice: HeadChoice) -> Head:
    """Fit the chosen head on the rows of some scalings and their class indices; see `heads.fit_head`."""
    heads = [fit_head(scalings, y, n_classes, member.settings, member.temperature) for member in choice.members]
    return heads[0] if len(heads) == 1 else mean_of_linear(heads, choice.temperature)


def _best(judged: list[_Judged]) -> _Judged:
    return min(judged, key=lambda candidate: candidate.loss)


def _settings(judged: _Judged) -> HeadSettings:
    return judged.members[0].settings


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
        scalings: Scalings,
        keep: NDArray[np.int64],
        y: NDArray[np.int64],
        folds: list[InnerFold],
        n_classes: int,
        *,
        kernels: bool = True,
    ) -> None:
        self.kernels = kernels
        self.scalings, self.keep, self.y, self.folds, self.n_classes = scalings, keep, y, folds, n_classes
        self.held_out = np.sort(np.concatenate([test for _, test in folds]))
        self.told: tuple[tuple[tuple[str, ...], float], ...] = ()
        # of the parts tried last: what is tried on the same ones follows on each other
        self._applied: dict[tuple[str, ...], Float32Array] = {}

    def run(self, request: str) -> list[_Judged]:
        """Every candidate tried."""
        choices = self.scalings.layout.choices
        middle = HeadSettings("logistic", _LOGISTIC_C[1], _SHRINKAGES[1], balanced=True)
        # with one choice alone there is nothing to compare: the grid below tries it
        tried = [replace(middle, parts=parts) for parts in choices] if len(choices) > 1 else []
        firsts = [self.judge([first], first.shrinkage, self.logistic)[0] for first in tried]
        rows, y = self.held_out, self.y[self.held_out]
        self.told = tuple((_settings(c).parts, balanced_share_right(c.scores[rows], y)) for c in firsts)
        parts = self.settled(firsts) if firsts else choices[0]
        logistic: list[_Judged] = []
        for shrinkage in _SHRINKAGES:
            grid = [HeadSettings("logistic", C, shrinkage, balanced=True, parts=parts) for C in _LOGISTIC_C]
            logistic += self.judge(grid, shrinkage, self.logistic)
        best = _settings(_best(logistic))
        if len(set(np.bincount(self.y, minlength=self.n_classes))) > 1:
            logistic += self.judge([replace(best, balanced=False)], best.shrinkage, self.logistic)
            best = _settings(_best(logistic))
        machines: list[_Judged] = []
        # among thousands of numbers planes do as well, and take less time and room
        if self.kernels and (request == "svm" or (request == "auto" and not firsts)):
            grid = [HeadSettings("rbf_svm", C, best.shrinkage, gamma, best.balanced, parts) for C, gamma in _RBF]
            machines += self.judge(grid, best.shrinkage, self.rbf)
        if request == "svm":
            grid = [replace(best, kind="linear_svm", C=C) for C in _LINEAR_SVM_C]
            return machines + self.judge(grid, best.shrinkage, self.linear_svm)
        others = [first for first in firsts if _settings(first).parts != parts]
        return logistic + others + self.means(logistic, others) + machines

    def settled(self, firsts: list[_Judged]) -> tuple[str, ...]:
        """The parts to go on with: all of them, unless fewer are better beyond the spread between the inner folds.

        A few groups more or less on one side say too little to give up what may tell the classes of the next ones: the
        gain must pass a one-sided t-test at 0.05.
        """
        full, *fewer = (self.losses(candidate) for candidate in firsts)
        needed = float(t_critical(0.9, np.array(len(full) - 1.0))) / np.sqrt(len(full))
        gains = [full - losses for losses in fewer]
        better = [first for first, g in zip(firsts[1:], gains, strict=True) if g.mean() > needed * g.std(ddof=1)]
        return _settings(_best(better)).parts if better else _settings(firsts[0]).parts

    def losses(self, candidate: _Judged) -> NDArray[np.float64]:
        """Balanced log loss on each inner fold, at the temperature of all of them."""
        temperature = candidate.members[0].temperature
        return np.array(
            [balanced_log_loss(candidate.scores[test], self.y[test], temperature) for _, test in self.folds]
        )

    def means(self, logistic: list[_Judged], others: list[_Judged]) -> list[_Judged]:
        """Means of the best logistic heads of two or more scalings, and of each with the best of other parts."""
        best = [_best([c for c in logistic if _settings(c).shrinkage == s]) for s in _SHRINKAGES]
        sets = [chosen for size in range(2, len(best) + 1) for chosen in itertools.combinations(best, size)]
        beside = sorted(others, key=lambda candidate: candidate.loss)[:_BESIDE]
        sets += [(*chosen, other) for chosen in [(one,) for one in best] + sets for other in beside]
        judged = []
        for chosen in sets:
            scores = np.mean([c.members[0].temperature * c.scores for c in chosen], axis=0)
            temperature, loss = self.temperature_and_loss(scores)
            judged.append(_Judged(tuple(c.members[0] for c in chosen), temperature, loss, scores))
        return judged

    def judge(
        self, grid: list[HeadSettings], shrinkage: float, fit: Callable[[list[HeadSettings], _Scaled], Iterator[Any]]
    ) -> list[_Judged]:
        """Held-out loss of each candidate of a grid on one scaling."""
        held_out = [np.zeros((len(self.y), self.n_classes)) for _ in grid]
        for fold in self.scaled(grid[0].parts, shrinkage):
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

    def scaled(self, parts: tuple[str, ...], shrinkage: float) -> Iterable[_Scaled]:
        """Each inner fold with whitening fitted on its training side."""
        if parts not in self._applied:
            scaling = self.scalings.of(parts)
            self._applied = {parts: scaling.apply(self.scalings.features, self.scalings.rows[self.keep])}
        whole = self._applied[parts]
        for train, test in self.folds:
            whitening = ShrunkWhitening(shrinkage)
            fitted, held = whole[train], whole[test]
            whitening.fit(fitted, self.y[train])
            yield _Scaled(whitening.transform(fitted), whitening.transform(held), self.y[train], test)

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
