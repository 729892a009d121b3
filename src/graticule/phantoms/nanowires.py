"""Networks of nanowires under a scanning electron microscope, of which a known share lies aligned.

A specimen has its wires, substrate, instrument and mean share; pictures of it differ in share, direction and field.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graticule.arrays import Float32Array
from graticule.phantoms.canvas import Canvas, Finish, empty_canvas
from graticule.phantoms.detector import charge, expose, random_field, secondary_yield, smooth_field, through_column
from graticule.phantoms.particles import draw_dust
from graticule.phantoms.shapes import Warp
from graticule.phantoms.specimens import INSTRUMENTS, Specimen, draw_specimen
from graticule.phantoms.wires import FieldOfView, Laid, WireStyle, lay_wires

PICTURES_PER_SPECIMEN = 9
_SIDES = (256, 288, 320, 352, 384)
_MARGIN = 14  # rendered and cut off: hides what the periodic filters do at the border
_TILE = 256
_FINER = 1.5  # drawn so much larger and shrunk, which smooths the stairs of slanting edges
_SPECIMEN_KEY, _IMAGE_KEY = 0, 1


@dataclass(frozen=True)
class NanowireSpecimen:
    """Parameters shared by the pictures of a specimen, beside those that all specimens have.

    Parameters
    ----------
    wires : WireStyle
    base : Specimen
        Instrument, detector and surface.
    diameter_nm : float
        Median diameter of the wires.
    share : float
        Mean share of aligned wires.
    grain, relief : float
        Of the substrate: wavelength and height, pixels.
    correlated : float
        Noise that reaches over several pixels, as a share of the signal's spread; 0: white noise alone.
    gamma, gradient : float
        Of the grey levels; rise of the brightness across the field.
    jitter : float
        Displacement of lines against each other, pixels.
    quality : int
        Of the JPEG file; 0: PNG.
    """

    wires: WireStyle
    base: Specimen
    diameter_nm: float
    share: float
    grain: float
    relief: float
    correlated: float
    gamma: float
    gradient: float
    jitter: float
    quality: int


@dataclass(frozen=True)
class NanowirePicture:
    """A rendered picture and what is known about it.

    Attributes
    ----------
    image : uint8 array, shape (h, w)
        Grey levels; 256 to 384 pixels each way.
    wire : int array, shape (h, w)
        Number of the wire seen, from 1 in the order in which they were laid; 0: none.
    laid : Laid
    specimen, instrument : str
    pixel_size_nm : float
    quality : int
        Of the JPEG file; 0: PNG.
    """

    image: NDArray[np.uint8]
    wire: NDArray[np.intp]
    laid: Laid
    specimen: str
    instrument: str
    pixel_size_nm: float
    quality: int


def render_nanowires(index: int, per_specimen: int, seed: int) -> NanowirePicture:
    """Picture number `index`; the same for the same three numbers, whatever else is made.

    Parameters
    ----------
    index : int
        From 0; picture i is of specimen i // per_specimen.
    per_specimen : int
    seed : int
        Seed of the data set, >= 0.
    """
    number, within = divmod(index, per_specimen)
    specimen = draw_nanowire_specimen(_stream(seed, _SPECIMEN_KEY, number), number)
    rng = _stream(seed, _IMAGE_KEY, number, within)
    height, width = (int(side) for side in rng.choice(_SIDES, 2))
    field = FieldOfView(_MARGIN, round(height * _FINER), round(width * _FINER))
    share = float(np.clip(specimen.share + rng.normal(0, 0.25), 0, 1))
    canvas = _substrate(max(field.height, field.width) + 2 * _MARGIN, specimen, rng)
    style = replace(specimen.wires, diameter=specimen.wires.diameter * _FINER, length=specimen.wires.length * _FINER)
    laid = lay_wires(canvas, field, style, share, rng.uniform(0, np.pi), rng)
    _add_dust(canvas, specimen, rng)
    rows, columns = (_MARGIN + ((np.arange(n) + 0.5) * _FINER).astype(np.intp) for n in (height, width))
    wire = np.asarray(canvas.objects, dtype=np.intp)[canvas.part[np.ix_(rows, columns)]]
    drawn = _signal(canvas, specimen, rng)[_MARGIN : _MARGIN + field.height, _MARGIN : _MARGIN + field.width]
    return NanowirePicture(
        image=_expose(_shrunk(drawn, height, width), specimen, rng),
        wire=wire,
        laid=replace(laid, diameter=laid.diameter / _FINER, length=laid.length / _FINER),
        specimen=f"N{number + 1:03d}",
        instrument=INSTRUMENTS[specimen.base.instrument],
        pixel_size_nm=float(f"{specimen.diameter_nm / specimen.wires.diameter:.4g}"),
        quality=specimen.quality,
    )


def _shrunk(signal: Float32Array, height: int, width: int) -> Float32Array:
    return np.asarray(Image.fromarray(signal).resize((width, height), Image.Resampling.HAMMING), dtype=np.float32)


def draw_nanowire_specimen(rng: np.random.Generator, number: int) -> NanowireSpecimen:
    """A specimen's wires and setting of the instrument; nothing of it depends on the share of aligned wires."""
    diameter = _log_uniform(rng, 3.0, 16.0)
    band = rng.uniform(0.35, 0.75) if rng.random() < 1 / 3 else 0.0
    wires = WireStyle(
        diameter=diameter,
        spread=rng.uniform(0.08, 0.35),
        length=_log_uniform(rng, 150.0, 900.0),
        bending=np.radians(rng.uniform(0, 15)),
        coverage=_log_uniform(rng, 0.6, 1.9) * (band**0.5 or 1.0),  # a bundle is not much thicker
        dispersion=np.radians(rng.uniform(1, 6)),
        band=band,
        yield_spread=rng.uniform(0.03, 0.15),
    )
    base = draw_specimen(rng, number)
    base = replace(
        base,
        radius_px=_FINER * (2.0 * diameter + 4),
        roughness=_log_uniform(rng, 0.01, 0.12),
        dust=_log_uniform(rng, 0.3, 12.0),
        defocus=_FINER * rng.uniform(0.5, 1.4),
        substrate_yield=_log_uniform(rng, 0.2, 0.75),
    )
    return NanowireSpecimen(
        wires=wires,
        base=base,
        diameter_nm=_log_uniform(rng, 20.0, 160.0),
        share=rng.uniform(0.05, 0.95),
        grain=_log_uniform(rng, 4.0, 30.0),
        relief=_log_uniform(rng, 0.05, 1.2),
        correlated=rng.uniform(0.05, 0.22) if rng.random() < 0.4 else 0.0,
        gamma=rng.uniform(0.75, 1.35),
        gradient=rng.uniform(0, 0.4),
        jitter=base.charging * rng.uniform(0.2, 1.2),
        quality=int(rng.integers(60, 96)) if rng.random() < 0.5 else 0,
    )


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _substrate(size: int, specimen: NanowireSpecimen, rng: np.random.Generator) -> Canvas:
    """A grainy film on a slightly wavy wafer."""
    relief = specimen.relief * random_field(size, rng, specimen.grain, 1.5) + 0.8 * smooth_field(size, rng, 120.0)
    return empty_canvas(np.asarray(relief, dtype=np.float32), Finish(gain=specimen.base.substrate_yield))


def _add_dust(canvas: Canvas, specimen: NanowireSpecimen, rng: np.random.Generator) -> None:
    """Seeds and debris, too small to have a direction."""
    n = int(rng.poisson(specimen.base.dust))
    if n:
        warp = Warp(*(smooth_field(canvas.size, rng, 40.0) for _ in range(2)))
        draw_dust(canvas, n, Finish(gain=1.1), warp, rng)


def _signal(canvas: Canvas, specimen: NanowireSpecimen, rng: np.random.Generator) -> Float32Array:
    """What the detector gets, before counting noise, shape (size, size)."""
    base = specimen.base
    texture = random_field(_TILE, rng, 6.0, 1.3) * np.float32(1.5)
    signal = charge(secondary_yield(canvas, base, texture), base.charging, rng)
    signal = _displaced(through_column(signal, base, rng), specimen.jitter, rng)
    size = canvas.size
    across = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    ramp = np.float32(np.cos(turn)) * across[None, :] + np.float32(np.sin(turn)) * across[:, None]
    signal = signal * (1 + np.float32(specimen.gradient) * ramp)
    if specimen.correlated:
        noise = random_field(size, rng, rng.uniform(4, 9), 1.5)
        signal = signal + np.float32(specimen.correlated * signal.std()) * noise
    return np.asarray(signal, dtype=np.float32)


def _displaced(signal: Float32Array, jitter: float, rng: np.random.Generator) -> Float32Array:
    """Lines out of place, as a charged specimen pushes the beam: most a little, now and then a group of them."""
    if jitter <= 0:
        return signal
    n = len(signal)
    drift = np.cumsum(rng.normal(0, 0.15, n) + (rng.random(n) < 0.02) * rng.normal(0, 1.5, n))
    drift -= np.convolve(np.pad(drift, 20, mode="edge"), np.ones(41) / 41, mode="valid")
    shift = jitter * (drift + rng.normal(0, 0.35, n))
    columns = np.arange(n, dtype=np.float64)
    return np.array(
        [np.interp(columns + by, columns, line) for by, line in zip(shift, signal, strict=True)], np.float32
    )


def _expose(signal: Float32Array, specimen: NanowireSpecimen, rng: np.random.Generator) -> NDArray[np.uint8]:
    grey = expose(signal, specimen.base, rng)
    table = np.rint(255 * np.linspace(0, 1, 256) ** specimen.gamma).astype(np.uint8)
    return np.asarray(table[grey])
