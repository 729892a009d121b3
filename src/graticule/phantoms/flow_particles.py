"""The phantom family "particles": air bubbles, protein aggregates and silicone oil droplets in a flow microscope.

A ray that meets a sphere at b radii from its middle is turned by 2 |asin b - asin(b / m)|, m being the index of
refraction relative to water (van de Hulst, Light Scattering by Small Particles, 1957, ch. 12); beyond the angle that
the objective takes in, the sphere is dark. Hence the thin dark rim of oil and the small bright middle of a bubble.
Aggregates are branched, bent fibrils: a weak phase screen with little absorption. Focus adds the rings.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from graticule.arrays import Float32Array, FloatArray
from graticule.phantoms.flow_cell import (
    APERTURE,
    PIXEL_UM,
    WAVELENGTH_UM,
    ComplexArray,
    Run,
    draw_run,
    exposed_crop,
    grid_size,
    intensity,
    radius_grid,
)
from graticule.phantoms.powder import Micrograph

BUBBLE, AGGREGATE, OIL = CLASSES = ("air_bubble", "protein_aggregate", "silicone_oil")
KNOWN = ("diameter_um", "defocus_um")
RUNS = 12
SMALLEST_UM, LARGEST_UM = 1.0, 100.0
WIDEST_DEFOCUS_UM = 25.0
_WATER = 1.335
_INDEX = {BUBBLE: 1.0, OIL: 1.401}
_SEEN = 0.05  # change of the light that an instrument's threshold finds
_ACCEPTED = APERTURE / _WATER  # radians, in water
_WAVENUMBER = 2 * np.pi / WAVELENGTH_UM
_SMALLEST_CROP, _SMALLEST_FIELD, _LARGEST_FIELD = 14, 72, 480


@dataclass(frozen=True)
class _Seen:
    """A particle as the sensor sees it, without noise: light and mask, both (n, n)."""

    light: Float32Array
    mask: NDArray[np.bool_]
    diameter_um: float
    defocus_um: float


def render_particle(class_index: int, index: int, seed: int) -> Micrograph:
    """Image number `index` of a class, cut out as tightly as the instrument does.

    Parameters
    ----------
    class_index : int
        Index into CLASSES.
    index : int
        Number of the image within its class, from 0. Runs take turns.
    seed : int
        Seed of the data set, >= 0.
    """
    run, rng = _drawn(class_index, index, seed)
    seen = _particle(CLASSES[class_index], run, rng)
    cut = _tight(seen, rng)
    return _shot(seen.light[cut], seen.mask[cut], seen, run, rng)


def render_in_field(class_index: int, index: int, seed: int) -> Micrograph:
    """The same particle in the middle of a field three times as wide, among others of any class."""
    run, rng = _drawn(class_index, index, seed)
    seen = _particle(CLASSES[class_index], run, rng)
    tight = _tight(seen, rng)
    own = max(part.stop - part.start for part in tight)
    side = int(np.clip(3 * own, _SMALLEST_FIELD, _LARGEST_FIELD))
    light, mask = np.ones((side, side), dtype=np.float32), np.zeros((side, side), dtype=np.bool_)
    middle = side / 2 + rng.normal(0, 1.5, 2)
    _lay(light, mask, seen, middle)
    others = np.zeros_like(mask)
    for _ in range(int(rng.poisson(4.0))):
        place = rng.uniform(0, side, 2)
        stranger = _particle(str(rng.choice(CLASSES)), run, rng, largest=0.12 * side * PIXEL_UM)
        if np.abs(place - middle).max() > 0.5 * own + 0.5 * stranger.diameter_um / PIXEL_UM:
            _lay(light, others, stranger, place)
    return _shot(light, mask, seen, run, rng)


def _drawn(class_index: int, index: int, seed: int) -> tuple[Run, np.random.Generator]:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(class_index, index)))
    return draw_run(index % RUNS, seed), rng


def _shot(light: Float32Array, mask: NDArray[np.bool_], seen: _Seen, run: Run, rng: np.random.Generator) -> Micrograph:
    return Micrograph(
        image=exposed_crop(light, run, rng),
        mask=mask.astype(np.uint16),
        specimen=run.name,
        pixel_size_nm=1000 * PIXEL_UM,
        instrument="flow microscope",
        known=dict(zip(KNOWN, (f"{seen.diameter_um:.3f}", f"{seen.defocus_um:.2f}"), strict=True)),
    )


def draw_diameter(kind: str, size: float, rng: np.random.Generator) -> float:
    """Diameter in micrometres, 1 to 100: a power law for aggregates (density as d^-3), log-normal for the others."""
    if kind == AGGREGATE:
        drawn = 2.2 / np.sqrt(1 - rng.random() * (1 - (2.2 / LARGEST_UM) ** 2))
    else:
        median, spread = (16.0, 0.5) if kind == BUBBLE else (4.5, 0.5)
        drawn = median * np.exp(spread * rng.standard_normal())
    return float(np.clip(size * drawn, SMALLEST_UM, LARGEST_UM))


def _particle(kind: str, run: Run, rng: np.random.Generator, largest: float = LARGEST_UM) -> _Seen:
    diameter = min(draw_diameter(kind, run.size, rng), largest)
    defocus = float(np.clip(run.focus_um + run.depth_um * rng.standard_normal(), -WIDEST_DEFOCUS_UM, WIDEST_DEFOCUS_UM))
    size = grid_size(diameter + 2 * (3.0 + _ACCEPTED * abs(defocus)))
    if kind == AGGREGATE:
        screen, mask = _aggregate(diameter, size, rng)
    else:
        screen, mask = sphere_screen(diameter, _INDEX[kind], size), radius_grid(size) < diameter / 2
    return _Seen(intensity(screen, defocus, run.source), mask, diameter, defocus)


def sphere_screen(diameter_um: float, index: float, size: int) -> ComplexArray:
    """What a sphere in water lets pass and delays; complex64, shape (size, size).

    Parameters
    ----------
    diameter_um : float
    index : float
        Index of refraction: 1.0 for air, 1.401 for silicone oil.
    size : int
        Of the grid, pixels of `PIXEL_UM`.
    """
    radius = radius_grid(size)
    relative = index / _WATER
    b = np.minimum(radius * np.float32(2 / diameter_um), np.float32(1))
    turned = 2 * np.abs(np.arcsin(b) - np.arcsin(np.minimum(b / np.float32(relative), 1)))
    passed = 1 / (1 + np.exp(np.minimum((turned - _ACCEPTED) / 0.02, 60)))
    delay = _WAVENUMBER * (index - _WATER) * diameter_um * np.sqrt(1 - b * b)
    inside = np.clip((diameter_um / 2 - radius) / PIXEL_UM + 0.5, 0, 1)
    return np.asarray(1 + inside * (passed * np.exp(1j * delay) - 1), dtype=np.complex64)


def _aggregate(diameter: float, size: int, rng: np.random.Generator) -> tuple[ComplexArray, NDArray[np.bool_]]:
    thread = float(np.clip(0.3 * np.exp(0.4 * rng.standard_normal()) * diameter**0.35, 0.2, 0.16 * diameter))
    points = _fibrils(diameter, rng)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = np.hypot(*(points - middle).T).max()
    points = (points - middle) * ((diameter / 2 - thread) / max(float(reach), 1e-6)) / PIXEL_UM + (size - 1) / 2
    column, row = np.clip(np.rint(points.T), 0, size - 1).astype(np.intp)
    weight = rng.gamma(1.2, 1.0, len(points))
    laid = np.bincount(row * size + column, weight, size * size).reshape(size, size).astype(np.float32)
    thick = gaussian_filter(laid, thread / PIXEL_UM, truncate=3.0)
    thick /= thick.max()
    delay = float(np.clip(np.exp(rng.normal(0.1, 0.5)) * (0.35 + 0.22 * np.sqrt(diameter)), 0.3, 4.0))
    loss = float(rng.uniform(0.08, 0.3))
    seen = np.sqrt(thick)  # many thin threads, few thick ones
    screen = np.exp((1j - loss) * delay * seen)
    return np.asarray(screen, dtype=np.complex64), thick > 0.02


def _fibrils(diameter: float, rng: np.random.Generator) -> FloatArray:
    """Points along bent threads that branch off each other, shape (n, 2); only their shape matters.

    Few straight branches make a fibre, many bent ones a clump.
    """
    branches = 1 + int(rng.poisson(1.0 + 1.2 * np.sqrt(diameter)))
    bend = float(np.exp(rng.normal(-1.6, 0.7)))
    n = int(np.clip(diameter / (0.6 * PIXEL_UM), 12, 160))
    points = np.zeros((1, 2))
    for k in range(branches):
        steps = n if k == 0 else max(int(n * rng.uniform(0.15, 0.7)), 4)
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(bend * rng.standard_normal(steps))
        path = np.cumsum(np.column_stack([np.cos(heading), np.sin(heading)]), axis=0)
        points = np.concatenate([points, points[rng.integers(len(points))] + path])
    return points


def _tight(seen: _Seen, rng: np.random.Generator) -> tuple[slice, slice]:
    """The box around what differs from the background, with a margin of a few pixels."""
    found = np.abs(seen.light - 1) > _SEEN
    if found.sum() < 4:
        found = seen.mask
    size, margin = found.shape[0], rng.integers(2, 6, 2)
    box = []
    for axis, own in ((1, margin[0]), (0, margin[1])):
        there = np.flatnonzero(found.any(axis=axis))
        start, stop = (int(there[0]) - int(own), int(there[-1]) + 1 + int(own)) if there.size else (0, size)
        short = max(_SMALLEST_CROP - (stop - start), 0)
        start, stop = max(start - (short + 1) // 2, 0), min(stop + short // 2, size)
        box.append(slice(start, stop))
    return box[0], box[1]


def _lay(light: Float32Array, mask: NDArray[np.bool_], seen: _Seen, middle: FloatArray) -> None:
    """Lay a particle into a field: light is multiplied."""
    n, side = seen.light.shape[0], light.shape[0]
    top, left = (round(float(value) - n / 2) for value in middle)
    y0, y1, x0, x1 = max(top, 0), min(top + n, side), max(left, 0), min(left + n, side)
    if y0 < y1 and x0 < x1:
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        light[y0:y1, x0:x1] *= seen.light[part]
        mask[y0:y1, x0:x1] |= seen.mask[part]
