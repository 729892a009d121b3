"""Calibration: planted distortions are undone, calibrated scores are left alone, maps survive the bundle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from graticule.errors import BundleError
from graticule.evaluate.metrics import log_loss
from graticule.heads.calibration import METHODS, Calibration
from graticule.heads.calibration_fit import choose_calibration, fit_calibration, paired_gain
from graticule.heads.scoring import softmax


def drawn(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities and labels drawn from them."""
    rng = np.random.default_rng(seed)
    proba = softmax(2.5 * rng.normal(size=(n, k)))
    return proba, (rng.random(n)[:, None] > proba.cumsum(1)).sum(1).clip(max=k - 1)


def distorted(proba: np.ndarray, slope: float, offset: np.ndarray | float = 0.0) -> np.ndarray:
    return softmax(slope * np.log(proba) + offset)


def test_overconfident_scores_get_the_planted_temperature_back() -> None:
    proba, y = drawn(4000, 5, 0)
    choice = choose_calibration(distorted(proba, 2.0), y, None)
    assert choice.calibration.method == "temperature"
    assert choice.calibration.values["slope"][0] == pytest.approx(0.5, abs=0.03)
    assert log_loss(y, choice.crossfitted) == pytest.approx(log_loss(y, proba), abs=0.005)


def test_a_shift_of_the_class_shares_takes_vector_scaling() -> None:
    proba, y = drawn(4000, 3, 1)
    choice = choose_calibration(distorted(proba, 1.0, np.array([1.5, 0.0, -1.5])), y, None)
    assert choice.calibration.method in ("vector", "sigmoid")
    assert log_loss(y, choice.crossfitted) < log_loss(y, proba) + 0.01


@pytest.mark.parametrize("seed", range(8))
def test_calibrated_scores_are_left_alone(seed: int) -> None:
    proba, y = drawn(1500, 4, 10 + seed)
    assert choose_calibration(proba, y, None).calibration.method == "none"


def test_the_crossfitted_score_of_an_image_does_not_depend_on_its_own_label() -> None:
    proba, y = drawn(600, 3, 3)
    scores = distorted(proba, 3.0)
    unit = np.arange(600) // 2
    one = choose_calibration(scores, y, unit)
    turned = y.copy()
    turned[[10, 11]] = turned[[11, 10]]
    other = choose_calibration(scores, turned, unit)
    assert one.calibration.method == other.calibration.method == "temperature"
    assert np.array_equal(one.crossfitted[10], other.crossfitted[10])


def test_temperature_agrees_with_a_plain_search_for_the_lowest_log_loss() -> None:
    proba, y = drawn(5000, 4, 4)
    scores = distorted(proba, 1.7)
    found = fit_calibration("temperature", scores, y).values["slope"][0]
    plain = minimize_scalar(lambda t: log_loss(y, softmax(t * np.log(scores))), bounds=(0.1, 5), method="bounded")
    assert found == pytest.approx(plain.x, abs=2e-3)


def test_isotonic_maps_agree_with_scikit_learn_between_its_ends() -> None:
    from sklearn.isotonic import IsotonicRegression

    proba, y = drawn(3000, 2, 5)
    ours = fit_calibration("isotonic", proba, y)(proba)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(proba[:, 1], y == 1).predict(proba[:, 1])
    inner = (theirs > 0.1) & (theirs < 0.9)
    assert np.abs(ours[inner, 1] - theirs[inner]).max() < 0.02
    assert ours.min() > 0.0


@pytest.mark.parametrize("method", METHODS)
def test_rows_sum_to_one_and_maps_survive_json(method: str) -> None:
    proba, y = drawn(1200, 3, 6)
    fitted = fit_calibration(method, proba, y)
    edge = np.vstack([proba[:50], [[1.0, 0.0, 0.0]]])
    out = fitted(edge)
    assert np.allclose(out.sum(1), 1.0)
    assert np.isfinite(np.log(np.maximum(out, 1e-300))).all()
    assert np.array_equal(Calibration.from_json(fitted.to_json())(edge), out)


def test_a_damaged_calibration_is_refused() -> None:
    with pytest.raises(BundleError, match="unknown"):
        Calibration.from_json({"method": "magic"})
    with pytest.raises(BundleError, match="lacks"):
        Calibration.from_json({"method": "temperature"})


def test_few_images_are_not_calibrated() -> None:
    proba, y = drawn(60, 3, 7)
    choice = choose_calibration(distorted(proba, 3.0), y, None)
    assert choice.calibration.method == "none"
    assert "at least 100" in choice.note


def test_the_error_of_a_gain_counts_groups() -> None:
    rng = np.random.default_rng(0)
    effect = np.repeat(rng.normal(size=40), 25)
    alone, grouped = paired_gain(effect, None)[1], paired_gain(effect, np.repeat(np.arange(40), 25))[1]
    assert grouped == pytest.approx(effect[::25].std(ddof=1) / np.sqrt(40), rel=1e-9)
    assert grouped > 4 * alone
