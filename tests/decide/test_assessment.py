"""Decisions held against labels: counts by hand, intervals that fit the sampling unit, the target kept or missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graticule.decide.acceptance import exact_interval
from graticule.decide.assessment import (
    LabelledAnswers,
    against,
    assess,
    assess_calibration,
    assess_novelty,
    coverage_of,
    proportion,
)
from graticule.decide.rule import Rule
from graticule.heads.calibration import Calibration
from graticule.statistics.intervals import cluster_t, wilson

CLASSES = ("a", "b")


def rule(threshold: float, target: float = 0.99) -> Rule:
    return Rule(np.full(2, threshold), "guaranteed", target, 0.95, False, 500, 300, 1, "as tested")


def answers(n: int = 400, wrong: int = 4, seed: int = 0) -> LabelledAnswers:
    """Half of the images score 0.9, and `wrong` of these are wrong; the others score 0.6 and half of them are right."""
    rng = np.random.default_rng(seed)
    sure = np.arange(n) < n // 2
    right = np.where(sure, np.arange(n) >= wrong, np.arange(n) % 2 == 0)
    called = rng.integers(0, 2, n)
    score = np.where(sure, 0.9, 0.6)
    proba = np.where(called[:, None] == [0, 1], score[:, None], 1 - score[:, None])
    y = np.where(right, called, 1 - called)
    inside = proba > 0.3
    return LabelledAnswers(y, proba, proba, np.full(n, 0.5), {0.95: inside}, None)


def test_what_is_accepted_is_counted_and_held_against_the_target() -> None:
    found = assess(answers(), rule(0.8), 0.01, CLASSES)
    acceptance = found["acceptance"]
    assert (acceptance["accepted"], acceptance["errors"], acceptance["coverage"]) == (200, 4, 0.5)
    low, high = exact_interval(4, 200)
    assert (acceptance["accuracy"]["low"], acceptance["accuracy"]["high"]) == pytest.approx((1 - high, 1 - low))
    assert acceptance["target"] == "open"
    assert found["decisions"]["review"]["n"] == 200


@pytest.mark.parametrize(("wrong", "said"), [(0, "kept"), (20, "missed")])
def test_a_target_is_kept_or_missed_only_when_the_whole_interval_says_so(wrong: int, said: str) -> None:
    assert assess(answers(1000, wrong), rule(0.8, 0.98), 0.01, CLASSES)["acceptance"]["target"] == said


def test_images_beyond_the_values_trained_on_are_neither_accepted_nor_reviewed() -> None:
    beyond = np.arange(400) % 4 == 0
    found = assess(replace(answers(), beyond=beyond), rule(0.8), 0.01, CLASSES)
    assert found["decisions"]["reject"]["n"] == 100
    assert found["acceptance"]["accepted"] == 150
    assert found["novelty"]["rejected"] == 0


def test_novel_images_are_neither_accepted_nor_reviewed() -> None:
    strange = np.where(np.arange(400) % 4 == 0, 0.001, 0.5)
    found = assess(replace(answers(), novelty=strange), rule(0.8), 0.01, CLASSES)
    assert {name: d["n"] for name, d in found["decisions"].items()} == {"accept": 150, "review": 150, "reject": 100}
    assert found["novelty"]["rejected"] == 100
    assert found["novelty"]["share"]["value"] == 0.25


def test_novelty_that_is_unknown_is_not_made_up() -> None:
    unknown = replace(answers(), novelty=np.full(400, np.nan))
    assert assess_novelty(unknown, 0.01) is None
    assert assess(unknown, rule(0.8), 0.01, CLASSES)["decisions"]["reject"]["n"] == 0
    half = replace(answers(), novelty=np.where(np.arange(400) < 100, 0.001, np.nan))
    assert assess_novelty(half, 0.01)["share"]["value"] == 1.0


def test_with_groups_the_interval_is_over_groups() -> None:
    rng = np.random.default_rng(1)
    hit, unit = rng.random(300) < 0.9, np.repeat(np.arange(30), 10)
    found = proportion(hit, np.ones(300, bool), unit)
    expected = cluster_t(hit.reshape(30, 10).sum(axis=1).astype(float), np.full(30, 10.0))
    assert (found["low"], found["high"]) == pytest.approx(tuple(map(float, expected)))
    few = proportion(hit, np.ones(300, bool), unit % 5)
    assert (few["low"], few["method"]) == (None, "too_few_groups")
    assert against(few, 0.5) is None


def test_without_groups_it_is_wilsons() -> None:
    hit, within = np.arange(50) < 45, np.arange(50) < 48
    low, high = wilson(np.array(45.0), np.array(48.0))
    found = proportion(hit, within, None)
    assert (found["value"], found["low"], found["high"]) == pytest.approx((45 / 48, float(low), float(high)))
    assert proportion(hit, np.zeros(50, bool), None)["value"] is None
    assert proportion(hit, np.zeros(50, bool), None, exact=True)["high"] is None


def test_coverage_of_sets_stands_in_total_and_for_each_class() -> None:
    inside = np.array([[1, 1], [1, 0], [1, 0], [0, 1]], bool)
    found = coverage_of(inside, np.array([0, 0, 1, 1]), None, CLASSES)
    assert (found["coverage"], found["size"], found["single"]) == (0.75, 1.25, 0.75)
    assert [found["per_class"][k]["coverage"] for k in "ab"] == [1.0, 0.5]
    assert [found["per_class"][k]["size"] for k in "ab"] == [1.5, 1.0]
    assert coverage_of(inside, np.zeros(4, int), None, CLASSES)["per_class"]["b"]["coverage"] is None


def test_a_good_calibration_lowers_the_log_loss_of_the_images() -> None:
    rng = np.random.default_rng(2)
    true = rng.beta(2, 1, 2000) * 0.5 + 0.5
    y = (rng.random(2000) > true).astype(int)
    proba = np.column_stack([true, 1 - true])
    halved = Calibration("temperature", {"slope": np.array([3.0]), "offset": np.zeros(1)})
    spoilt = halved(proba)
    found = assess_calibration(LabelledAnswers(y, spoilt, proba, np.full(2000, np.nan), {}, None), "temperature")
    assert found["log_loss_change"]["high"] < 0
    assert found["after"]["ece"]["value"] < found["after"]["ece"]["null_95"] < found["before"]["ece"]["value"]
    same = assess_calibration(LabelledAnswers(y, proba, proba, np.full(2000, np.nan), {}, None), "none")
    assert same["log_loss_change"]["value"] == 0
    assert same["before"] == same["after"]
