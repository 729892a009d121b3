"""Local Gradient Orientation, repaired and as the plug-in computes it, on histograms made by hand and on scenes."""

import numpy as np
import pytest
from tests.directions.scenes import apart, stripes, wires

from graticule.directions.lgo import (
    local_gradient_orientation,
    repaired_fit,
    shipped_counts,
    shipped_fit,
    shipped_histogram,
)


def gaussian_counts(centre: float, width: float, share: float, bins: int, start: float, step: float) -> np.ndarray:
    """A peak over a flat ground in bins whose places are start, start + step, ..."""
    place = start + step * np.arange(bins)
    peak = np.exp(-0.5 * (((place - centre + 90) % 180 - 90) / width) ** 2)
    return share * peak / peak.sum() + (1 - share) / bins


def test_bins_as_shipped_stand_on_both_ends_and_are_filled_as_left_edges() -> None:
    step = 180 / 89
    direction = np.array([-90.0, -90 + step - 1e-6, -90 + step + 1e-6, 0.0, 89.99, 90.0])
    counts = shipped_counts(direction, np.ones(6))
    assert len(counts) == 90
    assert counts[0] == 2
    assert counts[1] == 1
    assert counts[44] == 1
    assert counts[88] == 1
    assert counts[89] == 1


def test_the_fit_as_shipped_finds_a_peak_and_sums_two_widths_on_either_side() -> None:
    counts = gaussian_counts(20, 5, 0.6, 90, -90, 180 / 89)
    found = shipped_fit(counts)
    assert found.direction == pytest.approx(20, abs=0.05)
    assert found.dispersion == pytest.approx(5, abs=0.05)
    # the amount of a peak of share p and width s is 0.954 p + (1 - p) 4 s / 180
    assert found.amount == pytest.approx(0.954 * 0.6 + 0.4 * 20 / 180, abs=0.02)
    assert found.goodness > 0.999


def test_the_fit_as_shipped_sees_half_of_a_peak_at_the_seam() -> None:
    found = shipped_fit(gaussian_counts(90, 5, 0.6, 90, -90, 180 / 89))
    assert found.amount < 0.4
    assert found.goodness < 0.7


@pytest.mark.parametrize("centre", [0.0, 20.0, 90.0, 179.0])
def test_the_repaired_fit_does_not_know_where_the_seam_is(centre: float) -> None:
    found = repaired_fit(gaussian_counts(centre, 5, 0.6, 90, 1.0, 2.0))
    assert apart(found.direction, centre) < 0.05
    assert found.dispersion == pytest.approx(5, abs=0.05)
    assert found.amount == pytest.approx(0.954 * 0.6 + 0.4 * 20 / 180, abs=0.01)
    assert found.corrected == pytest.approx(0.6, abs=0.01)
    assert found.goodness > 0.999


def test_the_repaired_fit_is_bounded_on_a_flat_histogram() -> None:
    found = repaired_fit(1 + 0.05 * np.random.default_rng(0).normal(size=90))
    assert found.dispersion <= 15
    assert found.corrected < 0.15


def test_nothing_is_said_of_a_picture_of_one_colour() -> None:
    flat = np.full((64, 64), 80, np.float32)
    assert np.isnan(local_gradient_orientation(flat, as_shipped=True).amount)
    assert shipped_histogram(flat).sum() == 0
    assert np.isnan(repaired_fit(np.zeros(90)).direction)
    assert np.isnan(shipped_fit(np.zeros(90)).direction)


def test_directions_of_stripes_both_ways() -> None:
    for direction in (30.0, 120.0):
        picture = stripes(direction, 16)
        assert apart(local_gradient_orientation(picture).direction, direction) < 0.3
        assert apart(local_gradient_orientation(picture, as_shipped=True).direction, direction) < 2.5


def test_the_mask_as_shipped_turns_fine_stripes() -> None:
    """The angular errors of the 5 x 5 mask, by its transfer function: 9.8 degrees at a period of four pixels."""
    counts = shipped_histogram(stripes(20.0, 4.0)[8:-8, 8:-8], 1801)
    found = -90 + (counts.argmax() + 0.5) * 180 / 1800
    assert 5 < apart(float(found), 20.0) < 10


def test_a_scene_at_ninety_degrees_loses_half_its_amount_as_shipped_and_nothing_repaired() -> None:
    upright, slanted = wires(90.0, noise=1), wires(50.0, noise=1)
    shipped = [local_gradient_orientation(one, as_shipped=True).amount for one in (upright, slanted)]
    repaired = [local_gradient_orientation(one).amount for one in (upright, slanted)]
    assert shipped[0] < 0.75 * shipped[1]
    assert repaired[0] == pytest.approx(repaired[1], abs=0.05)


def test_a_mask_keeps_the_rest_out_of_the_repaired_figure() -> None:
    picture = stripes(20, 9, 128)
    picture[:, 64:] = stripes(110, 5, 128)[:, 64:]
    mask = np.zeros(picture.shape, dtype=np.bool_)
    mask[:, :64] = True
    assert apart(local_gradient_orientation(picture, mask=mask).direction, 20) < 0.3
