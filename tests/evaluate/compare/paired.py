"""Two models on the same samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.evaluate.catalogue import OVERALL
from graticule.evaluate.compare.runs import compare_many, flat
from graticule.predictions import Predictions
from graticule.statistics.groups import Groups

COMPARED = tuple(metric.key for metric in OVERALL)


def pair(n: int = 300, k: int = 3, better: float = 1.0, seed: int = 0) -> tuple[Predictions, Predictions]:
    """Two models on the same samples; the second has `better` more signal."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(n) % k
    logits = rng.normal(size=(n, k))
    classes = tuple("abcdefg"[:k])
    names = np.array([f"{i:04d}" for i in range(n)], dtype=object)
    made = []
    for signal in (1.5, 1.5 + better):
        scores = logits.copy()
        scores[np.arange(n), y] += signal
        proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        part, label = np.full(n, "cv", dtype=object), np.array(classes, dtype=object)[y]
        made.append(Predictions(names, names, part, rng.permutation(n) % 5, label, classes, proba))
    return made[0], made[1]


def group_codes(n: int, n_groups: int) -> Groups:
    codes = np.arange(n) % n_groups
    return Groups(codes, np.array([f"g{i}" for i in range(n_groups)], dtype=object))


def compare_predictions(
    a: Predictions, b: Predictions, group: NDArray[np.object_] | None = None, *, seed: int = 0
) -> dict[str, Any]:
    """Two sets of predictions on the samples they share, as a comparison of two runs is written."""
    return flat(compare_many((a, b), group, seed=seed))
