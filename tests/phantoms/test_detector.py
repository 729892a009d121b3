"""Image formation: texture statistics, tilt contrast, shadows, and noise that obeys counting statistics."""

from dataclasses import replace

import numpy as np
import pytest

from graticule.phantoms.canvas import Finish, empty_canvas
from graticule.phantoms.detector import (
    charge,
    expose,
    probe_response,
    random_field,
    secondary_yield,
    smooth_field,
    through_column,
)
from graticule.phantoms.shapes import ellipsoid
from graticule.phantoms.specimens import draw_specimen

SIZE = 256
SPECIMEN = replace(
    draw_specimen(np.random.default_rng(0), 0), roughness=0.0, charging=0.0, sidedness=0.3, radius_px=40.0, azimuth=0.0
)


def dominant_wavelength(values: np.ndarray) -> float:
    power = np.abs(np.fft.fft2(values)) ** 2
    frequency = np.fft.fftfreq(values.shape[0])
    radius = np.hypot(frequency[:, None], frequency[None, :])
    return float(power.sum() / (power * radius).sum())


@pytest.mark.parametrize("wavelength", [8.0, 32.0])
def test_fields_have_unit_variance_and_the_wavelength_asked_for(wavelength: float) -> None:
    rng = np.random.default_rng(1)
    for values in (random_field(SIZE, rng, wavelength, 4.0), smooth_field(SIZE, rng, wavelength)):
        assert values.dtype == np.float32
        assert values.std() == pytest.approx(1, abs=1e-3)
        assert wavelength / 2 < dominant_wavelength(values) < 2.5 * wavelength


def test_an_elongated_field_varies_more_slowly_along_x() -> None:
    values = random_field(SIZE, np.random.default_rng(2), 8.0, 2.0, elongation=6.0)
    assert np.abs(np.diff(values, axis=0)).mean() > 2 * np.abs(np.diff(values, axis=1)).mean()


def test_the_probe_keeps_brightness_and_is_wider_along_its_axis() -> None:
    response = probe_response(SIZE, 1.0, 2.0, angle=0.0)
    assert response[0, 0] == 1
    assert response[0, 20] < response[20, 0]


def sphere_scene() -> np.ndarray:
    canvas = empty_canvas(np.zeros((SIZE, SIZE), dtype=np.float32), Finish(gain=0.6))
    ball = ellipsoid((128, 128), np.full(3, 40.0), np.eye(3), SIZE)
    canvas.put(ball, 40.0, Finish(curvature_radius=40.0), canvas.new_object())
    return secondary_yield(canvas, SPECIMEN, np.zeros((64, 64), dtype=np.float32))


def test_a_sphere_is_brighter_at_its_limb_and_on_the_side_of_the_detector() -> None:
    signal = sphere_scene()
    centre = signal[118:138, 118:138].mean()
    limb = np.mean([signal[128, 128 + 38], signal[128, 128 - 38], signal[128 + 38, 128], signal[128 - 38, 128]])
    assert limb > 1.3 * centre
    assert signal[128, 150:160].mean() > 1.1 * signal[128, 96:106].mean()


def test_ground_beside_a_particle_is_darker_than_open_ground_most_on_the_far_side() -> None:
    signal = sphere_scene()
    open_ground = signal[10:20, 10:20].mean()
    assert signal[128, 171:176].mean() < open_ground
    assert signal[128, 80:85].mean() < signal[128, 171:176].mean()


def test_an_uncharged_signal_is_untouched_and_a_charged_one_has_a_tail_along_the_scan_only() -> None:
    signal = np.ones((SIZE, SIZE), dtype=np.float32)
    signal[100, 50] = 30.0
    assert charge(signal, 0.0, np.random.default_rng(0)) is signal
    charged = charge(signal, 1.0, np.random.default_rng(0))
    assert np.abs(charged[100, 51:70] - 1).min() > 0.02
    np.testing.assert_allclose(charged[[90, 110]], 1.0)


def test_the_column_keeps_the_mean_and_blurs() -> None:
    signal = 1 + np.random.default_rng(3).random((SIZE, SIZE)).astype(np.float32)
    out = through_column(signal, SPECIMEN, np.random.default_rng(4))
    assert out.mean() == pytest.approx(signal.mean(), rel=1e-3)
    assert out.std() < 0.6 * signal.std()


def test_noise_variance_grows_in_proportion_to_the_signal() -> None:
    # Two grey levels, far enough from black and white that nothing is clipped.
    signal = np.ones((400, 400), dtype=np.float32)
    signal[:, 200:] = 2.0
    quiet = replace(SPECIMEN, dose=900.0, read_noise=0.0, contrast=100.0, brightness=90.0)
    image = expose(signal, quiet, np.random.default_rng(5)).astype(float)
    dark, bright = image[:, 20:180], image[:, 220:380]
    assert 0.05 < dark.mean() / 255 < bright.mean() / 255 < 0.95
    assert bright.var() / dark.var() == pytest.approx(2.0, rel=0.1)


def test_read_noise_adds_to_it_and_a_higher_dose_lowers_it() -> None:
    signal = np.ones((200, 200), dtype=np.float32)
    signal[:, 100:] = 2.0
    base = replace(SPECIMEN, dose=100.0, read_noise=0.0, contrast=100.0, brightness=90.0)
    variances = [
        expose(signal, one, np.random.default_rng(6))[:, :90].astype(float).var()
        for one in (replace(base, dose=400.0), base, replace(base, read_noise=8.0))
    ]
    assert variances[0] < 0.5 * variances[1] < variances[1] < variances[2]
