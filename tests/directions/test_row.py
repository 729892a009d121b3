"""Figures as a row: one name for each number."""

import numpy as np
import pytest
from tests.directions.scenes import wires

from graticule.directions.lgo import local_gradient_orientation
from graticule.directions.measure import measure_directions, sigmas_of
from graticule.directions.row import columns_of, measured_figures, numbers_of


@pytest.mark.parametrize("along", [None, 30.0])
@pytest.mark.parametrize("shipped", [False, True])
def test_each_number_has_a_name(along: float | None, shipped: bool) -> None:
    picture = wires(30, share=0.7)
    found, repaired = measure_directions(picture, along=along), local_gradient_orientation(picture)
    plug_in = local_gradient_orientation(picture, as_shipped=True) if shipped else None
    names = columns_of(sigmas_of(1.5), along=along is not None, shipped=shipped)
    row = dict(zip(names, numbers_of(found, repaired, plug_in), strict=True))
    assert len(row) == len(names)
    assert row["direction"] == found.figures.first.direction.value
    assert row["share_high"] == found.figures.first.share.high
    assert row["order_sigma2.5"] == found.scales[2].order
    assert row["lgo_amount"] == repaired.amount
    assert ("lgo_fiji_amount" in row) == shipped
    assert set(measured_figures(found.figures)) >= {"direction", "share", "along_share"}


def test_without_a_preferred_direction_none_is_written_at_any_scale() -> None:
    picture = np.random.default_rng(0).normal(0, 9, (128, 128)).astype(np.float32)
    found = measure_directions(picture)
    row = dict(
        zip(
            columns_of(sigmas_of(1.5), along=False, shipped=False),
            numbers_of(found, local_gradient_orientation(picture), None),
            strict=True,
        )
    )
    assert all(np.isnan(value) for name, value in row.items() if "direction" in name)
