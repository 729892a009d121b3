"""The goal of saying a number: a robust loss on the standardised target.

Errors below a standard deviation of the training numbers count by their square, larger ones by their size (Huber,
"Robust estimation of a location parameter", 1964), so that a few wrong targets do not lead.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits
from torch.nn import functional

from graticule.arrays import FloatArray, IntArray
from graticule.finetune.batches import BatchSource
from graticule.finetune.goal import FoldRows
from graticule.finetune.last_layer import NumberLayer
from graticule.finetune.logits import score_rows
from graticule.finetune.recipe import Recipe
from graticule.split.value_folds import value_bins
from graticule.training.objective import Validation
from graticule.training.processes import Processes

# bins that the rows that choose the epoch are drawn evenly from, at most, and the units that each must hold
_STRATA, _UNITS_EACH = 5, 8
_STRENGTHS = tuple(np.logspace(-1, 5, 13))


@dataclass(frozen=True)
class ValueGoal:
    """See `graticule.finetune.goal.Goal`.

    Attributes
    ----------
    learnt : float array, shape (n,)
        Numbers of all samples on the scale that is learnt.
    spread : float
        Standard deviation of those that train in any fold, what an exported network is compared in.
    """

    learnt: FloatArray
    spread: float

    @property
    def n_samples(self) -> int:
        """Of the data."""
        return len(self.learnt)

    def key(self) -> bytes:
        """The numbers."""
        return self.learnt.tobytes()

    @property
    def outputs(self) -> int:
        """One."""
        return 1

    @property
    def last_layer(self) -> NumberLayer:
        """The number."""
        return NumberLayer(self.spread)

    def class_sizes(self, rows: IntArray) -> tuple[int, int]:
        """There are no classes."""
        return len(rows), len(rows)

    def strata(self, rows: IntArray, unit: IntArray) -> IntArray:
        """Bins of the number, units whole."""
        n_units = len(np.unique(unit))
        wanted = max(1, min(_STRATA, n_units // _UNITS_EACH))
        return value_bins(self.learnt[rows], unit, n_units // wanted)

    def objective(
        self, rows: FoldRows, source: BatchSource, recipe: Recipe, names: NDArray[np.object_], seed: int
    ) -> "ValueObjective":
        """Huber's loss."""
        return ValueObjective(self.learnt, rows.train, rows.validation, seed, names, source, recipe)

    def first_layer(self, features: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """A ridge regression of the standardised numbers, its strength by leave-one-out errors."""
        centre, width = features.mean(axis=0), float(features.std()) + 1e-6
        middle, spread = standard_of(self.learnt[rows])
        with threadpool_limits(1):
            model = RidgeCV(alphas=_STRENGTHS).fit((features - centre) / width, (self.learnt[rows] - middle) / spread)
        weights = model.coef_[None] / width
        return weights, np.array([model.intercept_]) - weights @ centre

    def finish(self, network: Any, rows: IntArray) -> None:
        """Undo the standardisation."""
        middle, spread = standard_of(self.learnt[rows])
        with torch.no_grad():
            network.classifier.weight.mul_(spread)
            network.classifier.bias.mul_(spread).add_(middle)

    def settle(self, logits: NDArray[np.floating], rows: IntArray) -> float:
        """Numbers have no temperature."""
        return 1.0

    def answers(self, logits: NDArray[np.floating], temperature: float) -> FloatArray:
        """Numbers on the scale that is learnt."""
        return np.asarray(logits, dtype=np.float64)


def standard_of(learnt: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of numbers; a deviation of 0 counts as 1."""
    spread = float(learnt.std())
    return float(learnt.mean()), spread if spread > 0 else 1.0


@dataclass(frozen=True)
class ValueObjective:
    """The objective of a number, see `graticule.training.objective.Objective`.

    Attributes
    ----------
    learnt : float array, shape (n,)
        On the scale that is learnt.
    train, validation : int arrays
        Rows that train, and rows that choose the epoch (may be empty).
    seed : int
    names : object array of str, shape (n,)
        Names of all samples, for messages.
    source : BatchSource
        Of the images.
    recipe : Recipe
    """

    learnt: FloatArray
    train: IntArray
    validation: IntArray
    seed: int
    names: NDArray[np.object_]
    source: BatchSource
    recipe: Recipe

    def weights(self, rows: IntArray) -> NDArray[np.float32]:
        """Every row counts alike."""
        return np.ones(len(rows), np.float32)

    def shown(self, rows: IntArray, epoch: int) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """The images as an epoch shows them, and their standardised numbers."""
        x = self.source.training(rows, epoch)
        return (x,), torch.from_numpy(self._standard(rows).astype(np.float32)).to(x.device)

    def losses(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Huber's loss; the network's numbers are standardised while it is trained."""
        found: torch.Tensor = functional.huber_loss(output[:, 0], target, reduction="none")
        return found

    def judge(self, network: Any, processes: Processes) -> Validation:
        """Mean loss, and mean absolute error in standard deviations, on the rows that choose the epoch."""
        if not len(self.validation):
            return Validation(None, 0.0, {"mae": None})
        said = score_rows(network, self.source, self.validation, processes, at_once=self.recipe.at_once)[:, 0]
        error = np.abs(said.astype(np.float64) - self._standard(self.validation))
        losses = np.where(error < 1, error**2 / 2, error - 0.5)
        spread = float(losses.std(ddof=1)) if len(losses) > 1 else 0.0
        return Validation(float(losses.mean()), spread / np.sqrt(len(losses)), {"mae": float(error.mean())})

    def _standard(self, rows: IntArray) -> FloatArray:
        middle, spread = standard_of(self.learnt[self.train])
        return np.asarray((self.learnt[rows] - middle) / spread, dtype=np.float64)
