"""Particles come to rest on what lies below, hide it, and are numbered where visible."""

import numpy as np
import pytest

from graticule.phantoms.canvas import Canvas, Finish, calmest_spot, empty_canvas
from graticule.phantoms.shapes import ellipsoid

SIZE = 100


def flat() -> Canvas:
    return empty_canvas(np.zeros((SIZE, SIZE), dtype=np.float32), Finish())


def ball(x: float, y: float, radius: float):  # type: ignore[no-untyped-def]
    return ellipsoid((x, y), np.full(3, radius), np.eye(3), SIZE)


def test_a_sphere_rests_on_the_ground_and_a_second_one_on_top_of_it() -> None:
    canvas = flat()
    first, second = ball(50, 50, 15), ball(50, 50, 8)
    assert canvas.resting_height(first) == pytest.approx(15, abs=0.05)
    canvas.put(first, 15.0, Finish(), canvas.new_object())
    assert canvas.resting_height(second) == pytest.approx(38, abs=0.1)


def test_the_higher_surface_hides_the_lower_whatever_the_order() -> None:
    low, high = ball(45, 50, 12), ball(55, 50, 12)
    masks = []
    for order in ((0, 1), (1, 0)):
        canvas = flat()
        numbers = [canvas.new_object(), canvas.new_object()]
        for i in order:
            canvas.put((low, high)[i], (12.0, 30.0)[i], Finish(), numbers[i])
        masks.append(canvas.object_mask())
    np.testing.assert_array_equal(masks[0], masks[1])
    assert masks[0][50, 50] == 2


def test_mask_numbers_have_no_gaps_and_dirt_is_in_no_mask() -> None:
    canvas = flat()
    canvas.put(ball(30, 30, 5), 5.0, Finish(), canvas.new_object())
    canvas.put(ball(30, 30, 15), 15.0, Finish(), canvas.new_object())
    canvas.put(ball(70, 70, 8), 8.0, Finish(), canvas.new_object())
    canvas.put(ball(70, 30, 8), 8.0, Finish(), 0)
    mask = canvas.object_mask()
    assert mask.dtype == np.uint16
    assert sorted(np.unique(mask)) == [0, 1, 2]
    assert mask[30, 70] == 0
    assert (mask == 2).sum() == pytest.approx(np.pi * 64, rel=0.05)


def test_the_calmest_spot_avoids_what_is_there() -> None:
    canvas = flat()
    canvas.put(ball(50, 50, 45), 45.0, Finish(), canvas.new_object())
    rng = np.random.default_rng(0)
    spots = np.array([calmest_spot(canvas, 5.0, 40, rng) for _ in range(30)])
    distance = np.hypot(spots[:, 0] - 50, spots[:, 1] - 50)
    assert (distance > 45).mean() > 0.9
    blind = np.array([calmest_spot(canvas, 5.0, 1, rng) for _ in range(30)])
    assert (np.hypot(blind[:, 0] - 50, blind[:, 1] - 50) > 45).mean() < 0.7
