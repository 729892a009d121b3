"""The mixture of peaks and a uniform rest: planted shares found again."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
from tests.directions.scenes import apart

from graticule.directions.distribution import BINS, CENTRES
from graticule.directions.mixture import (
    NARROWEST,
    WIDEST,
    concentration_of,
    densities,
    fit_mixture,
    highest,
    second_place,
    width_of,
)


def planted(*peaks: tuple[float, float, float]) -> np.ndarray:
    """Histogram of peaks (share, direction, kappa) over a uniform rest, by SciPy's density."""
    rest = 1 - sum(share for share, _, _ in peaks)
    out = np.full(BINS, rest / BINS)
    for share, direction, kappa in peaks:
        density = scipy.stats.vonmises(kappa, np.radians(2 * direction)).pdf(np.radians(2 * CENTRES))
        out += share * density / density.sum()
    return out


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("direction", [0.0, 30.0, 90.0, 179.0])
def test_a_planted_share_is_found_again(share: float, direction: float) -> None:
    found = fit_mixture(planted((share, direction, 20.0))[None])
    assert found.share[0, 0] == pytest.approx(share, abs=0.005)
    assert apart(float(found.direction[0, 0]), direction) < 0.05
    assert found.concentration[0, 0] == pytest.approx(20, rel=0.06)
    assert found.goodness[0] > 0.99


def test_two_peaks_and_many_histograms_at_once() -> None:
    both = np.stack([planted((0.4, 20, 30), (0.25, 85, 30)), planted((0.6, 160, 30))])
    found = fit_mixture(both, np.array([[20.0, 85.0], [160.0, 70.0]]))
    assert found.share[0] == pytest.approx([0.4, 0.25], abs=0.01)
    assert found.direction[0] == pytest.approx([20, 85], abs=0.3)
    assert found.share[1, 0] == pytest.approx(0.6, abs=0.02)
    assert densities(found).sum(axis=1) == pytest.approx([1, 1], abs=0.01)
    assert second_place(both[0], 20.0) == pytest.approx(85, abs=1)
    assert highest(both) == pytest.approx([20, 160], abs=1)


def test_flat_and_empty_histograms_have_no_share() -> None:
    found = fit_mixture(np.stack([np.ones(BINS), np.zeros(BINS)]))
    assert found.share[0, 0] < 0.01
    assert found.share[1, 0] == 0
    assert found.goodness[0] > 0.99
    assert found.goodness[1] == 0


def test_widths_are_bounded() -> None:
    narrow = np.zeros(BINS)
    narrow[40] = 1
    broad = 1 + 0.9 * np.cos(np.radians(2 * (CENTRES - 60)))
    widths = fit_mixture(np.stack([narrow, broad])).width()[:, 0]
    assert widths == pytest.approx([NARROWEST, WIDEST], rel=0.03)


def test_the_concentration_gives_its_resultant() -> None:
    kappa = np.array([0.5, 2.0, 10.0, 200.0])
    exact = scipy.special.ive(1, kappa) / scipy.special.ive(0, kappa)
    assert concentration_of(exact) == pytest.approx(kappa, rel=0.03)
    assert width_of(kappa) == pytest.approx(np.degrees(np.sqrt(-2 * np.log(exact)) / 2))
