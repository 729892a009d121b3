"""The phantom family "powder": six particle morphologies under a scanning electron microscope."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array
from graticule.phantoms.canvas import Canvas, Finish, calmest_spot, empty_canvas
from graticule.phantoms.detector import charge, expose, random_field, secondary_yield, smooth_field, through_column
from graticule.phantoms.particles import DRAW, Request, draw_dust
from graticule.phantoms.shapes import Warp, cluster
from graticule.phantoms.specimens import INSTRUMENTS, Specimen, draw_specimen

CLASSES = tuple(sorted(DRAW))
SIZE = 512
SPECIMENS_PER_CLASS = 6
_MARGIN = 14  # rendered and cut off: hides what the periodic filters do at the border
_MOST_PARTICLES = 50
_TILE = 256  # the surface texture repeats; every particle starts elsewhere and is turned
_SPECIMEN_KEY, _IMAGE_KEY = 0, 1


@dataclass(frozen=True)
class Micrograph:
    """A rendered image with what is known about it.

    Parameters
    ----------
    image : numpy.ndarray
        Grey levels, uint8, shape (512, 512); of other kinds any shape, or RGB.
    mask : numpy.ndarray
        Particle numbers 1, 2, ... where visible, 0 elsewhere; uint16, shape (512, 512) or (height, width).
    specimen : str
        Which specimen it shows: the group.
    pixel_size_nm : float
    instrument : str
    known : mapping of str to str
        Numbers that were drawn, as text, by the name of their column.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint16]
    specimen: str
    pixel_size_nm: float
    instrument: str
    known: Mapping[str, str] = field(default_factory=dict)


def render_powder(class_index: int, index: int, seed: int) -> Micrograph:
    """Image number `index` of a class; the same for the same three numbers, whatever else is made.

    Parameters
    ----------
    class_index : int
        Index into CLASSES.
    index : int
        Number of the image within its class, from 0. Specimens take turns.
    seed : int
        Seed of the data set, >= 0.
    """
    number = index % SPECIMENS_PER_CLASS
    specimen = draw_specimen(_stream(seed, class_index, _SPECIMEN_KEY, number), number)
    rng = _stream(seed, class_index, _IMAGE_KEY, index)
    magnification = float(np.clip(np.exp(rng.normal(0, 0.35)), 0.65, 1.9))
    seen = replace(specimen, radius_px=specimen.radius_px * magnification)
    canvas = _scene(CLASSES[class_index], seen, rng)
    texture = _texture(_TILE, seen, rng)
    signal = charge(secondary_yield(canvas, seen, texture), seen.charging, rng)
    signal = through_column(signal, seen, rng)
    cut = np.s_[_MARGIN : _MARGIN + SIZE, _MARGIN : _MARGIN + SIZE]
    inner = replace(canvas, part=canvas.part[cut])
    return Micrograph(
        image=expose(signal[cut], seen, rng),
        mask=inner.object_mask(),
        specimen=f"P{class_index * SPECIMENS_PER_CLASS + number + 1:03d}",
        pixel_size_nm=float(f"{1000 * specimen.radius_um / seen.radius_px:.4g}"),
        instrument=INSTRUMENTS[specimen.instrument],
    )


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _scene(kind: str, specimen: Specimen, rng: np.random.Generator) -> Canvas:
    """Particles of one class, with some of other classes, let down onto a substrate."""
    size = SIZE + 2 * _MARGIN
    canvas = _mount(size, specimen, rng)
    wavelength = 1.6 * specimen.radius_px
    warp = Warp(*(smooth_field(size, rng, wavelength) for _ in range(2)))
    # Now and then a field of view is not typical of its specimen.
    share = specimen.foreign if rng.random() < 0.8 else rng.uniform(0.3, 0.5)
    stranger = str(rng.choice([name for name in CLASSES if name != kind]))
    habit = specimen.shape + rng.normal(0, 0.15)
    aim = specimen.coverage * float(np.exp(rng.normal(0, 0.25))) * size * size
    covered, foreign = 0.0, 0.0
    for _ in range(_MOST_PARTICLES):
        radius = specimen.radius_px * float(np.exp(np.clip(rng.normal(0, specimen.size_spread), -1.1, 0.8)))
        own = foreign >= share * covered
        place = calmest_spot(canvas, 0.8 * radius, specimen.order, rng)
        shape = float(np.clip(habit + rng.normal(0, 0.12), 0, 1))
        amount = specimen.irregularity * min(radius, specimen.radius_px)
        ask = Request(radius, place, shape, warp, amount, _finish(size, specimen, rng))
        area = DRAW[kind if own else stranger](canvas, ask, rng)
        covered += area
        foreign += 0.0 if own else area
        if covered >= aim:
            break
    fines = int(rng.poisson(specimen.dust))
    if fines:
        draw_dust(canvas, fines, _finish(size, specimen, rng), warp, rng)
    return canvas


def _finish(size: int, specimen: Specimen, rng: np.random.Generator) -> Finish:
    offset = (rng.uniform(size, 2 * size), rng.uniform(size, 2 * size))
    return Finish(offset, rng.uniform(0, 2 * np.pi), 0.0, float(np.exp(rng.normal(0, specimen.charge_spread))))


def _mount(size: int, specimen: Specimen, rng: np.random.Generator) -> Canvas:
    """What the powder lies on: wavy carbon tape, a ground metal stub, or a filter membrane with round pores."""
    bare = Finish(gain=specimen.substrate_yield)
    if specimen.substrate == "stub":
        scratches = random_field(size, rng, 5.0, 1.2, elongation=float(rng.uniform(6, 20)))
        return empty_canvas(0.3 * scratches, bare)
    canvas = empty_canvas(1.2 * smooth_field(size, rng, 90.0), bare)
    if specimen.substrate == "membrane":
        pore = float(np.clip(specimen.radius_px * specimen.pores, 1.5, 12.0))
        places = rng.uniform(0, size, (int(0.09 * size * size / (np.pi * pore**2)), 2))
        pits = cluster(np.column_stack([places, np.zeros(len(places))]), np.full(len(places), pore), size)
        canvas.height.reshape(-1)[pits.pixels] -= np.float32(3) + pits.top
        canvas.part.reshape(-1)[pits.pixels] = canvas.add_part(Finish(gain=0.3 * specimen.substrate_yield), 0)
    return canvas


def _texture(size: int, specimen: Specimen, rng: np.random.Generator) -> Float32Array:
    """Relief of the particles' surfaces: granular, or cells parted by ridges as on solidified metal."""
    wavelength = max(specimen.grain * specimen.radius_px, 3.5)
    smooth = random_field(size, rng, wavelength, 1.3, specimen.striation)
    ridged = -np.abs(random_field(size, rng, 2 * wavelength, 2.5, specimen.striation))
    mixed = (1 - specimen.ridges) * smooth + specimen.ridges * 1.6 * ridged
    return np.asarray(mixed * np.float32(0.25 * wavelength), dtype=np.float32)
