"""What the numbers of a network's last layer mean, for training, export and prediction alike.

Logits of classes, of which the softmax is the answer, or one number on the scale that is learnt. Several networks
answer with their mean. In a bundle each network's last layer is a head on the vectors of all, applied with NumPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from graticule.finetune.network import Classifier
from graticule.heads.scoring import Head, LogitHead, probabilities
from graticule.regress.scoring import LinearValue, ValueMember, member_values

MARGIN = 2e-3


class LastLayer(Protocol):
    """What the last layer's numbers mean."""

    @property
    def output(self) -> str:
        """Name of the answer among the outputs of an ONNX file."""

    @property
    def unit(self) -> float:
        """What differences of answers are measured in."""

    @property
    def what(self) -> str:
        """One of the answers, for messages."""

    def answered(self, logits: torch.Tensor) -> torch.Tensor:
        """The answers (N, K) of one network's last layer (N, K)."""

    def heads(self, members: Sequence[Classifier], temperatures: Sequence[float]) -> list[Any]:
        """The members' last layers as heads on their vectors side by side."""

    def said(self, heads: Sequence[Any], features: NDArray[np.floating]) -> NDArray[np.float64]:
        """What heads answer to such vectors (n, M C) on average, shape (n, K)."""

    def disagreements(self, expected: NDArray[np.float64], found: NDArray[np.float64]) -> int:
        """Images (n, K) with another answer in words, although the expected one was clear."""


@dataclass(frozen=True)
class ScoresLayer:
    """Logits of classes: see `LastLayer`."""

    output: str = "scores"
    unit: float = 1.0
    what: str = "a probability"

    def answered(self, logits: torch.Tensor) -> torch.Tensor:
        """Softmax."""
        return logits.softmax(dim=1)

    def heads(self, members: Sequence[Classifier], temperatures: Sequence[float]) -> list[Head]:
        """One head per member, with its temperature; `said` of them is the mean of softmax(temperature * logits)."""
        heads = [LogitHead(weights, bias, 1.0) for weights, bias in side_by_side(members)]
        return [replace(head, temperature=t) for head, t in zip(heads, temperatures, strict=True)]

    def said(self, heads: Sequence[Head], features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probabilities."""
        return probabilities(heads, features)

    def disagreements(self, expected: NDArray[np.float64], found: NDArray[np.float64]) -> int:
        """Images of another class in `found`, among those whose two best expected ones differ by over 0.002."""
        best = np.sort(expected, axis=1)
        clear = best[:, -1] - best[:, -2] > MARGIN if expected.shape[1] > 1 else np.ones(len(expected), bool)
        return int((clear & (expected.argmax(axis=1) != found.argmax(axis=1))).sum())


@dataclass(frozen=True)
class NumberLayer:
    """One number on the scale that is learnt: see `LastLayer`.

    Attributes
    ----------
    unit : float
        Standard deviation of the training numbers.
    """

    unit: float
    output: str = "values"
    what: str = "a number, in standard deviations of the training numbers,"

    def answered(self, logits: torch.Tensor) -> torch.Tensor:
        """The number itself."""
        return logits

    def heads(self, members: Sequence[Classifier], temperatures: Sequence[float]) -> list[ValueMember]:
        """One linear regression per member; numbers have no temperature."""
        return [
            (LinearValue(weights[0].astype(np.float64), float(bias[0]), 0),) for weights, bias in side_by_side(members)
        ]

    def said(self, heads: Sequence[ValueMember], features: NDArray[np.floating]) -> NDArray[np.float64]:
        """The mean number."""
        return np.asarray(member_values(heads, features).mean(axis=0)[:, None], dtype=np.float64)

    def disagreements(self, expected: NDArray[np.float64], found: NDArray[np.float64]) -> int:
        """None: a number is right or wrong by its difference alone."""
        return 0


def side_by_side(members: Sequence[Classifier]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Weights (K, M C) and bias (K,) of each member's last layer on the vectors of all; zero on those of the others."""
    found, start = [], 0
    width = sum(member.n_features for member in members)
    for member in members:
        weights = np.zeros((member.n_classes, width), np.float32)
        weights[:, start : start + member.n_features] = member.classifier.weight.detach().float().cpu().numpy()
        found.append((weights, member.classifier.bias.detach().float().cpu().numpy().copy()))
        start += member.n_features
    return found
