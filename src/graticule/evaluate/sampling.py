"""What was sampled: checked labels and scores, groups of related samples, and the bootstrap that fits them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.errors import RunError
from graticule.evaluate.bootstrap import draw_weights
from graticule.evaluate.metrics import FloatArray, IntArray
from graticule.predictions import Predictions

PROBABILITY_SLACK = 1e-6


@dataclass(frozen=True)
class Groups:
    """Groups of related samples (patients, slides, lots).

    Attributes
    ----------
    codes : int array, shape (n,)
        Position of each sample's group in `names`.
    names : object array of str, shape (G,)
        Sorted.
    """

    codes: IntArray
    names: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.names)

    def count(self, cells: IntArray, n_cells: int) -> FloatArray:
        """Samples per group and cell, shape (G, n_cells); `cells` of shape (n,) in 0 to n_cells - 1."""
        flat = np.bincount(self.codes * n_cells + cells, minlength=len(self) * n_cells)
        return flat.reshape(len(self), n_cells).astype(np.float64)


def checked_arrays(predictions: Predictions) -> tuple[IntArray, FloatArray]:
    """Class indices (n,) and probabilities (n, K).

    Raises
    ------
    RunError
        Without rows, with labels outside the classes, or with probabilities that are not in [0, 1].
    """
    if len(predictions) == 0:
        raise RunError("cannot compute metrics: the predictions have no rows")
    unknown = sorted({str(name) for name in predictions.label} - set(predictions.classes))
    if unknown:
        raise RunError(
            f"cannot compute metrics: the labels {', '.join(unknown[:5])} are not among the model's classes "
            f"({', '.join(predictions.classes)}); rename these labels or leave the samples out"
        )
    proba = np.asarray(predictions.proba, dtype=np.float64)
    bad = np.flatnonzero(~((proba >= 0.0) & (proba <= 1.0 + PROBABILITY_SLACK)).all(axis=1))
    if len(bad):
        raise RunError(
            f"cannot compute metrics: {len(bad)} of {len(proba)} rows have probabilities outside [0, 1], "
            f"the first is {predictions.path[bad[0]]}"
        )
    return predictions.y, np.minimum(proba, 1.0)


def checked_groups(group: NDArray[np.object_] | None, n: int) -> Groups | None:
    """Groups from one name per sample, None where there are none.

    Raises
    ------
    RunError
        When there are not `n` names, or one is missing.
    """
    if group is None:
        return None
    empty = sum(name is None or str(name) in ("", "nan") for name in group)
    if len(group) != n or empty:
        raise RunError(
            f"cannot evaluate {n} samples by group: {len(group)} group names were given, {empty} of them empty; "
            "give every sample a group or switch groups off with --group none"
        )
    names, codes = np.unique(np.array([str(name) for name in group], dtype=object), return_inverse=True)
    return Groups(codes.astype(np.int64), names)


def bootstrap_weights(y: IntArray, groups: Groups | None, n_boot: int, seed: int) -> Iterator[FloatArray]:
    """Chunks of weights (b, n): samples drawn within each class, or whole groups where there are groups.

    The same labels, groups and seed give the same weights: two models drawn with them are paired.
    """
    generator = np.random.default_rng(seed)
    if groups is None:
        return draw_weights(np.arange(len(y)), y, n_boot, generator)
    return draw_weights(groups.codes, np.zeros(len(groups), dtype=np.int64), n_boot, generator)
