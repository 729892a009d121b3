"""The structure tensor: the convention of directions, masks, borders, steps."""

import numpy as np
import pytest
from tests.directions.scenes import apart, stripes, wires

from graticule.directions.filters import places
from graticule.directions.tensor import inside_of, least_side, steps_of, structure_tensor


def test_a_line_that_rises_to_the_right_at_thirty_degrees_has_direction_thirty() -> None:
    row, column = np.mgrid[:81, :81] - 40.0
    # rows count downwards: up is -row
    line = np.exp(-0.5 * ((-row * np.cos(np.radians(30)) - column * np.sin(np.radians(30))) / 2) ** 2)
    assert line[40 - 20, 40 + 35] > 0.5
    assert line[40 + 20, 40 + 35] < 0.01
    field = structure_tensor(line.astype(np.float32) * 200, 1.5, every_pixel=True)
    on_line = field.inside & (line > 0.3)
    assert field.direction[on_line] == pytest.approx(30, abs=0.2)
    assert field.coherency[on_line].min() > 0.99


@pytest.mark.parametrize("direction", [0.0, 45.0, 90.0, 135.0, 179.0])
def test_directions_lie_from_nought_to_below_a_half_turn(direction: float) -> None:
    field = structure_tensor(stripes(direction, 8), 1.5)
    assert ((field.direction >= 0) & (field.direction < 180)).all()
    assert max(apart(float(one), direction) for one in field.direction[field.inside][::50]) < 0.05
    assert field.coherency[field.inside].min() > 0.999


def test_few_places_tell_what_every_pixel_tells() -> None:
    picture = wires(30, share=0.6, side=200)
    every, some = structure_tensor(picture, 1.5, every_pixel=True), structure_tensor(picture, 1.5)
    kept = places(200, 2), places(200, 2)
    assert some.energy == pytest.approx(every.energy[kept], rel=1e-5)
    assert some.direction == pytest.approx(every.direction[kept], abs=0.01)
    # wide Gaussians leave nothing between gradients either
    every, some = structure_tensor(picture, 4.0, every_pixel=True), structure_tensor(picture, 4.0)
    apart, between = steps_of(picture.shape, 4.0, 6.0)
    assert (apart, between) == (2, 2)
    at = np.arange(200)[places(200, 2)]
    at = at[places(len(at), 2)]
    clear = some.coherency > 0.3
    clear[:8] = clear[-8:] = clear[:, :8] = clear[:, -8:] = False  # the border stands elsewhere between gradients
    turned = (some.direction - every.direction[np.ix_(at, at)] + 90) % 180 - 90
    assert np.abs(turned[clear]).max() < 0.05


def test_of_large_pictures_fewer_places_are_looked_at() -> None:
    assert steps_of((256, 256), 1.5, 2.25) == (1, 2)
    assert steps_of((2048, 2048), 1.5, 2.25) == (1, 4)
    assert steps_of((256, 256), 1.0, 1.5) == (1, 1)


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
    assert (flat.coherency == 0).all()
