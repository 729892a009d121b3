"""What a network is fine-tuned for, apart from how: the seam between classes and numbers.

Goal ── objective ──> training loop        Goal ── settle, answers ──> out-of-fold answers
     ── first_layer ─> before it                ── last_layer ───────> export, parity, heads of the bundle
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.finetune.batches import BatchSource
from graticule.finetune.last_layer import LastLayer
from graticule.finetune.recipe import Recipe
from graticule.training.objective import Objective


@dataclass(frozen=True)
class FoldRows:
    """Rows that train, rows that choose the epoch and the temperature, and rows that are scored in the end."""

    train: IntArray
    validation: IntArray
    held: IntArray


class TunedFor(Objective, Protocol):
    """An objective that is trained on images."""

    @property
    def source(self) -> BatchSource:
        """Of the images."""

    @property
    def recipe(self) -> Recipe:
        """How they are trained on."""


class Goal(Protocol):
    """What all folds are trained for; it goes to other processes."""

    @property
    def n_samples(self) -> int:
        """Of the data."""

    def key(self) -> bytes:
        """What it says of every sample: networks of another goal must not be taken up."""

    @property
    def outputs(self) -> int:
        """Numbers of the last layer."""

    @property
    def last_layer(self) -> LastLayer:
        """What they mean."""

    def class_sizes(self, rows: IntArray) -> tuple[int, int]:
        """Images of the largest and the smallest class among some rows; equal where there are none."""

    def strata(self, rows: IntArray, unit: IntArray) -> IntArray:
        """What the rows that choose the epoch are drawn evenly from, a number per row; units stay whole."""

    def objective(
        self, rows: FoldRows, source: BatchSource, recipe: Recipe, names: NDArray[np.object_], seed: int
    ) -> TunedFor:
        """The objective of one fold."""

    def first_layer(self, features: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Weights (K, C) and bias (K,) of a last layer on the pretrained network's features (n, C) of some rows."""

    def finish(self, network: Any, rows: IntArray) -> None:
        """Change the last layer of a network trained on some rows so that it answers on the scale of the answers."""

    def settle(self, logits: NDArray[np.floating], rows: IntArray) -> float:
        """The temperature, from logits of rows that chose the epoch; 1 where there is no such thing."""

    def answers(self, logits: NDArray[np.floating], temperature: float) -> FloatArray:
        """The answers (n, K) of one network."""
