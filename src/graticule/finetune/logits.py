"""Logits and features of many rows by a network in eval mode."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from graticule.arrays import IntArray
from graticule.finetune.batches import BatchSource, PixelSource
from graticule.finetune.recipe import AT_ONCE
from graticule.training.memory import memory_told
from graticule.training.processes import Processes


class Entered(torch.nn.Module):  # type: ignore[misc]
    """The network from one of its blocks on; one module, so that it can be spread over processes."""

    def __init__(self, network: Any, start: int, *, features: bool = False) -> None:
        super().__init__()
        self.network, self.start, self.features = network, start, features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor
        if self.start == 0:
            out = self.network.features(x) if self.features else self.network(x)
            return out
        vector = self.network.pooled(self.network.stage(x, self.start, len(self.network.blocks())))
        out = vector if self.features else self.network.classify(vector)
        return out


def score_rows(
    network: Any,
    source: BatchSource,
    rows: IntArray,
    processes: Processes,
    *,
    features: bool = False,
    at_once: int = AT_ONCE,
) -> NDArray[np.float32]:
    """Logits of some rows, shape (len(rows), K), or their feature vectors; the processes share the work.

    Raises
    ------
    TrainingError
        When memory does not suffice for `at_once` images.
    """
    entered = Entered(network, source.start, features=features)
    places = np.arange(processes.rank, len(rows), processes.count)
    found = [np.zeros((0, network.n_features if features else network.n_classes), np.float32)]
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(places), at_once):
            with memory_told(at_once):
                x = source.clean(rows[places[start : start + at_once]])
                found.append(entered(x).float().cpu().numpy())
    network.train(was_training)
    return processes.all_rows(places, np.concatenate(found), len(rows))


def score_views(
    network: Any,
    source: PixelSource,
    rows: IntArray,
    processes: Processes,
    *,
    views: int,
    at_once: int = AT_ONCE,
) -> NDArray[np.float32]:
    """Logits (len(rows), K) averaged over symmetries of the square, as `models.network.Network.averaged` does it."""
    total = np.zeros((len(rows), network.n_classes), np.float64)
    for view in range(views):
        total += score_rows(network, _Turned(source, view), rows, processes, at_once=at_once)
    return (total / views).astype(np.float32)


class _Turned:
    """A source whose clean images are turned, and mirrored first for views 4 to 7."""

    start = 0

    def __init__(self, source: PixelSource, view: int) -> None:
        self._source, self._view = source, view

    def training(self, rows: IntArray, epoch: int) -> torch.Tensor:
        return self._source.training(rows, epoch)

    def clean(self, rows: IntArray) -> torch.Tensor:
        x = torch.rot90(self._source.clean(rows), self._view % 4, (2, 3))
        return torch.flip(x, [3]) if self._view >= 4 else x
