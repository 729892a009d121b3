"""What the training loop is handed: a network with its parameters, and what it is trained for.

rows ── Objective.shown ──> inputs ── Trainee.called ──> output ── Objective.losses ──> one number per sample
                      └───> target ──────────────────────────────────────┘
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from graticule.arrays import IntArray
from graticule.training.processes import Processes


@dataclass(frozen=True)
class Trainee:
    """A network as it is trained.

    Attributes
    ----------
    network : torch.nn.Module
        Whose weights are averaged, kept and written.
    called : torch.nn.Module
        What is called with the inputs of a batch: the network, or a module that holds it.
    groups : list of dict
        Parameter groups for AdamW, each with its "share" of the learning rate.
    begin_epoch : callable
        Puts the network into training mode, but for what stays as in prediction.
    """

    network: Any
    called: torch.nn.Module
    groups: list[dict[str, Any]]
    begin_epoch: Callable[[], None]


@dataclass(frozen=True)
class Validation:
    """How good a network is on rows that do not train.

    Attributes
    ----------
    loss : float or None
        What the epoch is chosen by, the lower the better; None where there are no such rows.
    error : float
        Its standard error.
    figures : dict
        Others to log, by name, None where there are no such rows.
    """

    loss: float | None
    error: float
    figures: dict[str, float | None]


class Objective(Protocol):
    """What a network is trained for. All that is random here is drawn from seed, epoch and row."""

    @property
    def train(self) -> IntArray:
        """Rows that train, shape (n,)."""

    @property
    def seed(self) -> int:
        """Of the order of the rows, and of dropout."""

    @property
    def names(self) -> NDArray[np.object_]:
        """Name of every row, for messages."""

    def weights(self, rows: IntArray) -> NDArray[np.float32]:
        """Weight of some rows in the mean loss of a batch."""

    def shown(self, rows: IntArray, epoch: int) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        """On the device: what the network is called with for some rows, and what its output is held against."""

    def losses(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of each sample, shape (n,); `output` is float32."""

    def judge(self, network: Any, processes: Processes) -> Validation:
        """Judge a network in eval mode; the processes share the work."""
