"""The body of metrics.json: contract, invariances, groups and degenerate inputs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from graticule.errors import OptionError, RunError
from graticule.evaluate import catalogue
from graticule.evaluate.summary import summarise
from graticule.predictions import Predictions

OVERALL = [metric.key for metric in catalogue.OVERALL]
PER_CLASS = [metric.key for metric in catalogue.PER_CLASS]
CONTRACT = {"task", "n", "n_groups", "classes", "part", "per_class", "confusion", "per_fold", "per_group", "notes"}


def predictions(n: int = 120, k: int = 3, seed: int = 0, strength: float = 2.0, part: str = "cv") -> Predictions:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), y] += strength
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = tuple(f"kind {i}" for i in range(k))
    names = np.array([f"{i:04d}" for i in range(n)], dtype=object)
    fold = rng.permutation(n) % 4 if part == "cv" else np.full(n, -1)
    return Predictions(
        names, names, np.full(n, part, dtype=object), fold, np.array(classes, dtype=object)[y], classes, proba
    )


def groups(n: int, n_groups: int) -> np.ndarray:
    return np.array([f"patient {i % n_groups:02d}" for i in range(n)], dtype=object)


def figures(body: dict) -> dict[str, dict]:  # type: ignore[type-arg]
    found = {name: body[name] for name in OVERALL}
    for name, row in body["per_class"].items():
        found |= {f"{name}/{metric}": row[metric] for metric in PER_CLASS}
    return found


def test_keys_of_the_contract_and_plain_json() -> None:
    body = summarise(predictions())
    assert set(body) == CONTRACT | set(OVERALL)
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["part"] == "cv"
    assert body["n_groups"] is None
    assert [row["fold"] for row in body["per_fold"]] == [0, 1, 2, 3]
    assert sum(row["n"] for row in body["per_fold"]) == 120
    assert np.array(body["confusion"]).sum() == 120
    for name, figure in figures(body).items():
        assert {"value", "low", "high", "method", "level"} <= set(figure), name
        assert figure["low"] <= figure["value"] <= figure["high"], name
    for name in OVERALL:
        assert "baseline" in body[name]
    assert body["roc_auc_macro"]["pooled"] == pytest.approx(body["roc_auc_macro"]["value"], abs=0.05)


def test_methods_without_groups() -> None:
    body = summarise(predictions())
    assert body["accuracy"]["method"] == "wilson"
    assert body["balanced_accuracy"]["method"] == "bootstrap"
    row = body["per_class"]["kind 1"]
    assert {m: row[m]["method"] for m in PER_CLASS} == {
        "precision": "wilson",
        "sensitivity": "wilson",
        "specificity": "wilson",
        "f1": "bootstrap",
        "roc_auc": "bootstrap",
        "average_precision": "bootstrap",
    }


def test_methods_and_table_with_groups() -> None:
    given = predictions(240)
    body = summarise(given, groups(240, 12))
    assert body["n_groups"] == 12
    assert body["accuracy"]["method"] == "cluster-t"
    assert body["macro_f1"]["method"] == "group-bootstrap"
    assert body["per_class"]["kind 0"]["sensitivity"]["method"] == "too_few_groups"  # only in patients 0, 3, 6, 9
    assert any("fewer than 10 groups: kind 0, kind 1, kind 2" in note for note in body["notes"])
    table = body["per_group"]
    assert [row["group"] for row in table] == sorted(row["group"] for row in table)
    assert sum(row["correct"] for row in table) == pytest.approx(240 * body["accuracy"]["value"])
    assert table[0]["accuracy"] == table[0]["correct"] / table[0]["n"]


def test_too_few_groups_give_values_without_limits() -> None:
    body = summarise(predictions(), groups(120, 9))
    for name, figure in figures(body).items():
        assert figure["method"] == "too_few_groups", name
        assert figure["low"] is None
        assert figure["high"] is None
        assert figure["value"] is not None
    assert any("Only 9 groups" in note for note in body["notes"])


def test_grouped_limits_hold_the_value() -> None:
    body = summarise(predictions(400, 4, strength=4.0), groups(400, 25))
    for name, figure in figures(body).items():
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"], name


def test_related_samples_widen_the_interval() -> None:
    given = predictions(300, 2)
    by_correctness = np.array(given.classes, dtype=object)[given.proba.argmax(axis=1)] == given.label
    order = np.argsort(by_correctness, kind="stable")
    together = np.empty(300, dtype=object)
    together[order] = [f"g{i // 15:02d}" for i in range(300)]
    plain, grouped = summarise(given), summarise(given, together)
    for name in ("accuracy", "log_loss", "brier", "balanced_accuracy"):
        width = [body[name]["high"] - body[name]["low"] for body in (plain, grouped)]
        assert width[1] > 1.5 * width[0], name


def test_baseline_is_the_majority_classifier() -> None:
    given = predictions(90)
    label = np.array(["kind 0"] * 60 + ["kind 1"] * 20 + ["kind 2"] * 10, dtype=object)
    body = summarise(replace(given, label=label, fold=np.zeros(90, dtype=np.int64)))
    share = np.array([6, 2, 1]) / 9
    expected = {
        "accuracy": 2 / 3,
        "balanced_accuracy": 1 / 3,
        "macro_sensitivity": 1 / 3,
        "macro_precision": 2 / 9,
        "macro_specificity": 2 / 3,
        "macro_f1": 0.8 / 3,
        "roc_auc_macro": 0.5,
        "average_precision_macro": 1 / 3,
        "log_loss": -(share * np.log(share)).sum(),
        "brier": 1 - (share**2).sum(),
        "ece": 0.0,
    }
    assert {name: body[name]["baseline"] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_perfect_scores_keep_an_interval_below_one() -> None:
    given = predictions(60)
    perfect = replace(given, proba=np.eye(3)[np.arange(60) % 3])
    body = summarise(perfect)
    for name in ("accuracy", "macro_f1", "roc_auc_macro", "average_precision_macro", "macro_specificity"):
        assert body[name]["value"] == pytest.approx(1.0)
        assert 0.8 < body[name]["low"] < 0.99, name
    assert body["log_loss"]["value"] == pytest.approx(0.0, abs=1e-12)
    assert body["ece"]["value"] == 0.0


def test_class_without_samples_is_null_and_said() -> None:
    given = predictions(80, 2)
    wider = replace(
        given, classes=(*given.classes, "ghost"), proba=np.column_stack([given.proba * 0.9, np.full(80, 0.1)])
    )
    body = summarise(wider)
    ghost = body["per_class"]["ghost"]
    assert ghost["n"] == 0
    for metric in PER_CLASS:
        assert ghost[metric]["value"] is None
        assert ghost[metric]["low"] is None
    assert body["macro_sensitivity"]["value"] == pytest.approx(summarise(given)["macro_sensitivity"]["value"])
    assert any("No sample of ghost" in note for note in body["notes"])


def test_class_never_predicted() -> None:
    given = predictions(90)
    proba = given.proba.copy()
    proba[:, 2] = 0.0
    body = summarise(replace(given, proba=proba / proba.sum(axis=1, keepdims=True)))
    row = body["per_class"]["kind 2"]
    assert row["precision"]["value"] is None
    assert row["f1"]["value"] == 0.0
    known = [body["per_class"][f"kind {k}"]["precision"]["value"] for k in (0, 1)]
    assert body["macro_precision"]["value"] == pytest.approx(sum(known) / 3)
    assert any("Never predicted: kind 2" in note for note in body["notes"])


def test_fold_without_a_class_is_said() -> None:
    given = predictions(90)
    third = np.arange(90) // 3
    fold = np.where(given.label == "kind 2", third % 2, third % 3)
    body = summarise(replace(given, fold=fold))
    assert any("No sample of kind 2 in fold 2" in note for note in body["notes"])
    assert body["per_class"]["kind 2"]["roc_auc"]["value"] is not None


def test_one_class_only() -> None:
    given = predictions(30, 2)
    body = summarise(replace(given, label=np.full(30, "kind 0", dtype=object)))
    assert body["roc_auc_macro"]["value"] is None
    assert body["roc_auc_macro"]["baseline"] is None
    assert body["macro_specificity"]["value"] is None
    assert body["accuracy"]["value"] is not None
    json.dumps(body, allow_nan=False)


def test_one_sample() -> None:
    body = summarise(predictions(1, 2))
    assert body["n"] == 1
    json.dumps(body, allow_nan=False)
    assert body["accuracy"]["high"] - body["accuracy"]["low"] > 0.7


def test_test_part_has_no_folds() -> None:
    body = summarise(predictions(part="test"))
    assert body["per_fold"] == []
    assert body["roc_auc_macro"]["value"] == body["roc_auc_macro"]["pooled"]
    assert not any("Out-of-fold" in note for note in body["notes"])
    assert any("leave out the variance of retraining" in note for note in summarise(predictions())["notes"])


def test_values_do_not_depend_on_sample_order_or_class_order() -> None:
    given, names = predictions(), groups(120, 15)
    body = summarise(given, names)
    order = np.random.default_rng(1).permutation(120)
    shuffled = summarise(given.take(order), names[order])
    turned = summarise(replace(given, classes=given.classes[::-1], proba=given.proba[:, ::-1]), names)
    for other in (shuffled, turned):
        for name, figure in figures(body).items():
            assert figures(other)[name]["value"] == pytest.approx(figure["value"]), name
        for part in ("low", "high"):
            assert other["accuracy"][part] == pytest.approx(body["accuracy"][part])
            assert other["macro_f1"][part] == pytest.approx(body["macro_f1"][part], abs=0.01)


def test_same_seed_same_body_and_other_seed_other_limits() -> None:
    given = predictions()
    assert summarise(given) == summarise(given)
    assert summarise(given, seed=1)["macro_f1"] != summarise(given, seed=2)["macro_f1"]
    assert summarise(given, seed=1)["accuracy"] == summarise(given, seed=2)["accuracy"]


def test_higher_level_wider_interval() -> None:
    given = predictions()
    narrow, wide = figures(summarise(given, level=0.8)), figures(summarise(given, level=0.99))
    for name in narrow:
        assert wide[name]["low"] <= narrow[name]["low"], name
        assert wide[name]["high"] >= narrow[name]["high"], name


def test_errors_say_what_is_wrong() -> None:
    given = predictions(20, 2)
    with pytest.raises(RunError, match="no rows"):
        summarise(given.take(np.zeros(20, dtype=bool)))
    with pytest.raises(RunError, match="cv and test"):
        summarise(replace(given, part=np.array(["cv", "test"] * 10, dtype=object)))
    with pytest.raises(RunError, match=r"labels other .* not among"):
        summarise(replace(given, label=np.full(20, "other", dtype=object)))
    with pytest.raises(RunError, match="20 of 20 rows"):
        summarise(replace(given, proba=np.full((20, 2), np.nan)))
    with pytest.raises(RunError, match="1 of them empty"):
        summarise(given, np.array([""] + ["a"] * 19, dtype=object))
    with pytest.raises(RunError, match="19 group names"):
        summarise(given, np.array(["a"] * 19, dtype=object))
    with pytest.raises(OptionError, match="between 0 and 1"):
        summarise(given, level=95)
    with pytest.raises(OptionError, match="at least 100"):
        summarise(given, n_boot=10)
