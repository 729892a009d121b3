"""Definitions, degenerate cases and agreement with scikit-learn of the metrics over confusion matrices."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from sklearn import metrics as sk

from graticule.evaluate import metrics
from graticule.evaluate.ranking import average_precision, roc_auc

# The confusion metrics and losses are compared on 10,000 cases always, the ranking metrics (a scikit-learn call per
# case and metric) on as many as this says.
RANKING_CASES = int(os.environ.get("GRATICULE_SKLEARN_CASES", "300"))


def random_cases(rng: np.random.Generator, n_cases: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions, each (n_cases, n), over K classes of which some are missing in either."""
    n, k = int(rng.integers(2, 30)), int(rng.integers(2, 7))
    present = rng.integers(1, k + 1, size=(2, n_cases, 1))
    y, predicted = (np.minimum(rng.integers(k, size=(n_cases, n)), limit) for limit in present)
    agree = rng.random((n_cases, n)) < rng.random((n_cases, 1))
    return y, np.where(agree, y, predicted)


def test_agrees_with_sklearn_on_ten_thousand_confusion_matrices() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        y, predicted = random_cases(rng, 200)
        k = int(max(y.max(), predicted.max())) + 1
        confusion = np.stack(
            [metrics.confusion_matrix(a, b, k) for a, b in zip(y, predicted, strict=True)], dtype=np.float64
        )
        # One column per case and class turns 200 multi-class cases into one multi-label call.
        true = (y[:, None, :] == np.arange(k)[:, None]).reshape(200 * k, -1).T.astype(int)
        called = (predicted[:, None, :] == np.arange(k)[:, None]).reshape(200 * k, -1).T.astype(int)
        known = {"average": None, "zero_division": np.nan}
        prec, sens, f1, _ = sk.precision_recall_fscore_support(true, called, **known)
        spec = sk.recall_score(1 - true, 1 - called, **known)
        present = metrics.support(confusion) > 0
        shape = (200, k)
        np.testing.assert_allclose(metrics.precision(confusion), prec.reshape(shape), atol=1e-12)
        np.testing.assert_allclose(metrics.sensitivity(confusion), sens.reshape(shape), atol=1e-12)
        np.testing.assert_allclose(metrics.specificity(confusion), spec.reshape(shape), atol=1e-12)
        defined = f1.reshape(shape)
        np.testing.assert_allclose(metrics.f1(confusion)[present], np.nan_to_num(defined[present]), atol=1e-12)
        for ours, theirs in (
            (metrics.macro_precision(confusion), prec),
            (metrics.balanced_accuracy(confusion), sens),
            (metrics.macro_f1(confusion), f1),
        ):
            expected = np.nanmean(np.where(present, np.nan_to_num(theirs.reshape(shape)), np.nan), axis=1)
            np.testing.assert_allclose(ours, expected, atol=1e-12)
        np.testing.assert_allclose(metrics.accuracy(confusion), (y == predicted).mean(axis=1))


def test_macro_averages_are_those_of_sklearn_over_present_classes() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        y, predicted = (a[0] for a in random_cases(rng, 1))
        confusion = metrics.confusion_matrix(y, predicted, 7).astype(float)
        kept = {"labels": np.unique(y), "average": "macro", "zero_division": 0}
        assert metrics.macro_precision(confusion) == pytest.approx(sk.precision_score(y, predicted, **kept))
        assert metrics.balanced_accuracy(confusion) == pytest.approx(sk.recall_score(y, predicted, **kept))
        assert metrics.macro_f1(confusion) == pytest.approx(sk.f1_score(y, predicted, **kept))
        assert metrics.accuracy(confusion) == pytest.approx(sk.accuracy_score(y, predicted))


def test_losses_agree_with_sklearn_on_ten_thousand_cases() -> None:
    # scikit-learn's mean with random case weights is one number that all 200 cases of a call must get right.
    rng = np.random.default_rng(2)
    for _ in range(50):
        n, k = int(rng.integers(1, 30)), int(rng.integers(2, 7))
        proba = rng.dirichlet(np.full(k, 0.3), size=(200, n))
        y = rng.integers(k, size=(200, n))
        y[0, 0], proba[0, 0] = 0, np.eye(k)[1]
        weight = rng.random(200)
        call = {"labels": range(k), "sample_weight": np.repeat(weight, n)}
        flat = (y.ravel(), proba.reshape(-1, k))
        ours = [(metrics.log_loss(a, b), metrics.brier(a, b)) for a, b in zip(y, proba, strict=True)]
        expected = [sk.log_loss(*flat, **call), sk.brier_score_loss(*flat, **call, scale_by_half=False)]
        np.testing.assert_allclose(np.average(ours, axis=0, weights=weight), expected, rtol=1e-10)


def test_ranking_agrees_with_sklearn_with_ties_and_weights() -> None:
    rng = np.random.default_rng(3)
    with sk_fast():
        for _ in range(math.ceil(RANKING_CASES / 10)):
            n = int(rng.integers(2, 40))
            positive = rng.random(n) < rng.uniform(0.05, 0.95)
            positive[0], positive[1] = True, False
            scores = np.round(rng.random(n), int(rng.integers(1, 4)))
            weights = rng.integers(0, 4, size=(10, n)).astype(float)
            weights[0] = 1.0
            weights[:, :2] += 1.0
            auc, ap = roc_auc(scores, positive, weights), average_precision(scores, positive, weights)
            for b in range(10):
                call = {"sample_weight": weights[b]}
                assert auc[b] == pytest.approx(sk.roc_auc_score(positive, scores, **call), abs=1e-12)
                assert ap[b] == pytest.approx(sk.average_precision_score(positive, scores, **call), abs=1e-12)


def sk_fast():  # type: ignore[no-untyped-def]
    import sklearn

    return sklearn.config_context(assume_finite=True, skip_parameter_validation=True)


def test_golden_confusion_matrix() -> None:
    confusion = np.array([[8.0, 2.0, 0.0], [1.0, 4.0, 0.0], [5.0, 0.0, 0.0]])
    assert metrics.accuracy(confusion) == pytest.approx(12 / 20)
    np.testing.assert_allclose(metrics.sensitivity(confusion), [0.8, 0.8, 0.0])
    np.testing.assert_allclose(metrics.precision(confusion), [8 / 14, 4 / 6, np.nan])
    np.testing.assert_allclose(metrics.specificity(confusion), [4 / 10, 13 / 15, 1.0])
    np.testing.assert_allclose(metrics.f1(confusion), [16 / 24, 8 / 11, 0.0])
    # The class that is never predicted counts as 0, so giving it up does not pay.
    assert metrics.macro_precision(confusion) == pytest.approx((8 / 14 + 4 / 6 + 0) / 3)
    assert metrics.macro_f1(confusion) == pytest.approx((16 / 24 + 8 / 11 + 0) / 3)


def test_absent_class_is_left_out_of_macro_averages() -> None:
    confusion = np.array([[3.0, 1.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    assert metrics.balanced_accuracy(confusion) == pytest.approx((0.75 + 1.0) / 2)
    assert metrics.macro_f1(confusion) == pytest.approx((6 / 7 + 8 / 9) / 2)
    assert math.isnan(metrics.f1(confusion)[2])
    assert math.isnan(metrics.sensitivity(confusion)[2])


def test_single_class_has_no_specificity_and_no_samples_no_accuracy() -> None:
    confusion = np.array([[3.0, 1.0], [0.0, 0.0]])
    assert math.isnan(metrics.specificity(confusion)[0])
    assert math.isnan(metrics.macro_specificity(confusion))
    assert metrics.balanced_accuracy(confusion) == pytest.approx(0.75)
    assert math.isnan(metrics.accuracy(np.zeros((2, 2))))
    assert math.isnan(metrics.macro_f1(np.zeros((2, 2))))


def test_leading_axes_are_replicates() -> None:
    rng = np.random.default_rng(4)
    stack = rng.integers(0, 4, size=(5, 6, 3, 3)).astype(float)
    for function in (metrics.accuracy, metrics.macro_precision, metrics.macro_specificity, metrics.f1):
        whole = function(stack)
        for i in range(5):
            for j in range(6):
                np.testing.assert_array_equal(whole[i, j], function(stack[i, j]))


def test_relabelling_classes_permutes_per_class_and_keeps_macro() -> None:
    confusion = np.random.default_rng(5).integers(1, 9, size=(4, 4)).astype(float)
    order = np.array([2, 0, 3, 1])
    moved = confusion[np.ix_(order, order)]
    np.testing.assert_allclose(metrics.precision(moved), metrics.precision(confusion)[order])
    assert metrics.macro_f1(moved) == pytest.approx(metrics.macro_f1(confusion))


def test_log_loss_is_clipped_at_machine_precision() -> None:
    assert metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(36.0437, abs=1e-3)
    assert metrics.log_loss(np.array([0]), np.array([[0.25, 0.75]])) == pytest.approx(math.log(4))


def test_brier_ranges_from_zero_to_two() -> None:
    proba = np.array([[1.0, 0.0, 0.0]])
    assert metrics.brier(np.array([0]), proba) == 0.0
    assert metrics.brier(np.array([2]), proba) == 2.0


def test_ece_golden_and_bin_edges() -> None:
    # 0.2 of 15 bins is exactly an edge: it belongs to the bin below, as do 0 and 1 to the first and last.
    np.testing.assert_array_equal(metrics.ece_bins(np.array([0.0, 0.2, 0.2 + 1e-9, 1.0]), 5), [0, 0, 1, 4])
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    y = np.array([0, 1, 0, 0])
    assert metrics.ece(y, proba) == pytest.approx(0.5 * abs(0.5 - 0.9) + 0.5 * abs(1.0 - 0.6))


def test_ece_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(6)
    for _ in range(200):
        n, k = int(rng.integers(1, 40)), int(rng.integers(2, 6))
        proba, y = rng.dirichlet(np.ones(k), size=n), rng.integers(k, size=n)
        top, right = proba.max(axis=1), proba.argmax(axis=1) == y
        expected = 0.0
        for b in range(15):
            inside = (top > b / 15) & (top <= (b + 1) / 15)
            if inside.any():
                expected += inside.mean() * abs(right[inside].mean() - top[inside].mean())
        assert metrics.ece(y, proba) == pytest.approx(expected, abs=1e-12)
