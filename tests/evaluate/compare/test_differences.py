"""Paired differences of two models, with limits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.evaluate.compare.paired import COMPARED, compare_predictions, pair

from graticule.evaluate.compare.differences import apart_limits
from graticule.evaluate.summary import summarise


def test_exchanging_the_models_turns_the_signs() -> None:
    a, b = pair(better=0.3)
    there, back = compare_predictions(a, b), compare_predictions(b, a)
    for name in COMPARED:
        assert there["difference"][name]["value"] == pytest.approx(-back["difference"][name]["value"])
        assert there["difference"][name]["low"] == pytest.approx(-back["difference"][name]["high"])
    assert there["test"]["p"] == back["test"]["p"]


def test_pairing_makes_the_interval_narrow() -> None:
    a, b = pair(better=0.2)
    result = compare_predictions(a, b)
    for name in ("balanced_accuracy", "log_loss", "brier"):
        paired = result["difference"][name]["high"] - result["difference"][name]["low"]
        single = result["a"][name]["high"] - result["a"][name]["low"]
        assert paired < 0.7 * single, name


def test_a_model_against_itself() -> None:
    a, _ = pair()
    result = compare_predictions(a, a)
    assert result["test"]["p"] == 1.0
    for name in COMPARED:
        assert result["difference"][name]["value"] == 0.0
    assert result["difference"]["accuracy"]["low"] < 0 < result["difference"]["accuracy"]["high"]


def test_the_calibration_error_differs_by_what_both_intervals_allow() -> None:
    assert apart_limits((0.06, 0.0, 0.09), (0.20, 0.16, 0.23)) == pytest.approx((0.07, 0.23))
    a, b = pair()
    figure, own = compare_predictions(a, b)["difference"]["ece"], [summarise(p)["ece"] for p in (a, b)]
    assert figure["low"] == pytest.approx(own[1]["low"] - own[0]["high"])
    assert figure["high"] == pytest.approx(own[1]["high"] - own[0]["low"])


def test_classes_are_compared_each() -> None:
    a, b = pair(better=0.5)
    found = compare_predictions(a, b)["per_class"]
    own, other = summarise(a)["per_class"], summarise(b)["per_class"]
    for name, row in found.items():
        assert row["n"] == 100
        assert row["a"] == pytest.approx(own[name]["sensitivity"]["value"])
        assert row["b"] == pytest.approx(other[name]["sensitivity"]["value"])
        assert row["difference"]["low"] <= row["b"] - row["a"] <= row["difference"]["high"]
    grouped = compare_predictions(a, b, np.array([f"g{i % 30}" for i in range(300)], dtype=object))["per_class"]
    assert grouped["a"]["difference"]["method"] == "group-bootstrap"
    rare = np.array([f"g{i % 9 if a.label[i] == 'a' else i % 30}" for i in range(300)], dtype=object)
    sparse = compare_predictions(a, b, rare)["per_class"]
    assert sparse["a"]["difference"]["method"] == "too_few_groups"
    assert sparse["a"]["difference"]["low"] is None
    assert sparse["b"]["difference"]["low"] is not None


def test_a_class_without_samples_has_no_difference() -> None:
    a, b = pair(90)
    kept = a.label != "c"
    found = compare_predictions(a.take(kept), b.take(kept))
    json.dumps(found, allow_nan=False)
    assert found["per_class"]["c"] == {"n": 0, "a": None, "b": None} | {
        "difference": found["per_class"]["c"]["difference"]
    }
    assert found["per_class"]["c"]["difference"]["value"] is None
