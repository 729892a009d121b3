"""Paired difference of the share that can be accepted: a better model, the same model, groups."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.coverage_difference import coverage_differences
from graticule.decide.estimated_rule import loosest


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


def test_no_variation_gives_no_interval() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 400)
    poor, other = (np.clip(scored(y, 12.0, rng), 0.001, 0.999) for _ in "ab")
    # the surest answers of both are wrong, so that no threshold is good enough in any bootstrap sample
    for proba in (poor, other):
        proba[:150] = np.where(y[:150, None] == 0, [1e-6, 1.0 - 1e-6], [1.0 - 1e-6, 1e-6])
    for row in coverage_differences(poor, other, y):
        assert (row["a"], row["b"]) == (0.0, 0.0)
        assert row["difference"] == {"value": 0.0, "low": None, "high": None, "method": "no_variation", "level": 0.95}
    alike = scored(y, 3.0, rng)
    for row in coverage_differences(alike, alike, y):
        assert (row["difference"]["value"], row["difference"]["low"]) == (0.0, None)


def test_with_groups_the_rule_is_that_of_the_runs_report() -> None:
    rng = np.random.default_rng(3)
    unit = np.repeat(np.arange(40), 30)
    y = rng.integers(0, 2, 1200)
    margin = 3 * (2 * y - 1) + rng.normal(0, 1.2, 1200) + rng.normal(0, 1.5, 40)[unit]
    p = 1 / (1 + np.exp(-margin))
    a, b = np.column_stack([1 - p, p]), scored(y, 1.6, rng)
    rows = coverage_differences(a, b, y, unit)
    for row in rows:
        for key, proba in (("a", a), ("b", b)):
            score, right = proba.max(axis=1), proba.argmax(axis=1) == y
            threshold = loosest(score, right, np.ones(1200), unit, row["target"])
            assert row[key] == pytest.approx((score > threshold).mean())
    plain = coverage_differences(a, b, y)
    assert all(grouped["a"] < alone["a"] for grouped, alone in zip(rows[1:], plain[1:], strict=True))


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
