"""Baselines know the training folds alone."""

from __future__ import annotations

import numpy as np
from tests.made_samples import folds_of

from graticule.regress.outcome import constant_baselines


def test_mean_and_median_of_the_other_folds() -> None:
    values = np.array([0.0, 1.0, 10.0, 20.0, 100.0, 7.0])
    folds = folds_of(["cv", "cv", "cv", "cv", "cv", "test"], [0, 0, 1, 1, 1, -1])
    found = constant_baselines(values, folds)
    np.testing.assert_allclose(found["mean"], [130 / 3, 130 / 3, 0.5, 0.5, 0.5, 131 / 5])
    np.testing.assert_allclose(found["median"], [20, 20, 0.5, 0.5, 0.5, 10])
