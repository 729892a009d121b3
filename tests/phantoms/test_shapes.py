"""Surfaces against closed forms: projected areas, heights, normals, and sweeps without holes."""

import numpy as np
import pytest
from scipy import ndimage

from graticule.phantoms.shapes import (
    Surface,
    Sweep,
    cluster,
    ellipsoid,
    polyhedron,
    prism_profile,
    random_rotation,
    round_profile,
    sampling,
    sweep,
)

SIZE = 160
CENTRE = (80.3, 79.6)


def covered(surface: Surface) -> np.ndarray:
    mask = np.zeros(SIZE * SIZE, dtype=bool)
    mask[surface.pixels] = True
    return mask.reshape(SIZE, SIZE)


def test_ellipsoid_covers_its_projected_area_and_reaches_its_height() -> None:
    rng = np.random.default_rng(1)
    axes = np.array([50.0, 30.0, 20.0])
    for _ in range(5):
        rotation = random_rotation(rng)
        spread = (rotation * axes**2) @ rotation.T
        surface = ellipsoid(CENTRE, axes, rotation, SIZE)
        area = np.pi * np.sqrt(np.linalg.det(spread[:2, :2]))
        assert covered(surface).sum() == pytest.approx(area, rel=0.01)
        assert surface.top.max() == pytest.approx(np.sqrt(spread[2, 2]), rel=0.01)
        assert surface.bottom.min() == pytest.approx(-np.sqrt(spread[2, 2]), rel=0.01)


def test_ellipsoid_normals_are_the_gradient_of_its_height() -> None:
    surface = ellipsoid(CENTRE, np.array([60.0, 45.0, 30.0]), random_rotation(np.random.default_rng(2)), SIZE)
    height = np.zeros(SIZE * SIZE)
    height[surface.pixels] = surface.top
    slope_y, slope_x = np.gradient(height.reshape(SIZE, SIZE))
    nz = np.sqrt(1 - surface.normal_x**2 - surface.normal_y**2)
    flat = (nz > 0.75) & ndimage.binary_erosion(covered(surface)).ravel()[surface.pixels]
    np.testing.assert_allclose((-surface.normal_x / nz)[flat], slope_x.ravel()[surface.pixels][flat], atol=0.05)
    np.testing.assert_allclose((-surface.normal_y / nz)[flat], slope_y.ravel()[surface.pixels][flat], atol=0.05)


def test_a_cluster_of_one_is_a_sphere() -> None:
    one = cluster(np.array([[*CENTRE, 3.0]]), np.array([25.0]), SIZE)
    ball = ellipsoid(CENTRE, np.full(3, 25.0), np.eye(3), SIZE)
    order = np.argsort(one.pixels)
    np.testing.assert_array_equal(one.pixels[order], ball.pixels)
    np.testing.assert_allclose(one.top[order], ball.top + 3, atol=1e-3)
    np.testing.assert_allclose(one.normal_x[order], ball.normal_x, atol=1e-4)


def test_a_cluster_shows_the_higher_sphere_where_two_overlap() -> None:
    pair = cluster(np.array([[70.0, 80.0, 0.0], [90.0, 80.0, 5.0]]), np.array([20.0, 20.0]), SIZE)
    height = np.full(SIZE * SIZE, -np.inf)
    height[pair.pixels] = pair.top
    expected = np.full(SIZE * SIZE, -np.inf)
    np.maximum.at(expected, pair.pixels, pair.top)
    np.testing.assert_allclose(height, expected, atol=1 / 32)


def test_a_cube_seen_along_its_axis_is_a_flat_square() -> None:
    faces = np.concatenate([np.eye(3), -np.eye(3)])
    surface = polyhedron(CENTRE, (faces, np.full(6, 30.0)), 1.0, SIZE)
    assert covered(surface).sum() == pytest.approx(60 * 60, rel=0.04)
    np.testing.assert_allclose(surface.top, 30.0, atol=1e-4)
    np.testing.assert_allclose(surface.normal_x, 0.0, atol=1e-3)


def test_a_polyhedron_with_many_faces_becomes_a_sphere() -> None:
    normals = np.random.default_rng(3).standard_normal((200, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    surface = polyhedron(CENTRE, (normals, np.full(200, 40.0)), 1.0, SIZE)
    assert covered(surface).sum() == pytest.approx(np.pi * 40**2, rel=0.08)
    assert surface.top.max() == pytest.approx(40, rel=0.05)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.2])
@pytest.mark.parametrize("profile", [round_profile(9.0), prism_profile(9.0, 5, 0.4)])
def test_a_sweep_has_no_holes_and_the_area_of_its_strip(
    angle: float, profile: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    s = np.linspace(-45, 45, sampling(90))
    line = Sweep(
        x=80 + np.cos(angle) * s,
        y=80 + np.sin(angle) * s,
        z=np.zeros_like(s),
        heading=np.full_like(s, angle),
        radius=np.full_like(s, 9.0),
        profile=profile,
    )
    surface = sweep(line, SIZE)
    mask = covered(surface)
    assert ndimage.label(mask)[1] == 1
    np.testing.assert_array_equal(ndimage.binary_fill_holes(mask), mask)
    assert mask.sum() == pytest.approx(90 * 18, rel=0.08)
    assert np.all(surface.normal_x**2 + surface.normal_y**2 <= 1 + 1e-5)


def test_shapes_outside_the_frame_are_empty_and_those_across_its_border_are_cut() -> None:
    assert ellipsoid((-50, -50), np.full(3, 20.0), np.eye(3), SIZE).pixels.size == 0
    assert cluster(np.array([[400.0, 20.0, 0.0]]), np.array([9.0]), SIZE).pixels.size == 0
    half = ellipsoid((-0.5, 80), np.full(3, 20.0), np.eye(3), SIZE)
    assert half.pixels.size == pytest.approx(np.pi * 400 / 2, rel=0.03)


def test_rotations_are_proper_and_respect_the_tilt() -> None:
    rng = np.random.default_rng(4)
    for tilt in (None, 0.4):
        for _ in range(20):
            rotation = random_rotation(rng, tilt)
            np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
            assert np.linalg.det(rotation) == pytest.approx(1)
            if tilt is not None:
                assert rotation[2, 2] >= np.cos(tilt) - 1e-12
