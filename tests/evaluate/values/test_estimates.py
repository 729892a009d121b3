"""Intervals of figures: they hold the truth as often as they say, on groups too, and there is none of few groups."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.evaluate.values.estimates import (
    Sampling,
    limits_on_scale,
    measured,
    share_figure,
    value_figures,
    value_point,
    value_replicates,
)
from graticule.evaluate.values.figures import FIGURES, ScoredValues, ValueFigure, score_values
from graticule.statistics.intervals import MIN_GROUPS

SIZE = 6


def specimens(n_groups: int, rng: np.random.Generator) -> ScoredValues:
    """Groups of unequal size whose images share half the variance of the error; slope 0.8, no bias."""
    sizes = rng.integers(SIZE - 3, SIZE + 4, n_groups)
    unit = np.repeat(np.arange(n_groups), sizes)
    y = rng.normal(size=n_groups)[unit] + 0.3 * rng.normal(size=len(unit))
    shared = rng.normal(size=n_groups)[unit]
    p = 0.8 * y + 0.3 * shared + 0.3 * rng.normal(size=len(unit))
    return score_values(y, p, unit, 0.0)


def sampling_of(scored: ScoredValues, grouped: bool = True, n_boot: int = 200) -> Sampling:
    return Sampling(np.bincount(scored.unit).astype(float), grouped, 0, n_boot)


def test_intervals_hold_the_truth_of_new_specimens() -> None:
    rng = np.random.default_rng(0)
    truth = value_point(specimens(40_000, rng))
    keys, repeats = [figure.key for figure in FIGURES if figure.key != "relative"], 150
    held = dict.fromkeys(keys, 0)
    for _ in range(repeats):
        scored = specimens(25, rng)
        found = value_figures(scored, sampling_of(scored))
        for key in keys:
            held[key] += found[key]["low"] <= truth[key] <= found[key]["high"]
    # 95 % asked for; the standard error of 150 repeats is 1.8 %
    assert {key: n / repeats for key, n in held.items() if n / repeats < 0.89} == {}


def test_images_taken_for_independent_give_intervals_that_are_too_narrow() -> None:
    rng = np.random.default_rng(1)
    scored = specimens(30, rng)
    alone = score_values(scored.target, scored.value, np.arange(len(scored.target)), 0.0)
    grouped, naive = (value_figures(each, sampling_of(each, each is scored))["bias"] for each in (scored, alone))
    assert grouped["high"] - grouped["low"] > 1.3 * (naive["high"] - naive["low"])


def test_few_groups_give_no_limits() -> None:
    scored = specimens(MIN_GROUPS - 1, np.random.default_rng(0))
    sampling = sampling_of(scored)
    assert value_replicates(scored, sampling) is None
    found = value_figures(scored, sampling)
    for figure in FIGURES:
        assert found[figure.key]["low"] is None
        assert found[figure.key]["method"] == "too_few_groups"
    assert found["mae"]["value"] > 0
    hit = np.ones(len(scored.target), bool)
    assert share_figure(hit, scored, sampling) == measured(1.0, (np.nan, np.nan), "too_few_groups")


def test_a_third_that_lies_in_few_groups_has_no_limits() -> None:
    unit = np.repeat(np.arange(15), 4)
    y = unit.astype(float)
    found = value_figures(score_values(y, y + 0.1, unit, 0.0), Sampling(np.full(15, 4.0), True, 0, 200))
    assert [row["bias"]["method"] for row in found["bias_by_third"]] == ["too_few_groups"] * 3
    assert found["bias"]["method"] == "group-bootstrap"


def test_same_seed_same_limits_and_pairs() -> None:
    scored = specimens(12, np.random.default_rng(0))
    first, second = (value_replicates(scored, sampling_of(scored)) for _ in range(2))
    assert first is not None
    assert second is not None
    for key, values in first.items():
        np.testing.assert_array_equal(values, second[key])


def test_limits_lie_where_a_figure_can() -> None:
    drawn = np.array([0.5, 0.9, 0.99, 0.2])
    low, high = limits_on_scale(ValueFigure("spearman", "correlation"), 0.95, drawn, 2.0)
    assert -1 <= low < 0.95 < high <= 1
    low, high = limits_on_scale(ValueFigure("r2", "explained"), 0.95, drawn, 2.0)
    assert low < 0.95 < high <= 1
    low, high = limits_on_scale(ValueFigure("mae", "loss"), 0.1, drawn, 2.0)
    assert 0 < low < 0.1 < high


def test_a_perfect_model_has_limits_without_a_crash() -> None:
    y = np.arange(30.0)
    found = value_figures(score_values(y, y, np.arange(30), 3.0), Sampling(np.ones(30), False, 0, 200))
    assert (found["mae"]["value"], found["r2"]["value"]) == (0.0, 1.0)
    assert found["spearman"]["value"] == pytest.approx(1.0)
    assert found["mae"]["method"] == "bootstrap"
