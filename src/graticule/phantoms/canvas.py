"""A height map with hidden surfaces removed, on which particles come to rest one after another.

The scene is seen from above, as by the electron beam. Each pixel keeps the highest surface met so far, the surface
normal there, and the part it belongs to (a z-buffer: Catmull 1974). Lengths are pixels, the z axis points to the beam.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array

SUBSTRATE = 0
# Where a footprint of radius 1 is probed: the centre, four points half way out and eight on the rim; (13, 2).
_RIM = np.exp(0.25j * np.pi * np.arange(8))
_PROBES = np.array([(z.real, z.imag) for z in (0j, *(0.5 * _RIM[::2]), *_RIM)])


@dataclass(frozen=True)
class Finish:
    """How a part's surface looks, apart from its form.

    Parameters
    ----------
    offset : tuple of float
        Where the surface texture starts (u, v), pixels: two particles never show the same patch.
    angle : float
        Direction of the texture's grain, radians.
    curvature_radius : float
        Radius of curvature, pixels; 0 for flat facets. Foreshortens the texture towards the limb.
    gain : float
        Secondary-electron yield relative to the mean material, > 0.
    """

    offset: tuple[float, float] = (0.0, 0.0)
    angle: float = 0.0
    curvature_radius: float = 0.0
    gain: float = 1.0


@dataclass(frozen=True)
class Surface:
    """A piece of a particle seen from above: pixels (n,) of the canvas, with the top's height and normal there.

    `bottom` is the height of the underside (same length), used to let the particle down; heights are relative
    to the particle's own origin.
    """

    pixels: NDArray[np.intp]
    top: Float32Array
    bottom: Float32Array
    normal_x: Float32Array
    normal_y: Float32Array


@dataclass
class Canvas:
    """The scene so far: (size, size) maps of height, normal (x, y) and part number (0 = substrate)."""

    height: Float32Array
    normal_x: Float32Array
    normal_y: Float32Array
    part: NDArray[np.intp]
    finishes: list[Finish]
    objects: list[int] = field(default_factory=lambda: [0])
    n_objects: int = 0

    @property
    def size(self) -> int:
        """Edge length in pixels."""
        return int(self.height.shape[0])

    def new_object(self) -> int:
        """Number of a new particle (1, 2, ...), to be passed to `put` for each of its parts."""
        self.n_objects += 1
        return self.n_objects

    def add_part(self, finish: Finish, number: int) -> int:
        """Register a part of particle `number` (0: of none) and return the part's number."""
        self.finishes.append(finish)
        self.objects.append(number)
        return len(self.finishes) - 1

    def resting_height(self, surface: Surface) -> float:
        """Height at which a particle let down vertically first touches what lies below it."""
        if surface.pixels.size == 0:
            return 0.0
        return float(np.max(np.take(self.height, surface.pixels) - surface.bottom))

    def put(self, surface: Surface, z: float, finish: Finish, number: int) -> None:
        """Draw a surface at height z as a part of particle `number` (0: dirt, in no mask)."""
        heights = self.height.reshape(-1)
        top = surface.top + np.float32(z)
        seen = np.flatnonzero(top > np.take(heights, surface.pixels))
        where = np.take(surface.pixels, seen)
        part = self.add_part(finish, number)
        heights[where] = np.take(top, seen)
        self.normal_x.reshape(-1)[where] = np.take(surface.normal_x, seen)
        self.normal_y.reshape(-1)[where] = np.take(surface.normal_y, seen)
        self.part.reshape(-1)[where] = part

    def object_mask(self) -> NDArray[np.uint16]:
        """Visible particles, numbered 1, 2, ... without gaps; 0 is substrate and dirt. Shape (size, size)."""
        numbers = np.asarray(self.objects, dtype=np.int64)[self.part]
        present = np.bincount(numbers.ravel(), minlength=self.n_objects + 1) > 0
        present[0] = False
        return np.where(present, np.cumsum(present), 0).astype(np.uint16)[numbers]


def empty_canvas(height: Float32Array, finish: Finish) -> Canvas:
    """A bare substrate with the given height map, shape (size, size), and finish."""
    # Central differences; the border wraps, as the periodic fields that make the mounts do.
    slope_y, slope_x = (np.float32(0.5) * (np.roll(height, 1, axis) - np.roll(height, -1, axis)) for axis in (0, 1))
    return Canvas(
        height=height.copy(),
        normal_x=slope_x,
        normal_y=slope_y,
        part=np.zeros(height.shape, dtype=np.intp),
        finishes=[finish],
    )


def calmest_spot(
    canvas: Canvas, radius: float, candidates: int, rng: np.random.Generator, margin: float = 0.3
) -> tuple[float, float]:
    """Of some random spots the one where a particle of this radius would lie lowest, as if it had rolled there.

    Parameters
    ----------
    canvas : Canvas
    radius : float
        Footprint radius, pixels.
    candidates : int
        Number of spots tried, >= 1. One is a uniformly random spot; many give a close-packed layer.
    rng : numpy.random.Generator
    margin : float
        Fraction of the radius by which centres may lie outside the frame.

    Returns
    -------
    x, y : float
        Pixels; may lie outside the canvas.
    """
    low, high = -margin * radius, canvas.size + margin * radius
    spots = rng.uniform(low, high, size=(candidates, 2))
    if candidates == 1:
        return float(spots[0, 0]), float(spots[0, 1])
    probes = np.maximum(spots[:, None, :] + radius * _PROBES, 0).astype(np.intp)
    np.minimum(probes, canvas.size - 1, out=probes)
    heights = np.take(canvas.height, probes[..., 1] * canvas.size + probes[..., 0])
    lowest = int(np.argmin(heights.max(axis=1)))
    return float(spots[lowest, 0]), float(spots[lowest, 1])
