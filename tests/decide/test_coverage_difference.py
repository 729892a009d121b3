"""Paired difference of the share that can be accepted: a better model, the same model, groups."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.coverage_difference import coverage_differences


def scored(y: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Two classes, scored with more or less noise."""
    margin = 3 * (2 * y - 1) + noise * rng.normal(size=len(y))
    p = 1 / (1 + np.exp(-margin))
    return np.column_stack([1 - p, p])


def test_a_better_model_accepts_more_beyond_chance() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1500)
    rows = coverage_differences(scored(y, 4.0, rng), scored(y, 1.5, rng), y)
    assert [row["target"] for row in rows] == [0.99, 0.98, 0.95]
    for row in rows:
        assert row["difference"]["value"] == pytest.approx(row["b"] - row["a"])
        assert row["difference"]["low"] > 0


def test_a_model_against_itself_differs_by_nothing() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 400)
    proba = scored(y, 3.0, rng)
    for row in coverage_differences(proba, proba, y):
        assert (row["difference"]["value"], row["difference"]["low"], row["difference"]["high"]) == (0.0, 0.0, 0.0)


def test_groups_widen_the_interval_and_few_groups_have_none() -> None:
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(30), 40)
    y = rng.integers(0, 2, 1200)
    shift = rng.normal(0, 2.5, 30)[unit]
    other = 1 / (1 + np.exp(-(3 * (2 * y - 1) + shift)))
    a, b = scored(y, 2.5, rng), np.column_stack([1 - other, other])
    alone, grouped = (coverage_differences(a, b, y, u)[2]["difference"] for u in (None, unit))
    assert grouped["high"] - grouped["low"] > 1.3 * (alone["high"] - alone["low"])
    few = coverage_differences(a, b, y, unit % 5)[0]["difference"]
    assert (few["low"], few["method"]) == (None, "too_few_groups")
