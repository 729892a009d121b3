"""Bootstrap weights and the metrics under them."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.evaluate import metrics
from graticule.evaluate.bootstrap import point, replicate, score, statistics
from graticule.evaluate.catalogue import METRICS
from graticule.statistics.resampling import draw_weights


def sample(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), y] += 1.5
    proba = np.exp(logits)
    return y, proba / proba.sum(axis=1, keepdims=True), np.arange(n) % 3


def test_point_is_the_plain_metrics() -> None:
    y, proba, fold = sample(200, 4)
    value = point(score(y, proba, fold))
    confusion = metrics.confusion_matrix(y, proba.argmax(axis=1), 4).astype(float)
    assert value["accuracy"] == pytest.approx(metrics.accuracy(confusion))
    assert value["log_loss"] == pytest.approx(metrics.log_loss(y, proba))
    assert value["brier"] == pytest.approx(metrics.brier(y, proba))
    assert value["ece"] == pytest.approx(metrics.ece(y, proba))
    np.testing.assert_allclose(value["f1"], metrics.f1(confusion))


def test_integer_weights_are_repetitions() -> None:
    y, proba, fold = sample(90, 3)
    weights = np.random.default_rng(1).integers(0, 3, size=(4, 90))
    found = statistics(score(y, proba, fold), weights.astype(float))
    for b in range(4):
        rows = np.repeat(np.arange(90), weights[b])
        repeated = point(score(y[rows], proba[rows], fold[rows]))
        for name in (metric.key for metric in METRICS):
            np.testing.assert_allclose(found[name][b], repeated[name], rtol=1e-10, err_msg=name)


def test_fold_without_a_class_is_left_out_of_the_mean_over_folds() -> None:
    y, proba, _ = sample(60, 3)
    fold = np.where(y == 2, 0, np.arange(60) % 2)
    value = point(score(y, proba, fold))
    inside = point(score(y[fold == 0], proba[fold == 0], fold[fold == 0]))
    assert value["roc_auc"][2] == pytest.approx(inside["roc_auc"][2])
    assert value["average_precision"][2] == pytest.approx(inside["average_precision"][2])


def test_same_seed_same_replicates() -> None:
    y, proba, fold = sample(50, 3)
    scored = score(y, proba, fold)
    a, b = (replicate(scored, draw_weights(np.arange(50), y, 40, np.random.default_rng(9))) for _ in range(2))
    for name, values in a.items():
        np.testing.assert_array_equal(values, b[name])
