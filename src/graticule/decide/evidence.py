"""The evidence that decisions rest on: scores of images whose class is known and that the scoring model never saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.bundle import checked_tensor
from graticule.errors import BundleError

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
    def unpack(cls, tensors: Mapping[str, NDArray[Any]], n_classes: int | None = None) -> Self | None:
        """Inverse of `pack`; None where the bundle holds no evidence.

        Parameters
        ----------
        tensors : mapping
        n_classes : int, optional
            K, when the scores are to be held against it.

        Raises
        ------
        BundleError
            When a tensor is missing, of another type or shape, or its values contradict each other.
        """
        names = tuple(_PREFIX + name for name in ("proba", "calibrated", "y", "fold", "unit", "kind"))
        if not any(name in tensors for name in names):
            return None
        # of 32 bits in bundles of earlier versions
        kind_of_scores = "float32" if getattr(tensors.get(names[0]), "dtype", None) == np.float32 else "float64"
        proba = checked_tensor(tensors, names[0], kind_of_scores, (None, n_classes), file="reference")
        n, k = proba.shape
        calibrated = checked_tensor(tensors, names[1], kind_of_scores, (n, k), file="reference")
        y, fold, unit = (checked_tensor(tensors, name, "int32", (n,), file="reference") for name in names[2:5])
        kind = checked_tensor(tensors, names[5], "uint8", (2,), file="reference")
        faults = [f"{name} are no probabilities" for name, p in (("scores", proba), ("calibrated scores", calibrated))
                  if not _are_probabilities(p)]  # fmt: skip
        if y.min() < 0 or y.max() >= k:
            faults.append(f"a class number is outside 0 to {k - 1}")
        if fold.min() < SHIPPED or (fold.min() == SHIPPED) != (fold.max() == SHIPPED) or unit.min() < 0:
            faults.append("fold or unit numbers are out of range")
        if kind.max() > 1:
            faults.append("its kind is unknown")
        if faults:
            raise BundleError(f"the evidence in the reference of the bundle is faulty: {'; '.join(faults)}")
        return cls(
            np.asarray(proba, np.float64),
            np.asarray(calibrated, np.float64),
            np.asarray(y, np.int64),
            np.asarray(fold, np.int64),
            np.asarray(unit, np.int64),
            bool(kind[0]),
            bool(kind[1]),
        )


def _are_probabilities(proba: NDArray[np.floating]) -> bool:
    """Whether each row (n, K) holds numbers from 0 to 1 that sum to 1, as far as 32 bits go."""
    return bool((proba >= 0).all() and (proba <= 1).all() and (np.abs(proba.sum(axis=1) - 1) < 1e-3).all())


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
