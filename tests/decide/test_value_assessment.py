"""How intervals turned out: coverage, width and score by hand, and which groups they miss."""

from __future__ import annotations

import json

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.decide.value_assessment import assess_intervals, cut_to, interval_score, mean_over_units


def test_interval_score_by_hand() -> None:
    target, low, high = np.array([0.5, 0.1, 0.9]), np.full(3, 0.2), np.full(3, 0.8)
    np.testing.assert_allclose(interval_score(target, low, high, 0.9), [0.6, 0.6 + 20 * 0.1, 0.6 + 20 * 0.1])


def test_the_true_quantiles_have_the_best_score() -> None:
    y = np.random.default_rng(0).normal(size=20_000)
    scores = [interval_score(y, np.full(len(y), -h), np.full(len(y), h), 0.9).mean() for h in (1.3, 1.645, 2.0)]
    assert scores[1] == min(scores)


def test_limits_are_cut_and_infinite_ones_say_nothing() -> None:
    low, high = cut_to(np.array([-1.0, 0.5, -np.inf]), np.array([0.5, 2.0, np.inf]), (0.0, 1.0))
    np.testing.assert_array_equal(low, [0.0, 0.5, np.nan])
    np.testing.assert_array_equal(high, [0.5, 1.0, np.nan])
    assert cut_to(np.array([-1.0]), np.array([2.0]), (None, None)) == (np.array([-1.0]), np.array([2.0]))


def made(n_groups: int = 20, size: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    group = object_array([f"s{g:02d}" for g in np.repeat(np.arange(n_groups), size)])
    y = rng.uniform(0, 1, n_groups * size)
    half = np.linspace(0.1, 0.3, len(y))
    p = y + rng.uniform(-1, 1, len(y)) * half / 0.95
    return y, p, p - half, p + half, group


def test_the_document() -> None:
    y, p, low, high, group = made()
    found = assess_intervals(y, p, low, high, group, level=0.9)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    inside = (low <= y) & (y <= high)
    assert found["coverage"]["value"] == pytest.approx(inside.mean())
    assert found["coverage"]["method"] == "cluster-t"
    assert found["width"]["value"] == pytest.approx((high - low).mean())
    assert found["width"]["low"] < found["width"]["value"] < found["width"]["high"]
    assert found["kept"] == "open"
    wide = assess_intervals(y, p, low - 1, high + 1, group, level=0.9)
    assert (wide["kept"], wide["coverage"]["value"]) == ("kept", 1.0)
    narrow, _, wide = found["by_width"]
    assert narrow["width"] < wide["width"]
    assert sum(row["n"] for row in found["by_prediction"]) == len(y)
    assert found["groups_below"] == []


def test_a_group_that_is_missed_is_named() -> None:
    y, p, low, high, group = made()
    y = np.where(group == "s07", y + 5, y)
    found = assess_intervals(y, p, low, high, group, level=0.9)
    assert [row["group"] for row in found["groups_below"]] == ["s07"]
    assert found["groups_below"][0]["coverage"] == 0.0


def test_images_without_an_interval_are_counted_and_left_out() -> None:
    y, p, low, high, group = made()
    low[:15] = np.nan
    found = assess_intervals(y, p, low, high, group, level=0.9)
    assert (found["n"], found["without"], found["n_groups"]) == (185, 15, 19)
    nothing = assess_intervals(y, p, np.full(len(y), np.nan), high, group, level=0.9)
    assert (nothing["n"], nothing["coverage"], nothing["by_width"]) == (0, None, [])


def test_without_groups_and_with_few() -> None:
    y, p, low, high, group = made(4)
    assert assess_intervals(y, p, low, high, None, level=0.9)["coverage"]["method"] == "wilson"
    few = assess_intervals(y, p, low, high, group, level=0.9)
    assert few["coverage"]["method"] == few["width"]["method"] == "too_few_groups"
    assert few["kept"] is None


def test_a_mean_over_units() -> None:
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(30), 4)
    values = np.exp(rng.normal(size=30))[unit]
    grouped, alone = mean_over_units(values, unit), mean_over_units(values, None)
    assert grouped["value"] == alone["value"] == pytest.approx(values.mean())
    assert grouped["high"] - grouped["low"] > 1.5 * (alone["high"] - alone["low"])
