"""One particle of each morphology, let down onto a canvas.

Each `draw_...` returns the area that the particle covers, in square pixels, before any overlap.

`shape` runs from 0 (typical) to 1 (bordering on a neighbouring class): spheres become spheroids that carry satellites,
needles short laths, plates thick tablets, fibres short and straight, agglomerates a few fused grains, crystals
rounded or elongated.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graticule.arrays import FloatArray
from graticule.phantoms.canvas import Canvas, Finish, Surface
from graticule.phantoms.shapes import (
    Sweep,
    Warp,
    cluster,
    ellipsoid,
    polyhedron,
    prism_profile,
    random_rotation,
    round_profile,
    sampling,
    sweep,
)


@dataclass(frozen=True)
class Request:
    """What to draw: equivalent radius (pixels), place (x, y), border-likeness 0 to 1, outline warp and its pixels."""

    radius: float
    place: tuple[float, float]
    shape: float
    warp: Warp
    warp_amount: float
    finish: Finish


Draw = Callable[[Canvas, Request, np.random.Generator], float]


def draw_sphere(canvas: Canvas, ask: Request, rng: np.random.Generator) -> float:
    """A sphere or spheroid; the nearer to the border, the more satellites sit on it."""
    squash = 1 - (0.06 + 0.3 * ask.shape) * rng.random()
    axes = ask.radius * np.array([1 / squash, 1.0, squash]) ** 0.5
    amount = 0.35 * ask.warp_amount * (1 + ask.shape)
    number = canvas.new_object()
    body = ellipsoid(ask.place, axes, random_rotation(rng), canvas.size, ask.warp, amount)
    z = _settle(canvas, body)
    canvas.put(body, z, _with(ask.finish, curvature=ask.radius), number)
    satellites = rng.poisson(0.3 + 3.0 * ask.shape**1.5)
    if satellites:
        radii = ask.radius * rng.uniform(0.12, 0.2 + 0.35 * ask.shape, satellites)
        centres = np.array([*ask.place, z]) + _directions(rng, satellites) * (ask.radius + 0.7 * radii)[:, None]
        lumps = cluster(centres, radii, canvas.size, ask.warp, 0.0)
        canvas.put(lumps, 0.0, _with(ask.finish, curvature=float(radii.mean())), number)
    return float(np.pi * ask.radius**2)


def draw_agglomerate(canvas: Canvas, ask: Request, rng: np.random.Generator) -> float:
    """Primary grains that stick together, grown by adding each to a random one (Eden-like growth; Vold 1963)."""
    grains = max(int(rng.lognormal(np.log(16 * (1 - ask.shape) ** 1.6 + 3.5), 0.35)), 2)
    size = 1.25 * ask.radius / grains ** (1 / 2.5)
    radii = size * np.exp(rng.normal(0, 0.08 + 0.22 * ask.shape, grains))
    spread = rng.uniform(0.72, 0.98)  # centre distance over the sum of radii: sintered to touching
    centres = np.zeros((grains, 3))
    steps = _directions(rng, grains) * spread
    for i in range(1, grains):
        # The most central of three hosts: looser than a ball, denser than a chain.
        host = min(rng.integers(0, i, 3).tolist(), key=lambda k: float(centres[k] @ centres[k]))
        centres[i] = centres[host] + steps[i] * (radii[i] + radii[host])
    centres += np.array([*ask.place, 0.0]) - centres.mean(axis=0)
    body = cluster(centres, radii, canvas.size, ask.warp, 0.3 * ask.warp_amount)
    canvas.put(body, _settle(canvas, body), _with(ask.finish, curvature=size), canvas.new_object())
    return float(np.pi * ask.radius**2)


def draw_needle(canvas: Canvas, ask: Request, rng: np.random.Generator) -> float:
    """A straight prism or rod with pointed or blunt ends, aspect ratio about 12 down to 3 near the border."""
    aspect = np.exp(rng.normal(np.log(13.0 * (1 - ask.shape) ** 1.3 + 2.5), 0.22))
    width = max(ask.radius * np.sqrt(np.pi / aspect) / 2, 2.0)
    length = 2 * width * aspect
    s = np.linspace(-0.5, 0.5, sampling(length)) * length
    tip = rng.uniform(0.02, 0.3, 2) * rng.choice([0.15, 1.0])
    taper = np.minimum(1, np.minimum((0.5 - s / length) / tip[0], (0.5 + s / length) / tip[1]))
    radius = width * (0.12 + 0.88 * np.clip(taper, 0, 1) ** rng.choice([0.5, 1.0]))
    turn = rng.uniform(0, np.pi)
    heading = turn + ask.warp_amount / ask.radius * 0.9 * rng.normal() * s / length
    slope = rng.normal(0, 0.06)
    x = ask.place[0] + np.cos(turn) * s - np.sin(turn) * 0.5 * (heading - turn) * s
    y = ask.place[1] + np.sin(turn) * s + np.cos(turn) * 0.5 * (heading - turn) * s
    faceted = rng.random() < 0.75
    profile = prism_profile(width, int(rng.integers(4, 7)), rng.uniform(0, np.pi)) if faceted else round_profile(width)
    body = sweep(Sweep(x, y, slope * s, heading, radius, profile), canvas.size)
    finish = _with(ask.finish, curvature=0.0 if faceted else width, angle=turn)
    canvas.put(body, _settle(canvas, body), finish, canvas.new_object())
    return float(2 * width * length)


def draw_fibre(canvas: Canvas, ask: Request, rng: np.random.Generator) -> float:
    """A long curved filament that drapes over what lies below; shorter and straighter near the border."""
    width = max(ask.radius * rng.uniform(0.16, 0.3) * (1 + 0.5 * ask.shape), 2.2)
    length = ask.radius * np.exp(rng.normal(np.log(22.0 * (1 - ask.shape) ** 1.2 + 7.0), 0.25))
    n = sampling(length)
    s = np.linspace(-0.5, 0.5, n)
    bend = (0.25 + 1.1 * (1 - ask.shape)) * min(length / 350, 1.6)
    waves = sum(rng.normal() / k * np.sin(k * np.pi * s + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3, 5))
    heading = rng.uniform(0, 2 * np.pi) + bend * np.asarray(waves)
    step = length / (n - 1)
    x, y = np.cumsum(np.cos(heading)) * step, np.cumsum(np.sin(heading)) * step
    x, y = x - x[n // 2] + ask.place[0], y - y[n // 2] + ask.place[1]
    rows, columns = (np.clip(v, 0, canvas.size - 1).astype(np.intp) for v in (y, x))
    below = canvas.height[rows, columns].astype(np.float64)
    z = drape(below, int(6 * width)) + 0.9 * width
    swell = 1 + ask.warp_amount / ask.radius * np.sin(s * length / ask.radius * rng.uniform(1, 3) + rng.uniform(0, 6))
    profile = round_profile(width, rng.choice([1.0, 1.0, 0.5]))
    body = sweep(Sweep(x, y, z, heading, width * swell, profile), canvas.size)
    middle = float(heading[n // 2])
    canvas.put(body, 0.0, _with(ask.finish, curvature=width, angle=middle), canvas.new_object())
    return float(2 * width * length)


def draw_plate(canvas: Canvas, ask: Request, rng: np.random.Generator) -> float:
    """A flat prism of 4 to 7 sides, lying, leaning or standing; thick as a tablet near the border."""
    thickness = np.exp(rng.normal(np.log(0.1 + 0.8 * ask.shape**1.5), 0.25)) * ask.radius
    sides = int(rng.integers(4, 8))
    angle = np.arange(sides) * 2 * np.pi / sides + rng.normal(0, 0.12, sides)
    rim = np.stack([np.cos(angle), np.sin(angle), rng.normal(0, 0.08, sides)], axis=1)
    distances = 1.05 * ask.radius * np.exp(rng.normal(0, 0.14, sides))
    stretch = np.exp(rng.normal(0, 0.16))
    distances *= np.abs(np.cos(angle)) * stretch + np.abs(np.sin(angle)) / stretch
    normals = np.concatenate([rim, [[0, 0, 1.0], [0, 0, -1.0]]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    distances = np.append(distances, [thickness / 2, thickness / 2])
    standing = rng.random() < 0.15
    rotation = random_rotation(rng) if standing else random_rotation(rng, tilt=0.75)
    return _put_polyhedron(canvas, ask, (normals @ rotation.T, distances), 0.03 + 0.03 * ask.shape)


def draw_crystal(canvas: Canvas, ask: Request, rng: np.random.Generator) -> float:
    """A polyhedron of cube, octahedron and dodecahedron faces in random proportion; worn or long near the border."""
    habit = rng.dirichlet([1.0, 1.0, 0.4])
    distances = np.concatenate(
        [np.full(6, 1 + 0.55 * habit[1]), np.full(8, 1.25 - 0.3 * habit[1]), np.full(12, 1.42 - 0.5 * habit[2])]
    )
    chosen = np.concatenate([np.ones(14, dtype=bool), np.full(12, habit[2] > 0.3)])
    normals = _CUBIC[chosen]
    distances = 0.8 * ask.radius * distances[chosen] * np.exp(rng.normal(0, 0.08, int(chosen.sum())))
    stretch = np.exp(rng.normal(0, 0.07 + 0.4 * ask.shape, 3))
    stretch /= np.cbrt(stretch.prod())
    # Planes n v <= d become n/a v <= d under the stretch v -> a v; renormalise both sides.
    normals = normals / stretch
    length = np.linalg.norm(normals, axis=1)
    planes = (normals / length[:, None]) @ random_rotation(rng).T, distances / length
    return _put_polyhedron(canvas, ask, planes, 0.035 + 0.16 * ask.shape * rng.random())


def draw_dust(canvas: Canvas, n: int, finish: Finish, warp: Warp, rng: np.random.Generator) -> None:
    """Fines of 1 to 3 pixels, too small to have a class, on whatever lies below; they are in no mask."""
    radii = rng.uniform(1.0, 3.0, n)
    places = rng.uniform(0, canvas.size, (n, 2))
    columns, rows = places.astype(np.intp).T
    heights = canvas.height[rows, columns].astype(np.float64) + 0.5 * radii
    body = cluster(np.column_stack([places, heights]), radii, canvas.size, warp, 0.4)
    canvas.put(body, 0.0, finish, 0)


def _cubic_normals() -> FloatArray:
    signs = np.array(np.meshgrid([-1, 0, 1], [-1, 0, 1], [-1, 0, 1])).reshape(3, -1).T.astype(np.float64)
    order = np.abs(signs).sum(axis=1)
    faces = np.concatenate([signs[order == 1], signs[order == 3], signs[order == 2]])
    return np.asarray(faces / np.linalg.norm(faces, axis=1, keepdims=True))


_CUBIC = _cubic_normals()


def _put_polyhedron(canvas: Canvas, ask: Request, planes: tuple[FloatArray, FloatArray], bevel: float) -> float:
    amount = 0.3 * ask.warp_amount
    body = polyhedron(ask.place, planes, max(bevel * ask.radius, 0.6), canvas.size, ask.warp, amount)
    canvas.put(body, _settle(canvas, body), _with(ask.finish, curvature=0.0), canvas.new_object())
    return float(np.pi * ask.radius**2)


def _settle(canvas: Canvas, body: Surface) -> float:
    # Beds give way and tape is soft: a particle sinks a little below first contact.
    return 0.85 * canvas.resting_height(body)


def drape(below: FloatArray, reach: int) -> FloatArray:
    """Height profile of a filament laid over `below` (n,): the hull at `reach` points, smoothed."""
    padded = np.pad(below, reach, mode="edge")
    hull = np.maximum.reduce([padded[i : i + below.size] for i in range(0, 2 * reach + 1, max(reach // 4, 1))])
    kernel = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.convolve(np.pad(hull, reach, mode="edge"), kernel, mode="valid")


def _directions(rng: np.random.Generator, n: int) -> FloatArray:
    vectors = rng.standard_normal((n, 3))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _with(finish: Finish, curvature: float, angle: float | None = None) -> Finish:
    return Finish(finish.offset, finish.angle if angle is None else angle, curvature, finish.gain)


DRAW: dict[str, Draw] = {
    "agglomerates": draw_agglomerate,
    "crystals": draw_crystal,
    "fibres": draw_fibre,
    "needles": draw_needle,
    "plates": draw_plate,
    "spheres": draw_sphere,
}
