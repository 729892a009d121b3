"""Places of the input that are no specimen."""

from __future__ import annotations

import numpy as np
import pytest
from tests.explain.test_checks import SIDE

from graticule.explain.exchange import control_band, control_ring
from graticule.explain.regions import bar_mask, border_frame, picture_mask, share_in, shown_size
from graticule.images.burnt_in.infobar import Bar
from graticule.images.preprocess import Preprocessing, fit


def test_the_control_of_a_bar_at_a_physical_scale_stays_in_the_picture() -> None:
    # a picture of 100 x 200 pixels of 2 nm in an input of 64 pixels of 10 nm: 20 x 40 of it in the middle
    scaled = Preprocessing(size=SIDE, info_bar="keep", scale_nm=10.0)
    inside = picture_mask((100, 200), scaled, 2.0)
    region = bar_mask(Bar(80, 100, "pixels"), (100, 200), scaled, 2.0)
    assert inside is not None
    assert region is not None
    assert region.sum() == 4 * 40
    for seed in range(20):
        control = control_band(region, inside, np.random.default_rng(seed))
        assert control is not None
        assert control.sum() == region.sum()
        assert not (control & (region | ~inside)).any()
        assert np.array_equal(control.any(axis=0), region.any(axis=0))


@pytest.mark.parametrize("size", [(60, 300), (100, 48), (61, 33), (400, 400)])
def test_the_picture_lies_where_it_was_fitted(size: tuple[int, int]) -> None:
    rows, columns = np.indices(size) // 8
    squares = (255 * ((rows + columns) % 2)).astype(np.uint8)  # what is filled around them is of one value
    scaled = Preprocessing(size=SIDE, scale_nm=10.0)
    seen = fit(squares, scaled, 5.0)[:, :, 0].astype(float)
    found = picture_mask(size, scaled, 5.0)
    where = np.ones((SIDE, SIDE), bool) if found is None else found
    assert np.array_equal(seen.std(axis=1) > 0, where.any(axis=1))
    assert np.array_equal(seen.std(axis=0) > 0, where.any(axis=0))
    assert (found is None) == (size == (400, 400))


def test_the_control_of_a_frame_is_a_ring_of_its_area() -> None:
    frame = border_frame(224)
    control = control_ring(frame)
    assert not (control & frame).any()
    assert control.sum() == pytest.approx(frame.sum(), rel=0.03)


def test_regions_of_the_input() -> None:
    kept = Preprocessing(size=32, info_bar="keep")
    mask = bar_mask(Bar(90, 100, "pixels"), (100, 200), kept)
    assert mask is not None
    assert np.flatnonzero(mask.all(axis=1)).tolist() == [29, 30, 31]
    assert bar_mask(Bar(90, 100, "pixels"), (100, 200), Preprocessing(size=32)) is None
    assert bar_mask(None, (100, 200), kept) is None
    assert shown_size(Bar(90, 100, "pixels"), (100, 200), Preprocessing(size=32)) == (90, 200)
    assert shown_size(Bar(90, 100, "pixels"), (100, 200), kept) == (100, 200)
    values = np.where(mask, -3.0, 1.0)
    assert share_in(values, mask) == pytest.approx(3 * 96 / (3 * 96 + 32 * 29))
    assert share_in(np.zeros((32, 32)), mask) is None
