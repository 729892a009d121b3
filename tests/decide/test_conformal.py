"""Prediction sets: coverage as promised by class, groups as units, CV+ by hand."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.conformal import nonconformity, p_values, prediction_sets, prepare_sets, promise
from graticule.decide.evidence import SHIPPED, Evidence
from graticule.heads.scoring import softmax


def evidence_of(proba: np.ndarray, y: np.ndarray, *, fold: np.ndarray | None = None, unit: np.ndarray | None = None):
    n = len(y)
    return Evidence(
        proba,
        proba,
        y,
        np.full(n, SHIPPED) if fold is None else fold,
        np.arange(n) if unit is None else unit,
        unit is not None,
        fold is not None,
    )


def scored(n: int, rng: np.random.Generator, hard: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Three classes, one of which is scored badly."""
    y = rng.integers(0, 3, n)
    scores = rng.normal(size=(n, 3)) + 2.5 * np.eye(3)[y] * np.where(y == hard, 0.4, 1.0)[:, None]
    return softmax(1.5 * scores), y


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_each_class_is_covered_as_promised_the_badly_scored_one_too(score: str) -> None:
    rng = np.random.default_rng(0)
    cover = np.zeros(3)
    for _ in range(60):
        proba, y = scored(600, rng)
        new, truth = scored(600, rng)
        p = p_values(prepare_sets(evidence_of(proba, y), score), new[None], new, 0.9)
        inside = p > 0.1  # without the best class: the bound is about these
        cover += [inside[truth == c, c].mean() for c in range(3)]
    cover /= 60
    # exact for continuous scores up to 1 / (n + 1); 60 repeats of 200 images: standard error 0.004
    assert (cover > 0.9 - 0.012).all()
    if score == "lac":
        assert (cover < 0.9 + 0.02).all()


def test_lac_sets_agree_with_a_direct_quantile() -> None:
    rng = np.random.default_rng(1)
    proba, y = scored(500, rng)
    new, _ = scored(300, rng)
    p = p_values(prepare_sets(evidence_of(proba, y)), new[None], new, 0.95)
    inside = prediction_sets(p, new.argmax(1), 0.95)
    for c in range(3):
        own = np.sort(1 - proba[y == c, c])
        rank = int(np.ceil(0.95 * (len(own) + 1)))
        expected = 1 - new[:, c] <= own[rank - 1]
        expected[new.argmax(1) == c] = True
        assert np.array_equal(inside[:, c], expected)


def test_groups_count_once_each() -> None:
    rng = np.random.default_rng(2)
    misses = []
    for _ in range(400):
        # images of a group share a shift of their score: whole groups are hard
        shift = rng.normal(size=41)
        unit = np.repeat(np.arange(40), rng.integers(1, 30, 40))
        p0 = 1 / (1 + np.exp(-(2 + 1.5 * shift[unit] + 0.3 * rng.normal(size=len(unit)))))
        new = 1 / (1 + np.exp(-(2 + 1.5 * shift[40] + 0.3 * rng.normal(size=1))))
        proba = np.column_stack([p0, 1 - p0])
        table = prepare_sets(evidence_of(proba, np.zeros(len(unit), int), unit=unit))
        query = np.column_stack([new, 1 - new])
        misses.append(float(p_values(table, query[None], query, 0.9)[0, 0] <= 0.1))
    assert table.units[0] == 40
    # 10 % promised; standard error 1.5 %
    assert np.mean(misses) < 0.145


def test_cross_conformal_p_values_by_hand() -> None:
    proba = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    evidence = evidence_of(proba, np.array([0, 0, 0, 1]), fold=np.array([0, 0, 1, 1]))
    members = np.array([[[0.65, 0.35]], [[0.75, 0.25]]])
    p = p_values(prepare_sets(evidence), members, members.mean(0), 0.5)
    # class 0: fold 0 compares 1 - 0.65 = 0.35 with 0.1 and 0.4 (one not below), fold 1 compares 0.25 with 0.3 (one)
    assert p[0, 0] == pytest.approx((1 + 1 + 1) / (1 + 3))
    # class 1: fold 1 compares 0.75 with 0.2 (none)
    assert p[0, 1] == pytest.approx(1 / 2)


def test_a_class_without_enough_evidence_is_named_and_judged_by_all() -> None:
    rng = np.random.default_rng(3)
    proba, y = scored(300, rng)
    keep = (y != 1) | (np.cumsum(y == 1) <= 5)
    evidence = evidence_of(proba[keep], y[keep])
    sets = prepare_sets(evidence)
    told = promise(evidence, sets, 0.95, ["a", "b", "c"])
    assert told["short"] == {"b": [5, 19]}
    p = p_values(sets, proba[None], proba, 0.95)
    assert (p[:, 1] < 1 / 6).any()


def test_what_is_claimed_depends_on_where_the_scores_come_from() -> None:
    rng = np.random.default_rng(4)
    proba, y = scored(300, rng)
    own = evidence_of(proba, y)
    assert promise(own, prepare_sets(own), 0.95, "abc")["proven"] == 0.95
    folds = evidence_of(proba, y, fold=np.arange(300) % 5)
    assert promise(folds, prepare_sets(folds), 0.95, "abc")["proven"] == pytest.approx(0.9)
    refitted = Evidence(proba, proba, y, folds.fold, folds.unit, False, False)
    assert promise(refitted, prepare_sets(refitted), 0.95, "abc")["proven"] is None
    few = evidence_of(proba, y, unit=np.arange(300) % 10)
    assert "no guarantee: 10 groups" in str(promise(few, prepare_sets(few), 0.95, "abc")["words"])


def test_aps_scores_are_cumulative() -> None:
    assert nonconformity(np.array([[0.5, 0.2, 0.3]]), "aps").tolist() == [pytest.approx([0.5, 1.0, 0.8])]


def test_evidence_survives_the_bundle() -> None:
    rng = np.random.default_rng(5)
    proba, y = scored(50, rng)
    evidence = evidence_of(proba.astype(np.float32).astype(float), y, fold=np.arange(50) % 5)
    back = Evidence.unpack(evidence.pack())
    assert back is not None
    assert np.array_equal(back.proba, evidence.proba)
    assert (back.members, back.grouped, back.n_units) == (True, False, 50)
    assert Evidence.unpack({}) is None
