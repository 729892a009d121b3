"""Ratios and means that are NaN where there is nothing."""

from __future__ import annotations

import numpy as np

from graticule.statistics.ratios import divide, mean_where, nan_mean


def test_a_quotient_by_nothing_is_undefined() -> None:
    np.testing.assert_array_equal(divide(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 0.0])), [0.5, np.nan, np.nan])
    assert divide(np.ones((2, 1)), np.full((1, 3), 4.0)).tolist() == [[0.25] * 3] * 2


def test_means_of_what_is_known_and_of_what_is_chosen() -> None:
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(nan_mean(values, axis=1), [2.0, np.nan])
    np.testing.assert_array_equal(nan_mean(values, axis=0), [1.0, np.nan, 3.0])
    chosen = np.array([[True, False, True], [False, False, False]])
    np.testing.assert_array_equal(mean_where(values, chosen), [2.0, np.nan])
    assert np.isnan(mean_where(values, np.ones((2, 3), dtype=bool))).all()
