"""Paired comparison of two sets of predictions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from graticule.errors import RunError
from graticule.evaluate.catalogue import OVERALL
from graticule.evaluate.compare.alignment import align
from graticule.evaluate.compare.differences import apart_limits
from graticule.evaluate.compare.runs import compare_many, compare_predictions
from graticule.evaluate.summary import summarise
from graticule.predictions import Predictions
from graticule.statistics.groups import Groups
from graticule.statistics.paired_tests import (
    holm,
)

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


def test_better_model_is_found_better() -> None:
    a, b = pair()
    result = compare_predictions(a, b)
    json.dumps(result, allow_nan=False)
    for name in COMPARED:
        figure = result["difference"][name]
        assert figure["low"] <= figure["value"] <= figure["high"]
        assert figure["value"] == pytest.approx(result["b"][name]["value"] - result["a"][name]["value"])
    assert result["difference"]["accuracy"]["low"] > 0
    assert result["difference"]["log_loss"]["high"] < 0
    assert result["test"]["p"] < 1e-4
    assert sum(result["discordant"].values()) == 300
    assert result["a"]["accuracy"]["value"] == summarise(a)["accuracy"]["value"]
    assert result["a"]["macro_f1"]["low"] == summarise(a)["macro_f1"]["low"]


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


def test_rows_and_columns_are_aligned() -> None:
    a, b = pair()
    plain = compare_predictions(a, b)
    order = np.random.default_rng(1).permutation(300)
    turned = replace(b, classes=b.classes[::-1], proba=b.proba[:, ::-1]).take(order)
    assert compare_predictions(a, turned) == plain


def test_common_subset_is_counted() -> None:
    a, b = pair()
    result = compare_predictions(a.take(np.arange(200)), b.take(np.arange(50, 300)))
    assert (result["n"], result["n_a"], result["n_b"]) == (150, 200, 250)
    assert any("150 samples in both; the first has 50 others, the second 100" in note for note in result["notes"])


def test_group_follows_the_rows_of_a() -> None:
    a, b = pair()
    group = np.array([f"g{i % 12}" for i in range(300)], dtype=object)
    kept = np.arange(299, 59, -1)
    result = compare_predictions(a, b.take(kept), group)
    rows, _, _ = align(a, b.take(kept))
    same = compare_predictions(a.take(rows), b.take(rows), group[rows])
    assert result["difference"] == same["difference"]
    assert result["n_groups"] == 12
    assert result["difference"]["accuracy"]["method"] == "group-bootstrap"
    assert result["test"]["name"] == "sign-flip"


def test_few_groups_give_no_limits_and_fewer_no_p() -> None:
    a, b = pair()
    eight = compare_predictions(a, b, np.array([f"g{i % 8}" for i in range(300)], dtype=object))
    assert eight["difference"]["macro_f1"]["low"] is None
    assert eight["difference"]["macro_f1"]["method"] == "too_few_groups"
    assert eight["test"]["p"] == pytest.approx(2 / 2**8)
    five = compare_predictions(a, b, np.array([f"g{i % 5}" for i in range(300)], dtype=object))
    assert five["test"]["p"] is None
    assert "5 groups" in five["test"]["note"]


def test_the_calibration_error_differs_by_what_both_intervals_allow() -> None:
    assert apart_limits((0.06, 0.0, 0.09), (0.20, 0.16, 0.23)) == pytest.approx((0.07, 0.23))
    a, b = pair()
    figure, own = compare_predictions(a, b)["difference"]["ece"], [summarise(p)["ece"] for p in (a, b)]
    assert figure["low"] == pytest.approx(own[1]["low"] - own[0]["high"])
    assert figure["high"] == pytest.approx(own[1]["high"] - own[0]["low"])


def test_every_metric_of_a_run_is_compared() -> None:
    a, b = pair()
    result = compare_predictions(a, b)
    metrics = {name for name, figure in summarise(a).items() if isinstance(figure, dict) and "value" in figure}
    assert set(result["difference"]) == set(result["a"]) == metrics == set(COMPARED)


def test_many_runs_are_compared_with_the_first_on_what_all_share() -> None:
    a, b = pair(better=0.6)
    c = pair(better=0.1, seed=0)[1]
    many = compare_many((a, b.take(np.arange(290)), c.take(np.arange(20, 300))))
    assert (many["n"], many["n_each"]) == (270, [300, 290, 280])
    assert any("in all; the first has 30 others, the second 20, the third 10" in note for note in many["notes"])
    kept = np.arange(20, 290)
    alone = compare_predictions(a.take(kept), b.take(kept))
    one, two = many["comparisons"]
    assert one["difference"] == alone["difference"]
    assert many["figures"][0] == alone["a"]
    p = [found["test"]["p"] for found in (one, two)]
    assert [found["test"]["p_holm"] for found in (one, two)] == holm(p)
    assert alone["test"]["p_holm"] == alone["test"]["p"] == p[0]


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


def test_examples_are_the_discordant_samples_surest_first() -> None:
    a, b = pair(better=0.5)
    noise = np.random.default_rng(1).dirichlet(np.ones(3), 300)
    b = replace(b, proba=0.4 * b.proba + 0.6 * noise)
    result = compare_predictions(a, b)
    for kind, right, wrong in (("only_a_right", "a", "b"), ("only_b_right", "b", "a")):
        rows = result["examples"][kind]
        assert 0 < len(rows) <= min(12, result["discordant"][kind])
        assert all(row[right]["given"] == row["label"] != row[wrong]["given"] for row in rows)
        sure = [row["a"]["score"] + row["b"]["score"] for row in rows]
        assert sure == sorted(sure, reverse=True)
    assert len(result["examples"]["only_a_right"]) == 12


def test_errors_say_what_differs() -> None:
    a, b = pair(60)
    with pytest.raises(RunError, match="only the first has c, only the second has none"):
        compare_predictions(a, replace(b, classes=b.classes[:2], proba=b.proba[:, :2]))
    other = b.label.copy()
    other[:7] = np.where(other[:7] == "a", "b", "a")
    with pytest.raises(RunError, match="7 of 60 shared samples"):
        compare_predictions(a, replace(b, label=other))
    with pytest.raises(RunError, match="none is in both"):
        compare_predictions(a, replace(b, sample_id=np.array([f"x{i}" for i in range(60)], dtype=object)))
    with pytest.raises(RunError, match="3 samples occur more than once in the second"):
        compare_predictions(a, b.take(np.array([*range(60), 0, 1, 2])))
    with pytest.raises(RunError, match="2 group names were given for 60"):
        compare_predictions(a, b, np.array(["x", "y"], dtype=object))
