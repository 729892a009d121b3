"""Curves and limits behind the pictures, against scikit-learn, SciPy and planted truth."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from graticule.report.curves import (
    Curve,
    funnel_limits,
    precision_recall_points,
    roc_points,
    step_vertices,
    thin,
)


def sample(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores, with many ties in every other draw."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 80))
    positive = rng.random(n) < rng.uniform(0.05, 0.95)
    positive[:2] = [True, False]
    score = rng.normal(size=n) + positive
    return positive, np.round(score) if seed % 2 else score


@pytest.mark.parametrize("seed", range(60))
def test_roc_points_are_those_of_scikit_learn(seed: int) -> None:
    positive, score = sample(seed)
    curve = roc_points(positive, score)
    fpr, tpr, _ = roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.x, fpr)
    np.testing.assert_allclose(curve.y, tpr)
    assert auc(curve.x, curve.y) == pytest.approx(roc_auc_score(positive, score))


@pytest.mark.parametrize("seed", range(60))
def test_precision_recall_points_are_those_of_scikit_learn(seed: int) -> None:
    positive, score = sample(seed)
    curve = precision_recall_points(positive, score)
    precision, recall, _ = precision_recall_curve(positive, score)
    # scikit-learn runs from the lowest threshold up and appends the invented point (0, 1).
    np.testing.assert_allclose(curve.x, recall[-2::-1])
    np.testing.assert_allclose(curve.y, precision[-2::-1])
    steps = step_vertices(curve)
    assert np.trapezoid(steps.y, steps.x) == pytest.approx(average_precision_score(positive, score))


def test_curves_without_a_side_are_not_defined() -> None:
    score = np.array([0.2, 0.7])
    assert not roc_points(np.array([True, True]), score).defined
    assert not roc_points(np.array([False, False]), score).defined
    assert not precision_recall_points(np.array([False, False]), score).defined
    assert not roc_points(np.zeros(0, dtype=bool), np.zeros(0)).defined
    assert not step_vertices(Curve(np.empty(0), np.empty(0))).defined


def test_thin_keeps_corners_and_drops_what_cannot_be_seen() -> None:
    x = np.concatenate([np.zeros(500), np.linspace(0, 1, 500)])
    y = np.concatenate([np.linspace(0, 1, 500), np.ones(500)])
    assert thin(Curve(x, y), grid=100).tolist() == [[0, 0], [0, 100], [100, 100]]
    there_and_back = Curve(np.array([0.0, 1.0, 0.5]), np.zeros(3))
    assert thin(there_and_back, grid=10).tolist() == [[0, 0], [10, 0], [5, 0]]
    assert thin(Curve(np.empty(0), np.empty(0))).shape == (0, 2)


def test_thin_does_not_grow_with_the_sample() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(50_000) < 0.5
    curve = roc_points(positive, rng.normal(size=50_000) + positive)
    assert len(curve.x) > 20_000
    assert len(thin(curve, grid=200)) < 400


@pytest.mark.parametrize("share", [0.5, 0.81, 0.99])
def test_a_group_is_below_the_funnel_exactly_when_binomially_unlikely(share: float) -> None:
    n = np.array([1, 2, 3, 5, 10, 37, 200])
    lower, upper = funnel_limits(n, share)
    for i, size in enumerate(n):
        for successes in range(size + 1):
            assert (successes / size < lower[i] - 1e-9) == (binom.cdf(successes, size, share) < 0.025)
            assert (successes / size > upper[i] + 1e-9) == (binom.sf(successes - 1, size, share) < 0.025)


def test_funnel_of_a_faultless_classifier_is_closed() -> None:
    lower, upper = funnel_limits(np.array([1, 10]), 1.0)
    assert lower.tolist() == [1.0, 1.0]
    assert upper.tolist() == [1.0, 1.0]
