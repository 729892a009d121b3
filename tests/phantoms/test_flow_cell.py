"""Optics and sensor of a flow microscope: energy, focus, aperture, drift between runs."""

import numpy as np
import pytest

from graticule.phantoms.flow_cell import PIXEL_UM, draw_run, exposed_crop, grid_size, intensity, radius_grid


def test_an_empty_field_is_even_at_any_focus() -> None:
    for defocus in (-20.0, 0.0, 7.0):
        np.testing.assert_allclose(intensity(np.ones((48, 48), dtype=np.complex64), defocus, 0.05), 1, atol=1e-5)


def test_a_thin_phase_object_is_hardly_seen_in_focus_and_well_out_of_it() -> None:
    screen = np.exp(0.3j * np.exp(-((radius_grid(64) / 2.0) ** 2))).astype(np.complex64)
    contrast = [float(intensity(screen, defocus, 0.05).std()) for defocus in (0.0, 8.0)]
    assert contrast[1] > 5 * contrast[0]


def test_either_side_of_focus_has_the_opposite_contrast() -> None:
    screen = np.exp(0.1j * np.exp(-((radius_grid(64) / 2.0) ** 2))).astype(np.complex64)
    near, far = (intensity(screen, z, 0.05) - 1 for z in (6.0, -6.0))
    assert np.corrcoef(near.ravel(), far.ravel())[0, 1] < -0.9


def test_defocus_draws_rings_and_a_wider_source_washes_them_out() -> None:
    screen = np.where(radius_grid(128) < 3.0, 0, 1).astype(np.complex64)
    rings = [float((intensity(screen, 20.0, source) - 1)[radius_grid(128) > 6.0].std()) for source in (0.02, 0.10)]
    assert rings[0] > 2 * rings[1] > 0


def test_light_that_the_screen_takes_is_missing_in_the_image() -> None:
    screen = np.where(radius_grid(96) < 5.0, 0.5, 1).astype(np.complex64)
    assert float(intensity(screen, 0.0, 0.05)[48, 48]) == pytest.approx(0.25, abs=0.06)


def test_a_run_is_the_same_wherever_it_is_drawn_and_others_differ() -> None:
    assert draw_run(3, 1) == draw_run(3, 1)
    levels = {round(draw_run(k, 1).level) for k in range(8)}
    assert len(levels) > 3
    assert draw_run(0, 1).level != draw_run(0, 2).level


def test_the_sensor_shows_the_level_of_the_run_with_its_noise() -> None:
    run, rng = draw_run(0, 0), np.random.default_rng(0)
    shots = [exposed_crop(np.ones((60, 60), dtype=np.float32), run, rng) for _ in range(20)]
    assert abs(np.mean(shots) / run.level - 1) < 0.03
    assert 0.5 * run.noise < np.std(shots[0][20:40, 20:40]) < 8
    assert shots[0].dtype == np.uint8


@pytest.mark.parametrize(("pixels", "size"), [(10, 32), (33, 48), (600, 640), (5000, 640)])
def test_grids_are_the_next_larger_one(pixels: int, size: int) -> None:
    assert grid_size(pixels * PIXEL_UM) == size
