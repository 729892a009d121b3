"""Paired comparison of two sets of predictions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.compare.paired import COMPARED, compare_predictions, pair

from graticule.evaluate.compare.alignment import align_all
from graticule.evaluate.compare.runs import compare_many
from graticule.evaluate.summary import summarise
from graticule.statistics.paired_tests import (
    holm,
)


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
    (rows, _), _ = align_all((a, b.take(kept)))
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
