"""Band matrices against SciPy's filters."""

import numpy as np
import pytest
import scipy.ndimage

from graticule.directions.filters import along_rows, gaussian_taps, places, transposed


@pytest.mark.parametrize("shape", [(40, 31), (7, 50), (3, 3)])
@pytest.mark.parametrize("sigma", [1.0, 2.5])
def test_the_gaussian_is_scipys(shape: tuple[int, int], sigma: float) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    ours = transposed(along_rows(transposed(along_rows(values, sigma)), sigma))
    theirs = scipy.ndimage.gaussian_filter(values.astype(np.float64), sigma, mode="reflect", truncate=4.0)
    assert ours == pytest.approx(theirs, abs=1e-5)


def test_a_ramp_has_its_slope() -> None:
    ramp = np.tile(3 * np.arange(40, dtype=np.float32), (30, 1))
    assert along_rows(ramp, 1.5, derivative=True) == pytest.approx(0, abs=1e-4)
    assert along_rows(transposed(ramp), 1.5, derivative=True)[10:30] == pytest.approx(3, abs=1e-4)
    assert gaussian_taps(2.0).sum() == pytest.approx(1)


@pytest.mark.parametrize("length", [20, 21, 22, 23])
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_places_between_are_left_out_and_the_ends_lose_alike(length: int, step: int) -> None:
    values = np.random.default_rng(1).normal(size=(length, 5)).astype(np.float32)
    assert (along_rows(values, 1.0, step=step) == along_rows(values, 1.0)[places(length, step)]).all()
    kept = np.arange(length)[places(length, step)]
    assert abs(kept[0] - (length - 1 - kept[-1])) <= 1
