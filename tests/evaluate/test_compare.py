"""Paired comparison of two sets of predictions."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from graticule.errors import RunError
from graticule.evaluate.compare import COMPARED, align, bonett_price, compare_predictions, mcnemar, sign_flip
from graticule.evaluate.sampling import Groups
from graticule.evaluate.summary import summarise
from graticule.predictions import Predictions


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


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (3, 3), (1, 9), (12, 4), (0, 40), (211, 180)])
def test_mcnemar_is_the_binomial_test(only_a: int, only_b: int) -> None:
    right_a = np.array([True] * only_a + [False] * only_b + [True, False])
    right_b = np.array([False] * only_a + [True] * only_b + [True, False])
    expected = binomtest(only_a, only_a + only_b, 0.5).pvalue if only_a + only_b else 1.0
    assert mcnemar(right_a, right_b)["p"] == pytest.approx(expected)


def test_sign_flip_is_exact() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        n_groups = int(rng.integers(6, 11))
        right_a, right_b = rng.random(60) < 0.6, rng.random(60) < 0.75
        groups = group_codes(60, n_groups)
        gain = np.array([(right_b[groups.codes == g] * 1 - right_a[groups.codes == g]).sum() for g in range(n_groups)])
        flips = np.array(list(product([-1, 1], repeat=n_groups))) @ gain
        expected = (np.abs(flips) >= abs(gain.sum())).mean()
        assert sign_flip(right_a, right_b, groups)["p"] == pytest.approx(expected)


def test_sign_flip_by_random_flips_comes_close_and_repeats() -> None:
    rng = np.random.default_rng(3)
    right_a, right_b = rng.random(800) < 0.6, rng.random(800) < 0.62
    groups = group_codes(800, 40)
    found = sign_flip(right_a, right_b, groups, seed=4)
    assert found == sign_flip(right_a, right_b, groups, seed=4)
    gain = np.bincount(groups.codes, right_b * 1.0 - right_a)
    normal = abs(gain.sum()) / np.sqrt((gain**2).sum())
    assert found["p"] == pytest.approx(2 * norm.sf(normal), abs=0.06)


def test_sign_flip_keeps_its_level() -> None:
    rng = np.random.default_rng(5)
    groups = group_codes(120, 10)
    p = []
    for _ in range(400):
        shift = rng.choice([-0.3, 0.3], size=10)[groups.codes]
        p.append(sign_flip(rng.random(120) < 0.6 + shift, rng.random(120) < 0.6 - shift, groups)["p"])
    assert np.mean(np.array(p) <= 0.05) <= 0.08


def test_bonett_price_golden_and_zero_discordance() -> None:
    right_a = np.array([True] * 36 + [True] * 4 + [False] * 10 + [False] * 50)
    right_b = np.array([True] * 36 + [False] * 4 + [True] * 10 + [False] * 50)
    gain, loss = 11 / 102, 5 / 102
    half = 1.959964 * np.sqrt((gain + loss - (gain - loss) ** 2) / 102)
    assert bonett_price(right_a, right_b, 0.95) == pytest.approx((gain - loss - half, gain - loss + half), abs=1e-6)
    low, high = bonett_price(right_a, right_a, 0.95)
    assert low < 0 < high


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
