"""Fitted heads against scikit-learn's own decisions; whitening, temperature, and awkward features."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from graticule.heads.heads import (
    HeadSettings,
    balanced_log_loss,
    fit_temperature,
    kernel_width,
    make_classifier,
    mean_of_linear,
)
from graticule.heads.heads import fit_head as fit_rows
from graticule.heads.scaling import Scalings, ShrunkWhitening
from graticule.heads.scoring import Head, LinearHead, probabilities, scores, softmax

Ints = NDArray[np.int64]


def fit_head(x: NDArray[np.float32], y: Ints, n_classes: int, settings: HeadSettings, temperature: float) -> Head:
    """A head on all rows of features that are one whole."""
    return fit_rows(Scalings.whole(x), y, n_classes, settings, temperature)


def make_scaling(shrinkage: float) -> Pipeline:
    """Root, standardise and whiten by scikit-learn's steps."""
    steps = [FunctionTransformer(lambda x: np.sign(x) * np.sqrt(np.abs(x))), StandardScaler()]
    return Pipeline([("root", steps[0]), ("standardise", steps[1]), ("whiten", ShrunkWhitening(shrinkage))])


def make_head_pipeline(settings: HeadSettings) -> Pipeline:
    """The whole head as an unfitted scikit-learn pipeline over raw features (RBF width on scikit-learn's "scale")."""
    classifier = make_classifier(settings)
    if settings.kind == "rbf_svm":
        classifier.set_params(gamma="scale")
    return Pipeline([*make_scaling(settings.shrinkage).steps, ("classify", classifier)])


def planted(n_classes: int, n: int = 240, d: int = 10, seed: int = 0) -> tuple[NDArray[np.float32], Ints]:
    """Overlapping classes with correlated, skewed features."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % n_classes)
    mixing = rng.normal(size=(d, d))
    x = rng.normal(size=(n_classes, d))[y] + rng.normal(size=(n, d)) @ mixing / 2
    return (np.sign(x) * x**2).astype(np.float32), y.astype(np.int64)


@pytest.mark.parametrize("shrinkage", [1.0, 0.2])
@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_logistic_head_is_the_pipeline(n_classes: int, balanced: bool, shrinkage: float) -> None:
    x, y = planted(n_classes)
    settings = HeadSettings("logistic", 0.5, shrinkage, balanced=balanced)
    fresh = planted(n_classes, seed=1)[0]
    expected = make_head_pipeline(settings).fit(x, y).predict_proba(fresh)
    found = probabilities([fit_head(x, y, n_classes, settings, 1.0)], fresh)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert 0.2 < expected.max(axis=1).mean() < 0.99


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_linear_svm_head_is_the_pipeline(n_classes: int) -> None:
    x, y = planted(n_classes)
    settings = HeadSettings("linear_svm", 0.01, 0.5)
    fresh = planted(n_classes, seed=1)[0]
    expected = make_head_pipeline(settings).fit(x, y).decision_function(fresh)
    found = scores(fit_head(x, y, n_classes, settings, 1.0), fresh)
    if n_classes == 2:
        np.testing.assert_allclose(found[:, 1] - found[:, 0], expected, atol=1e-4)
        np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-4)
    else:
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_rbf_head_is_the_mean_of_pairwise_margins(n_classes: int) -> None:
    x, y = planted(n_classes)
    settings = HeadSettings("rbf_svm", 4.0, 0.5, gamma=0.6, balanced=True)
    fresh = planted(n_classes, seed=1)[0]
    scaling = make_scaling(0.5)
    scaled = scaling.fit_transform(x, y)
    machine = make_classifier(settings, kernel_width(scaled)).set_params(decision_function_shape="ovo").fit(scaled, y)
    margins = machine.decision_function(scaling.transform(fresh)).reshape(len(fresh), -1)
    expected = np.zeros((len(fresh), n_classes))
    pairs = [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]
    for (i, j), margin in zip(pairs, margins.T, strict=True):
        towards_first = -margin if n_classes == 2 else margin
        expected[:, i] += towards_first / (n_classes - 1)
        expected[:, j] -= towards_first / (n_classes - 1)
    found = scores(fit_head(x, y, n_classes, settings, 1.0), fresh)
    np.testing.assert_allclose(found, expected, atol=2e-4)
    own = scores(fit_head(x, y, n_classes, settings, 1.0), x).argmax(axis=1)
    assert np.mean(own == machine.predict(scaling.transform(x))) > 0.97


def test_rbf_width_is_in_units_of_scikit_learns_scale() -> None:
    x, y = planted(3)
    settings = HeadSettings("rbf_svm", 4.0, 0.5, gamma=1.0)
    pipeline = make_head_pipeline(settings).fit(x, y)
    head = fit_head(x, y, 3, settings, 1.0)
    assert vars(head)["gamma"] == pytest.approx(pipeline["classify"]._gamma, rel=1e-4)


@pytest.mark.parametrize("kind", ["logistic", "linear_svm", "rbf_svm"])
def test_fitting_changes_no_input_and_is_reproducible(kind: str) -> None:
    x, y = planted(3)
    before = x.copy()
    one, other = (fit_head(x, y, 3, HeadSettings(kind, 0.1, 0.3), 2.0) for _ in range(2))
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(probabilities([one], x), probabilities([other], x))


def test_whitening_gives_identity_within_classes() -> None:
    x, y = planted(3, n=3000)
    standard = StandardScaler().fit_transform(x).astype(np.float32)
    white = ShrunkWhitening(1e-6).fit(standard, y).transform(standard.copy())
    centred = white - np.stack([white[y == k].mean(axis=0) for k in range(3)])[y]
    np.testing.assert_allclose(centred.T @ centred / len(y), np.eye(10), atol=1e-3)


def test_shrinkage_of_one_only_standardises() -> None:
    x, y = planted(3)
    standard = StandardScaler().fit_transform(x).astype(np.float32)
    step = ShrunkWhitening(1.0).fit(standard, y)
    np.testing.assert_array_equal(step.transform(standard.copy()), standard)
    np.testing.assert_array_equal(step.matrix(10), np.eye(10))


def test_whitening_matrix_is_what_transform_does() -> None:
    x, y = planted(3, n=500)
    standard = StandardScaler().fit_transform(x).astype(np.float32)
    step = ShrunkWhitening(0.3).fit(standard, y)
    np.testing.assert_allclose(step.transform(standard.copy()), standard @ step.matrix(10), atol=1e-4)
    within = standard - np.stack([standard[y == k].mean(axis=0) for k in range(3)])[y]
    shrunk = 0.7 * within.T @ within / len(y) + 0.3 * np.eye(10)
    np.testing.assert_allclose(step.matrix(10) @ step.matrix(10).T, np.linalg.inv(shrunk), rtol=1e-3, atol=1e-4)


def test_whitening_in_blocks_is_whitening_at_once() -> None:
    x, y = planted(2, n=5000)
    few = ShrunkWhitening(0.2).fit(x, y)
    whole = few.transform(x.copy())
    parts = [few.transform(x[start : start + 777].copy()) for start in range(0, 5000, 777)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 6.0])
def test_a_planted_temperature_is_found(temperature: float) -> None:
    rng = np.random.default_rng(5)
    raw = rng.normal(size=(20_000, 3)) * 2
    drawn = (softmax(raw).cumsum(axis=1) < rng.random((len(raw), 1))).sum(axis=1)
    assert fit_temperature(raw / temperature, drawn) == pytest.approx(temperature, rel=0.05)


def test_temperature_stays_in_its_range() -> None:
    inverse = np.eye(2)[[0, 1, 0, 1]] * 10
    assert fit_temperature(inverse, np.array([1, 0, 1, 0])) == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("n", [12, 54, 600])
def test_a_part_without_an_error_does_not_make_the_scores_certain(n: int) -> None:
    y = np.arange(n) % 3
    scores = np.eye(3)[y] * 0.4
    p = softmax(fit_temperature(scores, y) * scores)[np.arange(n), y]
    # all images are alike: their score is what one error among n + 2 would make it
    np.testing.assert_allclose(p, 1 - 1 / (n + 2), rtol=1e-3)


def test_balanced_log_loss_is_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    raw = rng.normal(size=(200, 3))
    y = rng.choice(3, 200, p=[0.8, 0.15, 0.05])
    expected = log_loss(y, softmax(1.7 * raw), sample_weight=compute_sample_weight("balanced", y))
    assert balanced_log_loss(raw, y, 1.7) == pytest.approx(expected)
    absent = balanced_log_loss(raw[y < 2], y[y < 2], 1.0)
    assert np.isfinite(absent)
    assert balanced_log_loss(np.array([[1e9, 0.0]]), np.array([1]), 1.0) == pytest.approx(-np.log(1e-12))


@pytest.mark.parametrize("kind", ["logistic", "linear_svm", "rbf_svm"])
@pytest.mark.parametrize("shrinkage", [1.0, 0.2])
def test_constant_features_do_no_harm(kind: str, shrinkage: float) -> None:
    x, y = planted(3)
    constant = np.column_stack([x, np.zeros(len(x)), np.full(len(x), 3.7)]).astype(np.float32)
    settings = HeadSettings(kind, 0.1, shrinkage)
    found = probabilities([fit_head(constant, y, 3, settings, 1.0)], constant)
    assert np.isfinite(found).all()
    plain = probabilities([fit_head(x, y, 3, settings, 1.0)], x)
    assert np.mean(found.argmax(axis=1) == plain.argmax(axis=1)) > 0.97
    moved = constant.copy()
    moved[:, -2:] += 0.5
    assert np.isfinite(probabilities([fit_head(constant, y, 3, settings, 1.0)], moved)).all()


@pytest.mark.parametrize("kind", ["logistic", "linear_svm", "rbf_svm"])
def test_balanced_heads_find_the_rare_class(kind: str) -> None:
    x, y = planted(2, n=2000, seed=3)
    kept = np.flatnonzero((y == 0) | (np.arange(2000) < 100))
    x, y = x[kept], y[kept]
    assert 30 < y.sum() < 70
    recall = {}
    for balanced in (False, True):
        head = fit_head(x, y, 2, HeadSettings(kind, 0.01, 0.5, balanced=balanced), 1.0)
        recall[balanced] = float(np.mean(probabilities([head], x)[y == 1].argmax(axis=1) == 1))
    assert recall[True] > 0.8
    assert recall[True] > recall[False]


def test_mean_of_linear_heads() -> None:
    x, y = planted(3)
    heads = [fit_head(x, y, 3, HeadSettings("logistic", C, s), t) for C, s, t in ((0.1, 1.0, 2.0), (1.0, 0.2, 0.5))]
    mean = mean_of_linear(heads, 1.5)
    expected = (2.0 * scores(heads[0], x) + 0.5 * scores(heads[1], x)) / 2
    np.testing.assert_allclose(scores(mean, x), expected, rtol=1e-4, atol=1e-4)
    assert mean.temperature == 1.5
    machine = fit_head(x, y, 3, HeadSettings("rbf_svm", 1.0), 1.0)
    with pytest.raises(TypeError, match="only linear heads"):
        mean_of_linear([heads[0], machine], 1.0)


def test_linear_head_is_one_matrix() -> None:
    x, y = planted(5)
    head = fit_head(x, y, 5, HeadSettings("logistic", 0.1, 0.2), 1.0)
    assert isinstance(head, LinearHead)
    assert (head.weights.shape, head.bias.shape, head.weights.dtype) == ((5, 10), (5,), np.float32)


def test_settings_for_the_report() -> None:
    assert HeadSettings("logistic", 0.1).describe() == {
        "C": 0.1,
        "shrinkage": 1.0,
        "balanced": False,
        "parts": "all",
    }
    assert HeadSettings("logistic", 0.1, parts=("whole", "centre")).describe()["parts"] == "whole + centre"
    assert HeadSettings("rbf_svm", 4.0).describe()["gamma"] == 0.25
