"""Nanowires laid over each other on a substrate: their lines, what of them lies in the field, and what is seen of it.

Two populations lie mixed: aligned wires about one direction, and the rest in any direction. Each wire drapes over what
lies below it, so that the last ones hide the first.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.phantoms.canvas import Canvas, Finish
from graticule.phantoms.particles import drape
from graticule.phantoms.shapes import Sweep, round_profile, sampling, sweep

_MOST_WIRES = 700
_THINNEST = 2.0  # pixels; thinner ones would leave no shading
_MOST_MISSES = 200  # wires in a row that missed the field
_STRAIGHTER = 0.35  # bending of aligned wires relative to the others': what bends much is not aligned
_COARSE = 3.0  # pixels between the points of a line; the wire is drawn finer
_STIFF = 3  # diameters over which a wire bridges what it lies on
_SUNK = 0.9  # of the way to lying on top: wires below give way a little


@dataclass(frozen=True)
class WireStyle:
    """What the wires of a specimen have in common; lengths in pixels.

    Parameters
    ----------
    diameter, spread : float
        Median, and standard deviation of the logarithm.
    length : float
        Median.
    bending : float
        Standard deviation of the direction along a wire, radians.
    coverage : float
        Projected area of all wires over that of the field.
    dispersion : float
        Standard deviation of the directions of the aligned wires, radians.
    band : float
        Width of the band in which aligned wires lie, as a share of the field; 0: anywhere.
    yield_spread : float
        Standard deviation of the logarithm of the brightness, between wires.
    """

    diameter: float
    spread: float
    length: float
    bending: float
    coverage: float
    dispersion: float
    band: float
    yield_spread: float


@dataclass(frozen=True)
class Laid:
    """The m wires of a scene, in the order in which they were laid.

    Attributes
    ----------
    aligned : bool array, shape (m,)
    diameter : float array, shape (m,)
        Pixels.
    length : float array, shape (m,)
        Inside the field, hidden parts included, pixels.
    doubled : complex array, shape (m,)
        Mean of exp(2i t) along the wire inside the field; t counter-clockwise from the horizontal, as seen.
    """

    aligned: NDArray[np.bool_]
    diameter: FloatArray
    length: FloatArray
    doubled: NDArray[np.complex128]

    @property
    def volume(self) -> FloatArray:
        """Of each wire inside the field, cubic pixels, shape (m,)."""
        return np.asarray(np.pi / 4 * self.diameter**2 * self.length)

    @property
    def area(self) -> FloatArray:
        """Projected area of each wire inside the field, hidden parts included, square pixels, shape (m,)."""
        return np.asarray(self.diameter * self.length)


@dataclass(frozen=True)
class FieldOfView:
    """The part of a canvas that the picture will show: rows and columns from `margin` on."""

    margin: int
    height: int
    width: int

    @property
    def area(self) -> int:
        """Pixels."""
        return self.height * self.width

    def holds(self, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
        """Which points lie inside."""
        right, low = self.margin + self.width, self.margin + self.height
        return np.asarray((x >= self.margin) & (x < right) & (y >= self.margin) & (y < low))


@dataclass(frozen=True)
class _Line:
    """The centre line of a wire, n points a step apart: x, y in pixels, y downwards, and the heading there, radians."""

    x: FloatArray
    y: FloatArray
    heading: FloatArray
    step: float


def lay_wires(
    canvas: Canvas, field: FieldOfView, style: WireStyle, share: float, direction: float, rng: np.random.Generator
) -> Laid:
    """Lay wires until their projected area reaches the coverage.

    Parameters
    ----------
    canvas : Canvas
        The substrate, changed in place; wire i becomes its object i + 1.
    field : FieldOfView
    style : WireStyle
    share : float
        Chance of a wire to be one of the aligned, 0 to 1.
    direction : float
        Of the aligned wires, radians counter-clockwise from the horizontal as seen.
    rng : numpy.random.Generator
    """
    aim = style.coverage * float(np.exp(rng.normal(0, 0.15))) * field.area
    band = style.band * min(field.height, field.width)
    middle = rng.uniform(-0.8, 0.8) * band
    rows: list[tuple[bool, float, float, complex]] = []
    covered, misses = 0.0, 0
    while covered < aim and len(rows) < _MOST_WIRES and misses < _MOST_MISSES:
        aligned = bool(rng.random() < share)
        diameter = max(style.diameter * float(np.exp(rng.normal(0, style.spread))), _THINNEST)
        turn = direction + rng.normal(0, style.dispersion) if aligned else rng.uniform(0, np.pi)
        across = middle + band * rng.uniform(-0.5, 0.5) if aligned and band else None
        line = _line(field, style, turn, _STRAIGHTER if aligned else 1.0, across, rng)
        inside = field.holds(line.x, line.y)
        length = float(inside.sum()) * line.step
        if length < 2 * diameter:
            misses += 1
            continue
        misses = 0
        _put(canvas, line, diameter / 2, _finish(canvas.size, style, rng))
        # y runs downwards, so a heading turns clockwise on the screen
        rows.append((aligned, diameter, length, complex(np.exp(-2j * line.heading[inside]).mean())))
        covered += diameter * length
    aligned_ones, diameters, lengths, doubled = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Laid(
        np.array(aligned_ones, dtype=bool), np.array(diameters), np.array(lengths), np.array(doubled, dtype=complex)
    )


def _line(
    field: FieldOfView, style: WireStyle, turn: float, bending: float, across: float | None, rng: np.random.Generator
) -> _Line:
    """A wire's centre line: slow bends about a direction; its middle anywhere, or `across` pixels from the field's."""
    longest = 1.5 * float(np.hypot(field.height, field.width))  # what lies farther out is not seen
    length = min(style.length * float(np.exp(rng.normal(0, 0.3))), longest)
    n = max(int(length / _COARSE) + 1, 4)
    step = length / (n - 1)
    s = np.linspace(-0.5, 0.5, n)
    waves = sum(rng.normal() / k * np.sin(k * np.pi * s + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3))
    heading = -turn + bending * style.bending * np.asarray(waves)
    x, y = np.cumsum(np.cos(heading)) * step, np.cumsum(np.sin(heading)) * step
    sides = np.array([field.width, field.height], dtype=np.float64)
    middle = sides / 2 + field.margin
    if across is None:
        middle += rng.uniform(-0.5, 0.5, 2) * (sides + length)
    else:
        along = rng.uniform(-0.5, 0.5) * (longest / 1.5 + length)
        middle += along * np.array([np.cos(turn), -np.sin(turn)]) + across * np.array([np.sin(turn), np.cos(turn)])
    return _Line(x - x[n // 2] + middle[0], y - y[n // 2] + middle[1], heading, step)


def _put(canvas: Canvas, line: _Line, radius: float, finish: Finish) -> None:
    """Drape a wire over the scene; what lies off the canvas is left out first."""
    room = radius + 2 * _COARSE
    near = (line.x > -room) & (line.x < canvas.size + room) & (line.y > -room) & (line.y < canvas.size + room)
    on = np.flatnonzero(near)
    cut = slice(on[0], on[-1] + 1)
    x, y = line.x[cut], line.y[cut]
    rows, columns = (np.clip(v, 0, canvas.size - 1).astype(np.intp) for v in (y, x))
    below = canvas.height[rows, columns].astype(np.float64)
    z = _SUNK * drape(below, max(round(2 * _STIFF * radius / line.step), 1)) + radius
    coarse = np.arange(on[0], on[-1] + 1, dtype=np.float64)
    fine = np.linspace(on[0], on[-1], sampling((on[-1] - on[0]) * line.step))
    x, y, z, heading = (np.interp(fine, coarse, values) for values in (x, y, z, line.heading[cut]))
    width = _capped(np.minimum(fine, line.x.size - 1 - fine) * line.step, radius)
    body = sweep(Sweep(x, y, z, heading, width, round_profile(radius)), canvas.size)
    canvas.put(body, 0.0, finish, canvas.new_object())


def _capped(to_end: FloatArray, radius: float) -> FloatArray:
    """Half width at distances from the end of a wire, which is round."""
    t = np.minimum(to_end / radius, 1)
    return np.asarray(radius * np.sqrt(0.05 + 0.95 * t * (2 - t)))


def _finish(size: int, style: WireStyle, rng: np.random.Generator) -> Finish:
    offset = (rng.uniform(size, 2 * size), rng.uniform(size, 2 * size))
    return Finish(
        offset, rng.uniform(0, 2 * np.pi), style.diameter / 2, float(np.exp(rng.normal(0, style.yield_spread)))
    )
