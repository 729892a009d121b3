"""The evidence that decisions rest on: scores of images whose class is known and that the scoring model never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.errors import BundleError
from graticule.evaluate.metrics import FloatArray, IntArray

SHIPPED = -1
MIN_GROUPS = 20
_PREFIX = "evidence."


@dataclass(frozen=True)
class Evidence:
    """n images of known class, scored by models that never saw them.

    Attributes
    ----------
    proba : float array, shape (n, K)
        Scores as the model gave them.
    calibrated : float array, shape (n, K)
        The same after calibration by a map that never saw the image.
    y : int array, shape (n,)
    fold : int array, shape (n,)
        The member of the shipped model that gave the score, or -1 (`SHIPPED`): the shipped model as a whole.
    unit : int array, shape (n,)
        Sampling unit: the group where images come in groups, else the set of copies.
    grouped : bool
        Whether units are groups.
    members : bool
        Whether the shipped model is the mean of the very members that `fold` counts.
    """

    proba: FloatArray
    calibrated: FloatArray
    y: IntArray
    fold: IntArray
    unit: IntArray
    grouped: bool
    members: bool

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_units(self) -> int:
        """Sampling units."""
        return len(np.unique(self.unit))

    @property
    def by_shipped(self) -> bool:
        """Whether the shipped model gave the scores: only then can a rule found on them be guaranteed for it."""
        return bool((self.fold == SHIPPED).all())

    @property
    def too_few_groups(self) -> bool:
        """Whether images come in fewer groups than a statement on new groups takes."""
        return self.grouped and self.n_units < MIN_GROUPS

    def describe(self) -> dict[str, Any]:
        """The object "evidence" of decisions.json."""
        source = "calibration part" if self.by_shipped else "out-of-fold scores"
        return {"source": source, "n": len(self), "n_units": self.n_units, "grouped": self.grouped}

    def pack(self) -> dict[str, NDArray[Any]]:
        """Tensors for the bundle's reference file; scores to the last bit, so that training and prediction agree."""
        return {
            f"{_PREFIX}proba": self.proba.astype(np.float64),
            f"{_PREFIX}calibrated": self.calibrated.astype(np.float64),
            f"{_PREFIX}y": self.y.astype(np.int32),
            f"{_PREFIX}fold": self.fold.astype(np.int32),
            f"{_PREFIX}unit": self.unit.astype(np.int32),
            f"{_PREFIX}kind": np.array([self.grouped, self.members], np.uint8),
        }

    @classmethod
    def unpack(cls, tensors: Mapping[str, NDArray[Any]]) -> Self | None:
        """Inverse of `pack`; None where the bundle holds no evidence.

        Raises
        ------
        BundleError
            When a tensor is missing or the lengths differ.
        """
        if f"{_PREFIX}proba" not in tensors:
            return None
        try:
            proba, calibrated, y, fold, unit, kind = (
                tensors[_PREFIX + name] for name in ("proba", "calibrated", "y", "fold", "unit", "kind")
            )
        except KeyError as error:
            raise BundleError(f"the reference of the bundle lacks the tensor {error}") from error
        if len({len(proba), len(calibrated), len(y), len(fold), len(unit)}) != 1:
            raise BundleError("the evidence in the reference of the bundle has columns of different lengths")
        return cls(
            np.asarray(proba, np.float64),
            np.asarray(calibrated, np.float64),
            np.asarray(y, np.int64),
            np.asarray(fold, np.int64),
            np.asarray(unit, np.int64),
            bool(kind[0]),
            bool(kind[1]),
        )


def share_of_unit(unit: IntArray) -> FloatArray:
    """Weight 1 / (images of the unit) of each image, shape (n,): every unit weighs 1."""
    _, codes, counts = np.unique(unit, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[codes], dtype=np.float64)


@dataclass(frozen=True)
class Ranked:
    """Evidence that one member of a model scored.

    Attributes
    ----------
    scores : float array, shape (m,)
        Rising.
    weight_from : float array, shape (m + 1,)
        Weight of the evidence at or above each position.
    """

    scores: FloatArray
    weight_from: FloatArray

    def at_least(self, scores: FloatArray) -> FloatArray:
        """Weight of the evidence with a score not below each of `scores`."""
        return self.weight_from[np.searchsorted(self.scores, scores, side="left")]


def rank_evidence(scores: FloatArray, weight: FloatArray, fold: IntArray) -> dict[int, Ranked]:
    """Scores and weights of evidence (n,) by the member that scored it."""
    tables = {}
    for member in np.unique(fold):
        rows = np.flatnonzero(fold == member)
        rows = rows[np.argsort(scores[rows], kind="stable")]
        weight_from = np.append(np.cumsum(weight[rows][::-1])[::-1], 0.0)
        tables[int(member)] = Ranked(scores[rows], weight_from)
    return tables
