"""The goal of telling classes apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from graticule.arrays import FloatArray, IntArray
from graticule.finetune.batches import BatchSource
from graticule.finetune.goal import FoldRows
from graticule.finetune.last_layer import ScoresLayer
from graticule.finetune.objective import ClassObjective
from graticule.finetune.recipe import Recipe
from graticule.heads.heads import fit_temperature
from graticule.heads.scoring import softmax

_C = 0.03
_ITERATIONS = 300


@dataclass(frozen=True)
class ClassGoal:
    """See `graticule.finetune.goal.Goal`.

    Attributes
    ----------
    y : int array, shape (n,)
    outputs : int
        Number of classes.
    """

    y: IntArray
    outputs: int

    @property
    def n_samples(self) -> int:
        """Of the data."""
        return len(self.y)

    def key(self) -> bytes:
        """The classes."""
        return self.y.tobytes()

    @property
    def last_layer(self) -> ScoresLayer:
        """Logits."""
        return ScoresLayer()

    def class_sizes(self, rows: IntArray) -> tuple[int, int]:
        """Images of the largest and the smallest class that is there."""
        counts = np.bincount(self.y[rows])
        return int(counts.max()), int(counts[counts > 0].min())

    def strata(self, rows: IntArray, unit: IntArray) -> IntArray:
        """Classes."""
        return self.y[rows]

    def objective(
        self, rows: FoldRows, source: BatchSource, recipe: Recipe, names: NDArray[np.object_], seed: int
    ) -> ClassObjective:
        """Cross-entropy."""
        return ClassObjective(self.y, rows.train, rows.validation, self.outputs, seed, names, source, recipe)

    def first_layer(self, features: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """A logistic regression."""
        # one scale for all features: dividing each by its own would blow up those that hardly ever fire
        centre, width = features.mean(axis=0), float(features.std()) + 1e-6
        with threadpool_limits(1):
            model = LogisticRegression(C=_C, max_iter=_ITERATIONS, class_weight="balanced")
            model.fit((features - centre) / width, self.y[rows])
        weights, bias = model.coef_, model.intercept_
        if self.outputs == 2:  # one row there: half of it for and half against
            weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        weights = weights / width
        return weights, bias - weights @ centre

    def finish(self, network: Any, rows: IntArray) -> None:
        """Logits stay as they are."""

    def settle(self, logits: NDArray[np.floating], rows: IntArray) -> float:
        """The temperature under which the labels are likeliest."""
        return fit_temperature(logits, self.y[rows])

    def answers(self, logits: NDArray[np.floating], temperature: float) -> FloatArray:
        """Probabilities."""
        return softmax(temperature * logits)
