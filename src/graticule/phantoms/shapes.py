"""Particle surfaces seen from above: ellipsoids, convex polyhedra and swept profiles (needles, fibres).

Each function returns the `Surface` within the frame: heights relative to the particle's centre and unit normals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Float32Array, FloatArray
from graticule.phantoms.canvas import Surface

_STEP = 0.66  # sweep sampling in pixels; below 1/sqrt(2) no pixel of a rotated lattice is left out


@dataclass(frozen=True)
class Warp:
    """A smooth displacement of the plane that makes outlines irregular; maps of shape (size, size), unit variance."""

    x: Float32Array
    y: Float32Array


@dataclass(frozen=True)
class Sweep:
    """A profile swept along a line: n points of the centre line and k across it.

    Parameters
    ----------
    x, y, z : numpy.ndarray
        Centre line, shape (n,), pixels.
    heading : numpy.ndarray
        Direction of the line in the plane, shape (n,), radians.
    radius : numpy.ndarray
        Half width, shape (n,), pixels.
    profile : tuple of numpy.ndarray
        Position across (-1 to 1), height over the centre in units of the half width, and the normal's component
        across; each of shape (k,).
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    heading: FloatArray
    radius: FloatArray
    profile: tuple[FloatArray, FloatArray, FloatArray]


def random_rotation(rng: np.random.Generator, tilt: float | None = None) -> FloatArray:
    """Rotation matrix (3, 3): uniform (Shoemake 1992), or about the z axis after a tilt of at most `tilt` radians."""
    if tilt is None:
        w, x, y, z = (quaternion := rng.standard_normal(4)) / np.linalg.norm(quaternion)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
    lean, spin, turn = tilt * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi)
    return _about_z(turn) @ _about_x(lean) @ _about_z(spin)


def _about_z(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _about_x(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _window(
    centre: tuple[float, float], reach: tuple[float, float], size: int, warp: Warp | None, amount: float
) -> tuple[Float32Array, Float32Array, NDArray[np.intp]]:
    """Coordinates relative to the centre over the box that holds a particle, warped, and the pixels' flat indices."""
    x0, x1 = max(int(centre[0] - reach[0]), 0), min(int(centre[0] + reach[0]) + 2, size)
    y0, y1 = max(int(centre[1] - reach[1]), 0), min(int(centre[1] + reach[1]) + 2, size)
    columns, rows = np.arange(x0, max(x0, x1)), np.arange(y0, max(y0, y1))[:, None]
    dx = (columns - centre[0]).astype(np.float32)[None, :]
    dy = (rows - centre[1]).astype(np.float32)
    if warp is not None and amount > 0 and rows.size and columns.size:
        dx = dx + np.float32(amount) * warp.x[y0:y1, x0:x1]
        dy = dy + np.float32(amount) * warp.y[y0:y1, x0:x1]
    else:
        dx, dy = dx + np.zeros_like(dy), dy + np.zeros_like(dx)
    return dx, dy, rows * size + columns


def ellipsoid(
    centre: tuple[float, float],
    axes: FloatArray,
    rotation: FloatArray,
    size: int,
    warp: Warp | None = None,
    amount: float = 0.0,
) -> Surface:
    """An ellipsoid with half axes (3,) turned by `rotation`; `amount` is the warp in pixels.

    The surface is the quadric v' A v = 1 with A = R diag(1/axes^2) R', solved for z.
    """
    spread = (rotation * axes**2) @ rotation.T
    reach = (float(np.sqrt(spread[0, 0])) + 2 * amount + 1, float(np.sqrt(spread[1, 1])) + 2 * amount + 1)
    a = ((rotation / axes**2) @ rotation.T).astype(np.float32)
    dx, dy, pixels = _window(centre, reach, size, warp, amount)
    half_b = a[0, 2] * dx + a[1, 2] * dy
    c = a[0, 0] * dx * dx + 2 * a[0, 1] * dx * dy + a[1, 1] * dy * dy - 1
    discriminant = half_b * half_b - a[2, 2] * c
    inside = np.flatnonzero(discriminant > 0)
    dx, dy, half_b = np.take(dx, inside), np.take(dy, inside), np.take(half_b, inside)
    root = np.sqrt(np.take(discriminant, inside))
    top, bottom = (root - half_b) / a[2, 2], (-root - half_b) / a[2, 2]
    normal_x = a[0, 0] * dx + a[0, 1] * dy + a[0, 2] * top
    normal_y = a[0, 1] * dx + a[1, 1] * dy + a[1, 2] * top
    # A point on the surface has the outward normal A v, whose z component is the root of the discriminant.
    length = np.sqrt(normal_x**2 + normal_y**2 + root**2)
    return Surface(np.take(pixels, inside), top, bottom, normal_x / length, normal_y / length)


def cluster(
    centres: FloatArray, radii: FloatArray, size: int, warp: Warp | None = None, amount: float = 0.0
) -> Surface:
    """The union of spheres with centres (n, 3) in the frame and radii (n,), as one surface.

    All spheres are laid on a grid of the same size at once; where they overlap the highest one is written last.
    """
    half = int(np.ceil(radii.max() + 2 * amount)) + 1
    step = np.arange(-half, half + 1)
    columns = (np.rint(centres[:, 0]).astype(np.intp)[:, None] + step)[:, None, :]
    rows = (np.rint(centres[:, 1]).astype(np.intp)[:, None] + step)[:, :, None]
    pixels = rows * size + columns
    dx = (columns - centres[:, 0, None, None]).astype(np.float32)
    dy = (rows - centres[:, 1, None, None]).astype(np.float32)
    if warp is not None and amount > 0:
        near = np.clip(pixels, 0, size * size - 1)
        dx, dy = dx + np.float32(amount) * np.take(warp.x, near), dy + np.float32(amount) * np.take(warp.y, near)
    squared = (radii**2).astype(np.float32)[:, None, None] - dx * dx - dy * dy
    framed = (columns >= 0) & (columns < size) & (rows >= 0) & (rows < size)
    inside = np.flatnonzero((squared > 0) & framed)
    cap = np.sqrt(np.take(squared, inside))
    top = np.take(centres[:, 2].astype(np.float32), inside // step.size**2) + cap
    # Steps of 1/32 pixel: integers of 16 bits are sorted in linear time.
    order = np.argsort(np.clip(32 * top, -32768, 32767).astype(np.int16), kind="stable")
    inside, top, cap = inside[order], top[order], cap[order]
    scale = np.take((1 / radii).astype(np.float32), inside // step.size**2)
    normal_x = np.take(np.broadcast_to(dx, squared.shape), inside) * scale
    normal_y = np.take(np.broadcast_to(dy, squared.shape), inside) * scale
    return Surface(np.take(pixels, inside), top, top - 2 * cap, normal_x, normal_y)


def polyhedron(
    centre: tuple[float, float],
    planes: tuple[FloatArray, FloatArray],
    bevel: float,
    size: int,
    warp: Warp | None = None,
    amount: float = 0.0,
) -> Surface:
    """A convex polyhedron {v : normals v <= distances}.

    Parameters
    ----------
    centre : tuple of float
        x, y in pixels.
    planes : tuple of numpy.ndarray
        Outward unit normals (p, 3) and distances from the centre (p,), pixels; together they must enclose a body.
    bevel : float
        Width over which an edge is rounded (normals only), pixels, > 0.
    size : int
        Frame, pixels.
    warp, amount
        Displacement of the outline, pixels.
    """
    normals, distances = planes
    nz = np.where(np.abs(normals[:, 2]) < 1e-3, 1e-3, normals[:, 2])
    coefficients = (np.stack([distances, normals[:, 0], normals[:, 1]], axis=1) / nz[:, None]).astype(np.float32)
    faces, floors = coefficients[nz > 0], coefficients[nz < 0]
    width, height = _reach(faces, floors, float(distances.max()))
    reach = (width + 2 * amount + 1, height + 2 * amount + 1)
    dx, dy, pixels = _window(centre, reach, size, warp, amount)
    top, bottom = _extreme(faces, dx, dy, np.minimum), _extreme(floors, dx, dy, np.maximum)
    inside = np.flatnonzero(top > bottom)
    dx, dy, top, bottom = (np.take(values, inside) for values in (dx, dy, top, bottom))
    normal_x, normal_y = _bevelled(faces, normals[nz > 0].astype(np.float32), bevel, (dx, dy, top))
    return Surface(np.take(pixels, inside), top, bottom, normal_x, normal_y)


def _extreme(planes: Float32Array, dx: Float32Array, dy: Float32Array, choose: np.ufunc) -> Float32Array:
    """Lowest (`np.minimum`) or highest (`np.maximum`) of some planes over each pixel, one plane at a time."""
    result = np.full(np.broadcast_shapes(dx.shape, dy.shape), np.inf if choose is np.minimum else -np.inf, np.float32)
    for offset, slope_x, slope_y in planes:
        choose(result, (offset - slope_x * dx) - slope_y * dy, out=result)
    return result


def _bevelled(
    faces: Float32Array, normals: Float32Array, bevel: float, at: tuple[Float32Array, Float32Array, Float32Array]
) -> tuple[Float32Array, Float32Array]:
    """Normals (x, y) at points (x, y, top): near an edge those of its two faces are blended, which rounds it off."""
    dx, dy, top = at
    x, y, z = (np.full(dx.shape, np.float32(1e-6)) for _ in range(3))
    for (offset, slope_x, slope_y), normal in zip(faces, normals, strict=True):
        # Soft minimum: a face counts the less the higher it would lie above the surface.
        weight = np.exp((top - ((offset - slope_x * dx) - slope_y * dy)) * np.float32(1 / bevel))
        x += normal[0] * weight
        y += normal[1] * weight
        z += normal[2] * weight
    scale = 1 / np.sqrt(x * x + y * y + z * z)
    return x * scale, y * scale


def _reach(faces: Float32Array, floors: Float32Array, distance: float) -> tuple[float, float]:
    """Half width and height of a box that holds the outline, from a coarse grid twice as wide as the farthest face."""
    axis = np.linspace(-2 * distance, 2 * distance, 25, dtype=np.float32)
    inside = _extreme(faces, axis, axis[:, None], np.minimum) > _extreme(floors, axis, axis[:, None], np.maximum)
    cell = distance / 6
    width, height = (np.abs(axis[inside.any(axis=i)]).max(initial=0.0) + cell for i in (0, 1))
    return float(width), float(height)


def sweep(line: Sweep, size: int) -> Surface:
    """A profile swept along a line; pixels hit more than once keep the point nearest the ridge."""
    across, height, lateral = (values.astype(np.float32) for values in line.profile)
    # Written last wins: from the flanks to the ridge.
    order = np.argsort(height, kind="stable")
    across, height, lateral = (values[order][:, None] for values in (across, height, lateral))
    x, y, z, radius = (values.astype(np.float32) for values in (line.x, line.y, line.z, line.radius))
    sine, cosine = np.sin(line.heading).astype(np.float32), np.cos(line.heading).astype(np.float32)
    # Adding a half and truncating rounds; points left of the frame are off by one, and outside anyway.
    columns = (x + np.float32(0.5) - across * (sine * radius)).astype(np.int32)
    rows = (y + np.float32(0.5) + across * (cosine * radius)).astype(np.int32)
    thickness = height * radius
    along = -np.gradient(radius) / np.float32(_STEP)
    scale = 1 / np.sqrt(1 + along * along)
    normal_x = along * cosine * scale - (sine * scale) * lateral
    normal_y = along * sine * scale + (cosine * scale) * lateral
    inside = (columns > 0) & (columns < size) & (rows > 0) & (rows < size)
    pixels = rows.astype(np.intp) * size + columns
    top, bottom = z + thickness, z - thickness
    if inside.all():
        return Surface(pixels.ravel(), top.ravel(), bottom.ravel(), normal_x.ravel(), normal_y.ravel())
    return Surface(pixels[inside], top[inside], bottom[inside], normal_x[inside], normal_y[inside])


def sampling(length: float) -> int:
    """Number of points along or across a sweep so that no pixel is left out."""
    return max(int(np.ceil(length / _STEP)) + 1, 4)


def round_profile(radius: float, flatness: float = 1.0) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Elliptic cross-section for `Sweep.profile`; flatness is height over width, 0 to 1."""
    # Short of the vertical, where one point would stand for the whole flank.
    t = np.linspace(-1, 1, sampling(2 * radius)) * (0.985 if radius > 3 else 0.96)
    height = flatness * np.sqrt(1 - t**2)
    lateral = flatness * t / np.sqrt(1 - t**2)
    return t, height, lateral / np.sqrt(1 + lateral**2)


def prism_profile(radius: float, sides: int, turn: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Upper half of a regular polygon turned by `turn` radians, for `Sweep.profile`."""
    angle = turn + np.arange(sides) * 2 * np.pi / sides
    up = np.sin(angle) > 0.08
    cosine, sine = np.cos(angle[up]), np.sin(angle[up])
    t = np.linspace(-1, 1, sampling(2 * radius))
    faces = (0.92 - t[:, None] * cosine) / sine
    lowest = faces.argmin(axis=1)
    return t, np.clip(faces.min(axis=1), 0.02, None), cosine[lowest]
