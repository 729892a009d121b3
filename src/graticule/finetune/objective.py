"""What a classifier is trained for: smoothed, weighted cross-entropy; an epoch is judged by balanced log loss."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from graticule.arrays import IntArray
from graticule.finetune.batches import BatchSource
from graticule.finetune.logits import score_rows
from graticule.finetune.recipe import Recipe
from graticule.heads.scoring import label_losses
from graticule.training.objective import Validation
from graticule.training.processes import Processes


@dataclass(frozen=True)
class ClassObjective:
    """The objective of a classifier, see `graticule.training.objective.Objective`.

    Attributes
    ----------
    y : int array, shape (n,)
        Classes of all samples, 0 to n_classes - 1.
    train, validation : int arrays
        Rows that train, and rows that choose the epoch (may be empty).
    n_classes, seed : int
    names : object array of str, shape (n,)
        Names of all samples, for messages.
    source : BatchSource
        Of the images.
    recipe : Recipe
    """

    y: IntArray
    train: IntArray
    validation: IntArray
    n_classes: int
    seed: int
    names: NDArray[np.object_]
    source: BatchSource
    recipe: Recipe

    @cached_property
    def _class_weights(self) -> NDArray[np.float32]:
        return class_weights(self.y[self.train], self.n_classes, self.recipe.balance)

    def weights(self, rows: IntArray) -> NDArray[np.float32]:
        """Weight of the class of each row."""
        return self._class_weights[self.y[rows]]

    def shown(self, rows: IntArray, epoch: int) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """The images as an epoch shows them, and their classes."""
        x = self.source.training(rows, epoch)
        return (x,), torch.from_numpy(self.y[rows]).to(x.device)

    def losses(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Cross-entropy with smoothed labels, nats."""
        smoothing = self.recipe.label_smoothing
        found: torch.Tensor = functional.cross_entropy(output, target, reduction="none", label_smoothing=smoothing)
        return found

    def judge(self, network: Any, processes: Processes) -> Validation:
        """Balanced log loss and accuracy on the rows that choose the epoch."""
        if not len(self.validation):
            return Validation(None, 0.0, {"accuracy": None})
        scores = score_rows(network, self.source, self.validation, processes, at_once=self.recipe.at_once)
        y = self.y[self.validation]
        loss, error = balanced_loss(scores, y)
        return Validation(loss, error, {"accuracy": float((scores.argmax(axis=1) == y).mean())})


def class_weights(y: IntArray, n_classes: int, balance: str) -> NDArray[np.float32]:
    """Weight of each class in the loss, mean 1 over the samples: inverse square root of its size, or 1."""
    counts = np.bincount(y, minlength=n_classes).astype(np.float64)
    weights = np.ones(n_classes)
    if balance == "loss":
        weights = 1.0 / np.sqrt(np.maximum(counts, 1.0))
    weights /= (weights * counts).sum() / counts.sum()
    return weights.astype(np.float32)


def balanced_loss(scores: NDArray[np.float32], y: IntArray) -> tuple[float, float]:
    """Log loss (nats) of softmax(scores), each class weighing the same, and its standard error.

    Parameters
    ----------
    scores : float array, shape (n, K)
    y : int array, shape (n,)
    """
    losses = label_losses(scores, y)
    parts = [losses[y == k] for k in np.unique(y)]
    variance = sum(float(part.var(ddof=1)) / len(part) if len(part) > 1 else float(losses.var()) for part in parts)
    return float(np.mean([part.mean() for part in parts])), float(np.sqrt(variance)) / len(parts)
