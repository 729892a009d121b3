"""Reliability and calibration error beside chance; the risk-coverage curve; decisions in words."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.decisions import decide, expected_errors
from graticule.decide.reliability import calibration_errors, reliability
from graticule.decide.risk_coverage import coverage_at, risk_coverage
from graticule.decide.rule import Rule
from graticule.evaluate.metrics import ece
from graticule.heads.scoring import softmax


def drawn(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    proba = softmax(2 * rng.normal(size=(n, k)))
    return proba, (rng.random(n)[:, None] > proba.cumsum(1)).sum(1).clip(max=k - 1)


def test_the_error_is_that_of_the_metrics_and_classwise_by_hand() -> None:
    proba, y = drawn(700, 4, 0)
    found = calibration_errors(y, proba)
    assert found["ece"]["value"] == pytest.approx(ece(y, proba), abs=1e-12)
    by_hand = 0.0
    for c in range(4):
        place = np.clip(np.ceil(proba[:, c] * 15) - 1, 0, 14).astype(int)
        for b in range(15):
            mine = place == b
            if mine.any():
                by_hand += mine.mean() * abs((y[mine] == c).mean() - proba[mine, c].mean()) / 4
    assert found["classwise_ece"]["value"] == pytest.approx(by_hand, abs=1e-9)


def test_calibrated_scores_lie_within_chance_and_others_do_not() -> None:
    below = [calibration_errors(*drawn(500, 3, s)[::-1], s)["ece"] for s in range(30)]
    assert 0.8 <= np.mean([e["value"] <= e["null_95"] for e in below]) <= 1.0
    proba, y = drawn(500, 3, 99)
    sharp = softmax(2.5 * np.log(proba))
    found = calibration_errors(y, sharp)["ece"]
    assert found["value"] > found["null_95"]
    assert found["debiased"] == pytest.approx(found["value"] - found["null_mean"])


def test_the_diagram_keeps_every_image_and_ties_together() -> None:
    proba, y = drawn(1000, 3, 1)
    diagram = reliability(y, proba)
    assert diagram.n.sum() == 1000
    assert (diagram.low <= diagram.accuracy).all()
    assert (np.diff(diagram.score) > 0).all()
    same = np.full((50, 2), 0.5)
    assert reliability(np.zeros(50, int), same).n.tolist() == [50]


def test_the_risk_curve_by_hand() -> None:
    score = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True])
    curve = risk_coverage(score, right)
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert curve.area == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)


def test_coverage_falls_with_the_target() -> None:
    rng = np.random.default_rng(2)
    score = rng.uniform(0.5, 1, 4000)
    found = coverage_at(score, rng.random(4000) < score)
    shares = [row["coverage"] for row in found]
    assert [row["target"] for row in found] == [0.99, 0.98, 0.95]
    assert shares == sorted(shares)


def test_with_groups_fewer_images_can_be_accepted_at_a_target() -> None:
    """Errors come in few groups: the images alone seem to bear more than new groups would."""
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(20), 50)
    score = rng.uniform(0.5, 1, 1000)
    right = rng.random(1000) < np.where(unit % 5 == 0, 0.8, 1.0)
    alone, grouped = ([row["coverage"] for row in coverage_at(score, right, u)] for u in (None, unit))
    assert all(g <= a for g, a in zip(grouped, alone, strict=True))
    assert grouped[2] < alone[2]


def rule_at(*threshold: float, accepted: int = 400, errors: int = 4) -> Rule:
    return Rule(np.array(threshold), "estimated", 0.99, 0.95, False, 1000, accepted, errors, "")


def test_decisions_and_their_reasons() -> None:
    proba = np.array([[0.98, 0.01, 0.01], [0.5, 0.45, 0.05], [0.9, 0.05, 0.05], [0.98, 0.01, 0.01], [0.4, 0.3, 0.3]])
    inside = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1]], bool)
    novel = np.array([False, False, False, True, False])
    decision, reason = decide(proba, inside, novel, rule_at(0.95, 0.95, 0.95), ["monocyte", "lymphocyte", "blast"])
    assert decision.tolist() == ["accept", "review", "review", "reject", "review"]
    assert reason.tolist() == [
        "sure of monocyte",
        "between monocyte and lymphocyte",
        "probably monocyte: score 0.900, accepted above 0.950",
        "unlike any training image",
        "between monocyte, lymphocyte and blast",
    ]


def test_nothing_is_accepted_without_a_threshold() -> None:
    decision, reason = decide(np.array([[1.0, 0.0]]), None, np.zeros(1, bool), rule_at(np.inf, np.inf), "ab")
    assert decision.tolist() == ["review"]
    assert "no answer of this kind can be accepted" in reason[0]


def test_expected_errors_follow_the_evidence() -> None:
    found = expected_errors(rule_at(0.9, 0.9), np.full(1000, 0.995))
    assert found is not None
    assert found["value"] == pytest.approx(10.0)
    assert found["low"] < 10 < found["high"]
    assert found["by_scores"] == pytest.approx(5.0)
    assert expected_errors(rule_at(0.9, 0.9, accepted=0, errors=0), np.zeros(0)) is None
