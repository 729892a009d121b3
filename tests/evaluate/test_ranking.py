"""ROC AUC and average precision under bootstrap weights."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.evaluate import ranking
from graticule.evaluate.ranking import average_precision, rank, ranking_metrics, roc_auc


def test_golden_values() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    positive = np.array([True, False, True, False])
    assert roc_auc(scores, positive)[0] == pytest.approx(0.75)
    assert average_precision(scores, positive)[0] == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 3)


def test_all_scores_tied_is_chance() -> None:
    positive = np.arange(20) < 5
    assert roc_auc(np.zeros(20), positive)[0] == pytest.approx(0.5)
    assert average_precision(np.zeros(20), positive)[0] == pytest.approx(0.25)


def test_weights_are_repetitions_and_zero_weights_removals() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 6, 30) / 6, rng.random(30) < 0.4
    weights = rng.integers(0, 4, size=(25, 30))
    auc, ap = ranking_metrics(rank(scores, positive), weights.astype(float))
    for b in range(25):
        repeated = np.repeat(np.arange(30), weights[b])
        assert auc[b] == pytest.approx(roc_auc(scores[repeated], positive[repeated])[0])
        assert ap[b] == pytest.approx(average_precision(scores[repeated], positive[repeated])[0])


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    ranked = rank(rng.random(50), rng.random(50) < 0.5)
    weights = rng.random((40, 50))
    whole = ranking_metrics(ranked, weights)
    monkeypatch.setattr(ranking, "CHUNK_BYTES", 8)
    for a, b in zip(whole, ranking_metrics(ranked, weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_monotone_transform_and_order_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    scores, positive = rng.normal(size=80), rng.random(80) < 0.3
    shuffled = rng.permutation(80)
    for metric in (roc_auc, average_precision):
        assert metric(np.exp(scores), positive)[0] == pytest.approx(metric(scores, positive)[0])
        assert metric(scores[shuffled], positive[shuffled])[0] == pytest.approx(metric(scores, positive)[0])
    assert roc_auc(-scores, positive)[0] == pytest.approx(1 - roc_auc(scores, positive)[0])


def test_rows_of_a_fold() -> None:
    rng = np.random.default_rng(3)
    scores, positive = rng.random(40), rng.random(40) < 0.5
    rows = np.arange(0, 40, 2)
    weights = rng.random((3, 40))
    auc, _ = ranking_metrics(rank(scores, positive, rows), weights)
    np.testing.assert_allclose(auc, roc_auc(scores[rows], positive[rows], weights[:, rows]))


def test_undefined_cases() -> None:
    scores = np.array([0.1, 0.2, 0.3])
    nothing, everything = np.zeros(3, dtype=bool), np.ones(3, dtype=bool)
    assert np.isnan(roc_auc(scores, nothing)[0])
    assert np.isnan(average_precision(scores, nothing)[0])
    assert np.isnan(roc_auc(scores, everything)[0])
    assert average_precision(scores, everything)[0] == 1.0
    weights = np.array([[0.0, 1.0, 1.0]])
    assert np.isnan(roc_auc(scores, np.array([True, False, False]), weights)[0])
