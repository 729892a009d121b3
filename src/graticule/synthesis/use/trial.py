"""The use test: the best way with generated images against the best without, on images that no generator saw.

Each fold is judged by classifiers that trained on the other folds, and on images of the generator that never saw it.
Which way is the best is picked for each fold by what the ways gave on the other folds. The difference of the two best
is accepted where the lower end of its paired 95 % interval lies above zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graticule.arrays import BoolArray, FloatArray, IntArray, numbered
from graticule.evaluate.ranking import average_precision
from graticule.synthesis.use.arms import Arm, UseData, arms, rows_of_arm
from graticule.synthesis.use.fits import TrialClassifier

DRAWS = 1000
_LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """A figure with generated images, without, and what lies between, with its interval.

    Attributes
    ----------
    with_generated, without, value, low, high : float
    """

    with_generated: float
    without: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class UseTrial:
    """What the use test found.

    Attributes
    ----------
    arms : list of (Arm, float)
        Each way, with its mean average precision of the rare classes.
    best_with, best_without : list of Arm
        What was picked for each fold.
    average_precision, precision : Difference
        Means over the rare classes, and over all classes.
    """

    arms: list[tuple[Arm, float]]
    best_with: list[Arm]
    best_without: list[Arm]
    average_precision: Difference
    precision: Difference

    @property
    def accepted(self) -> bool:
        """Whether a gain of average precision was shown."""
        return self.average_precision.low > 0

    @property
    def words(self) -> str:
        """The outcome in a sentence."""
        gain = self.average_precision
        told = (
            f"Best way with generated images against best without: {100 * gain.value:+.1f} points of average precision "
            f"of the rare classes ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
        )
        shown = "a gain was shown" if self.accepted else "no gain was shown"
        return f"{told}: {shown}. Without: {_most(self.best_without).name}; with: {_most(self.best_with).name}."

    def describe(self) -> dict[str, Any]:
        """For gate.json."""
        return {
            "accepted": self.accepted,
            "words": self.words,
            "average_precision": vars(self.average_precision),
            "precision": vars(self.precision),
            "best_with": [arm.name for arm in self.best_with],
            "best_without": [arm.name for arm in self.best_without],
            "arms": {arm.name: value for arm, value in self.arms},
        }


def try_use(data: UseData, classifier: TrialClassifier, *, turned: bool, seed: int = 0) -> UseTrial:
    """Try all ways and compare the best with generated images with the best without.

    Parameters
    ----------
    data : UseData
        Two folds or more.
    classifier : TrialClassifier
    turned : bool
        Whether turned and mirrored images may train; `data.views` then has them.
    seed : int
    """
    every = arms(turned=turned)
    n_classes = int(data.y.max()) + 1
    scores = {arm: np.zeros((len(data.y), n_classes)) for arm in every}
    for fold in range(int(data.fold.max()) + 1):
        own = data.fold == fold
        along = _along_axes(data, classifier, fold)
        for arm in every:
            rows = rows_of_arm(along, arm, fold, seed)
            scores[arm][own] = classifier.scores(rows, along.views[0, own], n_classes)
    picked = {kind: _picked(data, scores, [arm for arm in every if arm.generated == kind]) for kind in (True, False)}
    chosen = {kind: _joined(data, scores, picked[kind]) for kind in (True, False)}
    weights = _draws(data, seed)
    return UseTrial(
        [(arm, float(rare_average_precision(scores[arm], data)[0])) for arm in every],
        picked[True],
        picked[False],
        _difference(*(rare_average_precision(chosen[kind], data, weights) for kind in (True, False))),
        _difference(*(weighted_precision(chosen[kind], data.y, weights) for kind in (True, False))),
    )


def _along_axes(data: UseData, classifier: TrialClassifier, fold: int) -> UseData:
    """Real and generated images along the axes of the real images that a fold trains on."""
    train = data.fold != fold
    along = classifier.axes(data.views[0, train], data.y[train])
    made = [(np.zeros((0, 0), np.float32), np.zeros(0, np.int64))] * len(data.made)
    made[fold] = (along(data.made[fold][0]), data.made[fold][1])
    return replace(data, views=np.stack([along(view) for view in data.views]), made=made)


def _picked(data: UseData, scores: dict[Arm, FloatArray], allowed: Sequence[Arm]) -> list[Arm]:
    """For each fold the way that was best on the others."""
    out = []
    for fold in range(int(data.fold.max()) + 1):
        weights = (data.fold != fold).astype(float)[None]
        out.append(max(allowed, key=lambda arm: float(rare_average_precision(scores[arm], data, weights)[0])))
    return out


def _joined(data: UseData, scores: dict[Arm, FloatArray], picked: Sequence[Arm]) -> FloatArray:
    return np.stack([scores[picked[fold]][row] for row, fold in enumerate(data.fold)])


def rare_average_precision(scores: FloatArray, data: UseData, weights: FloatArray | None = None) -> FloatArray:
    """Mean over the rare classes of average precision against the rest; shape (B,) for weights (B, n)."""
    each = [average_precision(scores[:, k], data.y == k, weights) for k in data.rare]
    return np.asarray(np.nanmean(each, axis=0), float)


def weighted_precision(scores: FloatArray, y: IntArray, weights: FloatArray) -> FloatArray:
    """Mean over classes of the share that is right of what a class is named; never named counts 0; shape (B,)."""
    named = scores.argmax(1)
    each = []
    for k in range(scores.shape[1]):
        own: BoolArray = named == k
        total = weights[:, own].sum(1)
        right = weights[:, own & (y == k)].sum(1)
        each.append(np.divide(right, total, out=np.zeros(len(weights)), where=total > 0))
    return np.asarray(np.mean(each, axis=0), float)


def _draws(data: UseData, seed: int) -> FloatArray:
    """Weights of the images: as they are first, then units drawn anew, within the class of their first image."""
    rng = np.random.default_rng(seed)
    unit = numbered(data.unit)
    n_units = int(unit.max()) + 1
    kind = np.zeros(n_units, np.int64)
    kind[unit[::-1]] = data.y[::-1]
    out = np.ones((DRAWS + 1, len(unit)))
    for draw in range(1, DRAWS + 1):
        times = np.zeros(n_units)
        for k in np.unique(kind):
            own = np.flatnonzero(kind == k)
            times += np.bincount(rng.choice(own, len(own)), minlength=n_units)
        out[draw] = times[unit]
    return out


def _difference(made: FloatArray, without: FloatArray) -> Difference:
    low, high = np.quantile((made - without)[1:], [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Difference(float(made[0]), float(without[0]), float(made[0] - without[0]), float(low), float(high))


def _most(picked: Sequence[Arm]) -> Arm:
    return max(picked, key=list(picked).count)
