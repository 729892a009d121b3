"""The structure tensor: the convention of directions, masks, borders, steps."""

import numpy as np
import pytest
from tests.directions.scenes import apart, stripes

from graticule.directions.filters import places
from graticule.directions.tensor import inside_of, least_side, step_of, structure_tensor


def test_a_line_that_rises_to_the_right_at_thirty_degrees_has_direction_thirty() -> None:
    row, column = np.mgrid[:81, :81] - 40.0
    # rows count downwards: up is -row
    line = np.exp(-0.5 * ((-row * np.cos(np.radians(30)) - column * np.sin(np.radians(30))) / 2) ** 2)
    assert line[40 - 20, 40 + 35] > 0.5
    assert line[40 + 20, 40 + 35] < 0.01
    field = structure_tensor(line.astype(np.float32) * 200, 1.5, step=1)
    on_line = field.inside & (line > 0.3)
    assert field.direction[on_line] == pytest.approx(30, abs=0.2)
    assert field.coherency[on_line].min() > 0.99


@pytest.mark.parametrize("direction", [0.0, 45.0, 90.0, 135.0, 179.0])
def test_directions_lie_from_nought_to_below_a_half_turn(direction: float) -> None:
    field = structure_tensor(stripes(direction, 8), 1.5)
    assert ((field.direction >= 0) & (field.direction < 180)).all()
    assert max(apart(float(one), direction) for one in field.direction[field.inside][::50]) < 0.05
    assert field.coherency[field.inside].min() > 0.999


def test_a_step_leaves_places_out_and_changes_none() -> None:
    picture = np.random.default_rng(0).normal(size=(65, 64)).astype(np.float32)
    every, some = structure_tensor(picture, 1.5, step=1), structure_tensor(picture, 1.5, step=3)
    assert (some.energy == every.energy[places(65, 3), places(64, 3)]).all()
    assert some.inside.shape == some.energy.shape
    assert [step_of(window) for window in (1.0, 2.25, 6.0)] == [1, 2, 5]


def test_what_a_mask_leaves_out_has_no_part() -> None:
    picture = stripes(20, 9, 160)
    picture[:, 80:] = stripes(110, 9, 160)[:, 80:]
    mask = np.zeros(picture.shape, dtype=np.bool_)
    mask[:, :80] = True
    field = structure_tensor(picture, 1.5, mask=mask)
    assert field.inside.any()
    assert max(apart(float(one), 20) for one in field.direction[field.inside]) < 0.1


def test_a_border_is_left_out() -> None:
    assert inside_of((20, 30), None, 1.5).sum() == (20 - 10) * (30 - 10)
    assert least_side(1.5) == 32
    flat = structure_tensor(np.full((40, 40), 9, np.float32), 1.5)
    assert (flat.coherency == 0).all() or flat.energy.max() < 1e-6
