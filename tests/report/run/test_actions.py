"""The section "Can I act on it?" from decisions: answers in counts, and the curve with the place of the rule."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.report.run.actions import action_content, risk_figure

CURVE = {"coverage": [0.1, 0.5, 1.0], "risk": [0.0, 0.01, 0.1], "low": [None, 0.0, 0.05], "high": [None, 0.04, 0.15]}
RULE = {
    "target": 0.99, "confidence": 0.95, "status": "guaranteed", "words": "by a bound", "threshold": [0.9, 0.9],
    "accepted": 100, "errors": 1, "n": 200,
}  # fmt: skip


def decisions(**rule: Any) -> dict[str, Any]:
    """decisions.json of a run on 200 images, of which the rule accepts half."""
    acceptance = {
        "rule": RULE | rule,
        "coverage": 0.5,
        "accuracy": {"value": 0.99, "low": 0.95, "high": 0.998},
        "area": 0.02,
        "curve": CURVE,
        "coverage_at": [{"target": 0.95, "coverage": 0.8}],
    }
    errors = {"log_loss": 0.3, "brier": 0.2, "ece": {"value": 0.05, "null_mean": 0.02, "null_95": 0.04}}
    errors |= {"classwise_ece": errors["ece"]}
    inside = {"n": 100, "coverage": 0.95, "low": 0.9, "high": 0.98, "size": 1.1}
    return {
        "acceptance": acceptance,
        "evidence": {"source": "out-of-fold scores", "n": 200, "grouped": False},
        "calibration": {"method": "vector scaling", "note": "fitted on all", "before": errors, "after": errors},
        "sets": [{"level": 0.95, "short": {"b": [3, 19]}, "per_class": {"a": inside, "b": inside | {"low": None}}}],
        "novelty": {"alpha": 0.01, "units": 1500.0, "grouped": False},
        "labels": {"n_suspected": 1, "share": 0.02, "low": None, "high": None},
    }


def test_a_thousand_images_are_split_into_taken_and_looked_at() -> None:
    content = action_content(decisions())
    assert content is not None
    assert content["answer"].startswith("Of 1,000 images like these, about 500 can be taken without a look")
    assert content["answer"].endswith("; 500 go to a person.")
    assert content["targets"] == [(0.95, 0.8, 200)]
    assert content["source"] == "out-of-fold scores of 200 images"
    assert content["rule"].startswith("This rule is guaranteed")
    assert "Accepted above a score of 0.900." in content["rule"]
    assert content["calibration"] == "Calibration: vector scaling. Fitted on all."
    assert [row[0] for row in content["errors"]][:2] == ["Log loss", "Brier score"]
    assert content["set_rows"][1] == ("b", 100, [(0.95, "", 1.1)])
    assert content["sets"][0]["short"] == [("b", 3, 19)]
    assert content["labels"].startswith("1 label is more likely wrong than right.")


def test_a_rule_that_accepts_nothing_sends_all_to_a_person() -> None:
    content = action_content(decisions(accepted=0, errors=0, status="not certifiable", threshold=[None, None]))
    assert content is not None
    assert "all of 1,000 images go to a person" in content["answer"]
    assert "No rule reaches the target" in content["rule"]
    assert "score of" not in content["rule"]


def test_thresholds_by_class_are_a_range() -> None:
    content = action_content(decisions(threshold=[0.7, None, 0.95]))
    assert content is not None
    assert "Accepted above a score of 0.700 to 0.950, by class." in content["rule"]


@pytest.mark.parametrize(
    ("novelty", "words"),
    [
        ({"alpha": 0.01, "units": 1500.0, "grouped": False}, "1,500 images that the measure was not fitted on"),
        ({"alpha": 0.01, "units": 20.0, "grouped": True}, "With 20 groups to compare with, no image can be called"),
        (
            {"alpha": 0.01, "units": 1500.0, "grouped": False, "centre": True},
            "compared by what lies around their centre",
        ),
        ({"alpha": 0.01, "units": 20.0, "grouped": True, "centre": True}, "compared by what lies around their centre"),
        (None, "Too few images"),
    ],
)
def test_novelty_says_whether_anything_can_be_rejected(novelty: dict[str, Any] | None, words: str) -> None:
    content = action_content(decisions() | {"novelty": novelty})
    assert content is not None
    assert words in content["novelty"]
    assert ("centre" in content["novelty"]) == bool(novelty and novelty.get("centre"))


@pytest.mark.parametrize("nothing", [None, {}, {"calibration": {}}, {"acceptance": None}])
def test_without_decisions_there_is_no_section(nothing: dict[str, Any] | None) -> None:
    assert action_content(nothing) is None


def test_the_rule_has_its_place_on_the_curve_where_it_accepts_something() -> None:
    acceptance = decisions()["acceptance"]
    drawn = risk_figure(acceptance, 100, 1)
    assert "100 accepted, 1 of them wrong" in drawn
    assert drawn.count('class="band"') == 1
    assert "<circle" not in risk_figure(acceptance, 0, 0)
    alone = acceptance | {"curve": CURVE | {"low": [None] * 3, "high": [None] * 3}}
    assert 'class="band"' not in risk_figure(alone, 100, 1)
