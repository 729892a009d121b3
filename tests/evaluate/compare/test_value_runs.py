"""Models of one number, paired: rows in any order, true values that differ refused, groups as units."""

from __future__ import annotations

import json

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.evaluate.compare.value_runs import EXAMPLES, compare_values
from graticule.values import Values

N, GROUPS = 120, 24


def table(error: float, seed: int, rows: np.ndarray | None = None, shift: float = 0.0) -> Values:
    y = np.random.default_rng(0).uniform(0, 1, N) + shift
    hard = np.exp(np.random.default_rng(1).normal(size=GROUPS))[np.arange(N) % GROUPS]
    value = y + error * hard * np.random.default_rng(seed).normal(size=N)
    nan = np.full(N, np.nan)
    whole = Values(
        object_array([f"{i:016x}" for i in range(N)]), object_array([f"{i}.png" for i in range(N)]),
        object_array(["cv"] * N), np.arange(N) % 5, y, value, nan, nan, 0.9, None, {"mean": np.full(N, y.mean())},
    )  # fmt: skip
    return whole if rows is None else whole.take(rows)


def names() -> np.ndarray:
    return object_array([f"g{i % GROUPS:02d}" for i in range(N)])


def test_the_better_one_is_told_whatever_the_order_of_rows() -> None:
    a, b = table(0.2, 5), table(0.1, 6)
    found = compare_values([a, b], names())
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    (pair,) = found["comparisons"]
    assert pair["ratio"]["high"] < 1
    assert pair["difference"]["high"] < 0
    assert pair["closer"]["a"] + pair["closer"]["b"] + pair["closer"]["alike"] == N
    gains = [abs(row["a"] - row["target"]) - abs(row["b"] - row["target"]) for row in pair["examples"]["b"]]
    assert gains == sorted(gains, reverse=True)
    assert len(gains) == EXAMPLES
    shuffled = table(0.1, 6, np.random.default_rng(2).permutation(N))
    assert compare_values([a, shuffled], names())["comparisons"] == found["comparisons"]


def test_a_run_against_itself_differs_in_nothing() -> None:
    (pair,) = compare_values([table(0.2, 5), table(0.2, 5)], names())["comparisons"]
    assert pair["closer"] == {"b": 0, "a": 0, "alike": N}
    assert (pair["ratio"]["low"], pair["ratio"]["high"]) == (1.0, 1.0)
    assert pair["examples"] == {"b": [], "a": []}


def test_images_of_all_are_compared_and_the_rest_told() -> None:
    found = compare_values([table(0.2, 5), table(0.1, 6, np.arange(100))], None)
    assert (found["n"], found["n_each"], found["n_groups"]) == (100, [120, 100], None)
    assert "100 images that all runs have" in found["notes"][0]
    assert "No groups" in found["notes"][1]


def test_few_groups_give_no_interval() -> None:
    found = compare_values([table(0.2, 5), table(0.1, 6)], object_array([f"g{i % 4}" for i in range(N)]))
    assert found["comparisons"][0]["ratio"]["method"] == "too_few_groups"
    assert "Only 4 groups" in found["notes"][0]


def test_other_true_values_are_refused() -> None:
    with pytest.raises(RunError, match="120 of 120 shared images carry another true value in the second run"):
        compare_values([table(0.2, 5), table(0.1, 6, shift=0.1)])
