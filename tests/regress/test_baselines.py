"""Baselines know the training folds alone."""

from __future__ import annotations

import numpy as np
import pytest
from tests.made_samples import folds_of

from graticule.regress.baselines import constant_baselines, measured_baselines


def test_mean_and_median_of_the_other_folds() -> None:
    values = np.array([0.0, 1.0, 10.0, 20.0, 100.0, 7.0])
    folds = folds_of(["cv", "cv", "cv", "cv", "cv", "test"], [0, 0, 1, 1, 1, -1])
    found = constant_baselines(values, folds)
    np.testing.assert_allclose(found["mean"], [130 / 3, 130 / 3, 0.5, 0.5, 0.5, 131 / 5])
    np.testing.assert_allclose(found["median"], [20, 20, 0.5, 0.5, 0.5, 10])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_measure_is_calibrated_by_a_monotone_map_of_the_training_images(sign: float) -> None:
    rng = np.random.default_rng(0)
    measure = rng.uniform(size=200)
    values = sign * measure**3
    folds = folds_of(["cv"] * 160 + ["test"] * 40, [i % 4 for i in range(160)] + [-1] * 40)
    found = measured_baselines({"m": measure}, values, folds, raw=True)
    assert set(found) == {"m", "m, calibrated"}
    np.testing.assert_array_equal(found["m"], measure)
    np.testing.assert_allclose(found["m, calibrated"], values, atol=0.05)
    moved = values.copy()
    moved[folds.fold == 2] = 9
    again = measured_baselines({"m": measure}, moved, folds, raw=False)
    assert set(again) == {"m, calibrated"}
    np.testing.assert_array_equal(again["m, calibrated"][folds.fold == 2], found["m, calibrated"][folds.fold == 2])
