"""The optics and the sensor of a flow microscope: light through a particle, out of focus, onto a camera.

A particle is a thin screen that delays and removes light. What it changes is propagated by the distance to the focal
plane and cut off by the aperture of the objective (Goodman, Introduction to Fourier Optics, 3rd ed. 2005, ch. 3 to 6);
an illumination of finite angle washes rings out the more, the further from focus.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from graticule.arrays import Float32Array

PIXEL_UM = 0.3
WAVELENGTH_UM = 0.53
APERTURE = 0.3
_GRIDS = (32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640)
_RUN_KEY = 7_000_000  # a spawn key that no class or image uses
ComplexArray = NDArray[np.complex64]


@dataclass(frozen=True)
class Run:
    """One sample run through the instrument: what all its images share.

    Parameters
    ----------
    name : str
    level : float
        Grey of the empty field, of 255.
    gain, noise : float
        Grey levels of shot noise per root of grey level, and of read noise.
    tilt : tuple of float
        Change of the illumination across 100 pixels, in x and y, as a share.
    focus_um, depth_um : float
        Where particles lie on average, and their standard deviation, from the focal plane.
    source : float
        Half angle of the illumination, radians.
    size : float
        Factor on the diameters of the sample.
    """

    name: str
    level: float
    gain: float
    noise: float
    tilt: tuple[float, float]
    focus_um: float
    depth_um: float
    source: float
    size: float


def draw_run(number: int, seed: int) -> Run:
    """Run number `number` (from 0) of a data set; brightness, focus and sizes drift from run to run."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_RUN_KEY, number)))
    return Run(
        name=f"R{number + 1:02d}",
        level=float(rng.normal(165, 14)),
        gain=float(rng.uniform(0.12, 0.25)),
        noise=float(rng.uniform(0.8, 2.0)),
        tilt=(float(rng.normal(0, 0.05)), float(rng.normal(0, 0.05))),
        focus_um=float(rng.normal(0, 2.5)),
        depth_um=float(rng.uniform(4.0, 9.0)),
        source=float(rng.uniform(0.04, 0.09)),
        size=float(np.exp(rng.normal(0, 0.12))),
    )


def grid_size(extent_um: float) -> int:
    """Pixels of the smallest grid that holds `extent_um`, or the largest there is."""
    needed = extent_um / PIXEL_UM
    return next((size for size in _GRIDS if size >= needed), _GRIDS[-1])


@lru_cache(maxsize=len(_GRIDS))
def radius_grid(size: int) -> Float32Array:
    """Distance of each pixel from the middle of the grid in micrometres, shape (size, size)."""
    axis = (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)) * np.float32(PIXEL_UM)
    return np.asarray(np.hypot(axis[:, None], axis[None, :]), dtype=np.float32)


@lru_cache(maxsize=len(_GRIDS))
def _squared_frequency(size: int) -> tuple[Float32Array, Float32Array]:
    """Squared spatial frequency (1 / micrometre squared) and the objective's pupil; both (size, size)."""
    axis = scipy.fft.fftfreq(size, PIXEL_UM).astype(np.float32)
    squared = axis[:, None] ** 2 + axis[None, :] ** 2
    edge = APERTURE / WAVELENGTH_UM
    pupil = 1 / (1 + np.exp((np.sqrt(squared) - edge) / np.float32(0.04 * edge)))
    return squared, np.asarray(pupil, dtype=np.float32)


def intensity(screen: ComplexArray, defocus_um: float, source: float) -> Float32Array:
    """Light on the sensor relative to the empty field.

    Parameters
    ----------
    screen : complex64 array, shape (n, n)
        What passes the particle: amplitude and phase, 1 where there is none; 1 at the border.
    defocus_um : float
        Distance from the focal plane.
    source : float
        Half angle of the illumination, radians.

    Returns
    -------
    float32 array, shape (n, n)
    """
    squared, pupil = _squared_frequency(screen.shape[0])
    decay = np.float32(-((np.pi * source * defocus_um) ** 2))
    turn = np.float32(np.pi * WAVELENGTH_UM * defocus_um)
    transfer = pupil * np.exp((decay + np.complex64(1j) * turn) * squared)
    changed = scipy.fft.ifft2(scipy.fft.fft2(screen - np.complex64(1)) * transfer)
    return np.asarray(np.abs(changed + np.complex64(1)) ** 2, dtype=np.float32)


def exposed_crop(light: Float32Array, run: Run, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grey levels of a crop whose place in the field, exposure and noise are drawn; uint8, the shape of `light`."""
    height, width = light.shape
    place = rng.uniform(-1.0, 1.0, 2)
    x = 1 + run.tilt[0] * (place[0] + (np.arange(width) - width / 2) / 100)
    y = 1 + run.tilt[1] * (place[1] + (np.arange(height) - height / 2) / 100)
    flash = run.level * (1 + 0.012 * rng.standard_normal())
    grey = light * (flash * y[:, None] * x[None, :]).astype(np.float32)
    white = rng.standard_normal((height + 1, width + 1), dtype=np.float32)
    # Neighbours share some of their noise, as after the camera's own sharpening and compression.
    grain = 0.8 * white[1:, 1:] + 0.4 * (white[:-1, 1:] + white[1:, :-1])
    spread = np.float32(run.gain) * np.sqrt(np.maximum(grey, 0)) + np.float32(run.noise)
    return np.asarray(np.clip(np.rint(grey + spread * grain), 0, 255), dtype=np.uint8)
