"""How many more images one model lets a user accept than another, on the same images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.decide.estimated_rule import estimated
from graticule.evaluate.bootstrap import draw_weights
from graticule.evaluate.intervals import MIN_GROUPS, standard_error, t_critical
from graticule.evaluate.metrics import FloatArray, IntArray

TARGETS = (0.99, 0.98, 0.95)
N_BOOT = 300


def coverage_differences(
    proba_a: FloatArray, proba_b: FloatArray, y: IntArray, unit: IntArray | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Share of images that can be accepted at each target accuracy by models a and b, and b minus a with limits.

    Thresholds are those of the estimated rule and are found anew in each of 300 paired bootstrap samples (groups where
    there are groups); limits from the standard error over them and Student's t.

    Parameters
    ----------
    proba_a, proba_b : float arrays, shape (n, K)
        Scores of the same images.
    y : int array, shape (n,)
    unit : int array, shape (n,), optional
        Codes of groups.
    seed : int

    Returns
    -------
    list of {"target", "a", "b", "difference"}
        The difference is a figure with limits, None with fewer than 10 groups.
    """
    pairs = [(proba.max(axis=1), proba.argmax(axis=1) == y) for proba in (proba_a, proba_b)]
    ones = np.ones(len(y))
    values = np.array([[_coverage(score, right, ones, target) for target in TARGETS] for score, right in pairs])
    n_units = len(y) if unit is None else len(np.unique(unit))
    few = unit is not None and n_units < MIN_GROUPS
    method = "too_few_groups" if few else "bootstrap" if unit is None else "group-bootstrap"
    half = np.full(len(TARGETS), np.nan)
    if not few and n_units > 1:
        half = float(t_critical(0.95, np.array(n_units - 1.0))) * _errors(pairs, y, unit, seed)
    rows = []
    for i, target in enumerate(TARGETS):
        difference = float(values[1, i] - values[0, i])
        low, high = (None, None) if np.isnan(half[i]) else (max(-1.0, difference - half[i]), difference + half[i])
        rows.append(
            {
                "target": target,
                "a": float(values[0, i]),
                "b": float(values[1, i]),
                "difference": {
                    "value": difference,
                    "low": None if low is None else float(low),
                    "high": None if high is None else float(min(1.0, high)),
                    "method": method,
                    "level": 0.95,
                },
            }
        )
    return rows


def _errors(
    pairs: list[tuple[FloatArray, NDArray[np.bool_]]], y: IntArray, unit: IntArray | None, seed: int
) -> FloatArray:
    """Standard error of the difference at each target."""
    generator = np.random.default_rng(seed)
    codes = np.arange(len(y)) if unit is None else np.unique(unit, return_inverse=True)[1]
    strata = y if unit is None else np.zeros(int(codes.max()) + 1, np.int64)
    found = []
    for chunk in draw_weights(codes, strata, N_BOOT, generator):
        for weight in chunk:
            (score_a, right_a), (score_b, right_b) = pairs
            found.append(
                [_coverage(score_b, right_b, weight, t) - _coverage(score_a, right_a, weight, t) for t in TARGETS]
            )
    return standard_error(np.array(found))


def _coverage(score: FloatArray, right: NDArray[np.bool_], weight: FloatArray, target: float) -> float:
    threshold = estimated(score, right, weight, target)
    return float(weight[score > threshold].sum() / weight.sum())
