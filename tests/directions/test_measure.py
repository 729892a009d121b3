"""The whole measurement of a picture: rotation, planted shares, masks, scales, sizes."""

import numpy as np
import pytest
from tests.directions.scenes import apart, stripes, wires

from graticule.directions.measure import measure_directions
from graticule.directions.tensor import least_side
from graticule.directions.verdict import DIRECTION, EMPTY


def test_turning_a_scene_turns_its_direction_and_nothing_else() -> None:
    found = [measure_directions(wires(direction, share=0.6)) for direction in (0.0, 37.5, 90.0, 142.5)]
    for one, direction in zip(found, (0.0, 37.5, 90.0, 142.5), strict=True):
        assert apart(one.figures.first.direction.value, direction) < 1
        assert apart(one.figures.director.value, direction) < 12
    shares = [one.figures.first.share.value for one in found]
    assert np.ptp(shares) < 0.12
    quarter = measure_directions(np.rot90(wires(0.0, share=0.6)).copy())
    assert quarter.figures.first.share.value == pytest.approx(shares[0], abs=0.01)
    assert apart(quarter.figures.first.direction.value, found[0].figures.first.direction.value + 90) < 0.1


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_planted_share_is_found(share: float) -> None:
    """Up to what chance lets some wires cover others."""
    found = [measure_directions(wires(70, share=share, n=120, seed=seed)).figures.first for seed in range(4)]
    assert np.mean([peak.share.value for peak in found]) == pytest.approx(share, abs=0.17)


def test_noise_and_contrast_change_little() -> None:
    plain, noisy, faint = (
        measure_directions(picture).figures
        for picture in (wires(30, share=0.6, noise=1), wires(30, share=0.6, noise=12), wires(30, share=0.6) * 0.2 + 99)
    )
    assert noisy.first.share.value == pytest.approx(plain.first.share.value, abs=0.1)
    assert faint.first.share.value == pytest.approx(plain.first.share.value, abs=0.05)


def test_what_is_masked_has_no_part() -> None:
    picture = wires(20, share=0.9, side=256)
    mask = np.ones(picture.shape, dtype=np.bool_)
    mask[180:] = False
    other = picture.copy()
    other[180:] = stripes(110, 6, 256)[180:]
    spoilt = measure_directions(other).figures
    kept = [measure_directions(one, mask=mask).figures for one in (picture, other)]
    assert kept[0].first.share.value == pytest.approx(kept[1].first.share.value, abs=0.02)
    assert spoilt.first.share.value < kept[1].first.share.value - 0.1
    assert measure_directions(picture, mask=np.zeros(picture.shape, np.bool_)).verdict == EMPTY


def test_scales_stand_side_by_side_and_a_small_picture_lacks_the_large_ones() -> None:
    found = measure_directions(wires(30, side=64, n=20))
    assert [round(scale.sigma, 2) for scale in found.scales] == [1.0, 1.5, 2.5, 4.0]
    assert np.isnan(found.scales[-1].order)
    assert found.verdict == DIRECTION
    one_scale = measure_directions(stripes(30, 12))
    assert not one_scale.scales_disagree
    # fine stripes on coarse ones that run across them
    both = measure_directions(stripes(30, 6, 200) + 3 * stripes(120, 60, 200))
    assert both.scales_disagree


def test_a_picture_smaller_than_its_windows_is_refused() -> None:
    side = least_side(1.5)
    assert measure_directions(wires(30, side=side, n=9)).verdict
    with pytest.raises(ValueError, match="too small"):
        measure_directions(wires(30, side=side - 1, n=9))


def test_coherency_says_nothing_of_alignment() -> None:
    aligned, not_aligned = (measure_directions(wires(30, share=share)) for share in (1.0, 0.0))
    assert not_aligned.coherency > 0.7
    assert not_aligned.figures.order.value < 0.25
    assert aligned.figures.order.value > 0.85
    assert aligned.by_energy[0] > 0.8
    assert aligned.by_energy_coherency[1] > 0.6
