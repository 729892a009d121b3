"""A rising curve is found again, out of fold, and images of one figure get one value."""

import numpy as np
import pytest

from graticule.evaluate.values.calibration import calibrated, calibrated_out_of_fold


def test_a_rising_curve_is_found_again() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 500)
    y = x**2
    np.testing.assert_allclose(calibrated(x, y, np.array([0.2, 0.5, 0.9])), [0.04, 0.25, 0.81], atol=0.01)


def test_it_never_falls_and_stays_within_the_targets() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1, 60), rng.uniform(0, 1, 60)
    found = calibrated(x, y, np.linspace(-1, 2, 50))
    assert (np.diff(found) >= -1e-12).all()
    assert y.min() <= found.min()
    assert found.max() <= y.max()


def test_ties_get_their_mean_and_what_is_missing_the_middle() -> None:
    x, y = np.array([1.0, 1.0, 2.0, np.nan]), np.array([0.0, 1.0, 3.0, 0.5])
    assert calibrated(x, y, np.array([1.0]))[0] == pytest.approx(0.5)
    assert np.isfinite(calibrated(x, y, np.array([np.nan]))).all()


def test_no_image_is_calibrated_by_its_own_fold() -> None:
    x = np.arange(8.0)
    y = x.copy()
    fold = np.repeat([0, 1], 4)
    changed = y.copy()
    changed[fold == 0] = 100 + x[fold == 0]
    np.testing.assert_array_equal(
        calibrated_out_of_fold(x, y, fold)[fold == 0], calibrated_out_of_fold(x, changed, fold)[fold == 0]
    )
