"""The latent style of a specimen: what its images have in common beyond their class.

A specimen stands for one stub in one session: one size distribution, one surface finish, one coating and one setting
of the instrument. All classes draw from the same ranges, so neither size nor brightness nor noise gives a class away.
"""

from dataclasses import dataclass

import numpy as np

INSTRUMENTS = ("SEM-1", "SEM-2", "SEM-3")
# Azimuth of the secondary-electron detector in the image of each instrument (radians, y downwards).
_DETECTOR_AZIMUTH = (-1.57, -0.9, -2.4)


@dataclass(frozen=True)
class Specimen:
    """Parameters shared by the images of a specimen.

    Parameters
    ----------
    radius_um, radius_px : float
        Median equivalent radius of the particles, and how large it looks at the usual magnification.
    size_spread : float
        Standard deviation of the logarithm of the radius.
    coverage : float
        Projected particle area over frame area before overlap.
    order : int
        Spots tried per particle (`calmest_spot`): 1 thrown at random, 12 spread as a layer.
    shape : float
        Where the specimen stands within its class, 0 typical to 1 bordering on a neighbouring class.
    irregularity : float
        Displacement of outlines over radius.
    roughness, grain, ridges, striation : float
        Slope of the surface texture; its wavelength over the radius; share of cell-like ridges (0 to 1); elongation.
    foreign : float
        Usual share of particles of other classes.
    dust : float
        Mean number of fines below the resolution of the class.
    substrate : str
        tape | stub | membrane
    pores : float
        Pore radius of the membrane over the particle radius.
    substrate_yield : float
        Yield of the substrate relative to the particles'.
    instrument : int
        Index into INSTRUMENTS.
    azimuth, sidedness : float
        Detector direction (radians) and strength of its shading, 0 to 1.
    limb, edge, halo, shadow : float
        Tilt contrast, edge brightening, glow round bright parts, darkening of gaps.
    charging, charge_spread : float
        Strength of streaks along the scan line; spread of the yield between particles.
    dose, read_noise : float
        Detected electrons per pixel at mid grey; read noise in the same unit.
    defocus, astigmatism, jitter : float
        Pixels, pixels, pixels.
    brightness, contrast : float
        The operator's usual setting: grey of the median, and grey span of the middle 96 %, of 255.
    """

    radius_um: float
    radius_px: float
    size_spread: float
    coverage: float
    order: int
    shape: float
    irregularity: float
    roughness: float
    grain: float
    ridges: float
    striation: float
    foreign: float
    dust: float
    substrate: str
    pores: float
    substrate_yield: float
    instrument: int
    azimuth: float
    sidedness: float
    limb: float
    edge: float
    halo: float
    shadow: float
    charging: float
    charge_spread: float
    dose: float
    read_noise: float
    defocus: float
    astigmatism: float
    jitter: float
    brightness: float
    contrast: float


def draw_specimen(rng: np.random.Generator, number: int) -> Specimen:
    """A specimen's style. Instruments take turns over `number`, so that none belongs to a class."""
    instrument = number % len(INSTRUMENTS)
    charging = float(rng.random() < 0.4) * rng.uniform(0.3, 1.0)
    return Specimen(
        radius_um=_log_uniform(rng, 0.4, 30.0),
        radius_px=_log_uniform(rng, 23.0, 44.0),
        size_spread=rng.uniform(0.12, 0.5),
        coverage=_log_uniform(rng, 0.35, 1.5),
        order=int(rng.integers(2, 14)),
        shape=rng.beta(1.0, 1.0),
        irregularity=_log_uniform(rng, 0.015, 0.11),
        roughness=_log_uniform(rng, 0.05, 0.5),
        grain=_log_uniform(rng, 0.12, 0.6),
        ridges=rng.beta(0.6, 0.8),
        striation=_log_uniform(rng, 1.0, 5.0),
        foreign=rng.uniform(0.05, 0.38),
        dust=_log_uniform(rng, 2.0, 60.0),
        substrate=str(rng.choice(["tape", "tape", "stub", "membrane"])),
        pores=_log_uniform(rng, 0.06, 0.25),
        substrate_yield=_log_uniform(rng, 0.25, 0.8),
        instrument=instrument,
        azimuth=_DETECTOR_AZIMUTH[instrument] + rng.normal(0, 0.15),
        sidedness=rng.uniform(0.1, 0.5),
        limb=rng.uniform(0.25, 0.75),
        edge=rng.uniform(0.15, 0.7),
        halo=rng.uniform(0.05, 0.22),
        shadow=rng.uniform(0.5, 1.3),
        charging=charging,
        charge_spread=0.05 + 0.2 * charging,
        dose=_log_uniform(rng, 25.0, 320.0),
        read_noise=rng.uniform(0.5, 2.5),
        defocus=rng.uniform(0.62, 1.2),
        astigmatism=abs(rng.normal(0, 0.35)),
        jitter=rng.uniform(0.05, 0.4),
        brightness=rng.uniform(70, 125),
        contrast=rng.uniform(130, 215),
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
