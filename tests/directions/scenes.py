"""Pictures whose directions are known: stripes, lines, wires of which a share is aligned."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

Grey = NDArray[np.float32]


def stripes(direction: float, period: float, side: int = 128) -> Grey:
    """Sinusoidal stripes that run along a direction in degrees counter-clockwise from the horizontal."""
    row, column = np.mgrid[:side, :side].astype(np.float64)
    t = np.radians(direction)
    # distance to the left of the line through the origin; rows count downwards
    across = column * np.sin(t) + row * np.cos(t)
    return np.asarray(128 + 100 * np.sin(2 * np.pi * across / period), dtype=np.float32)


def wires(
    direction: float | list[float],
    *,
    share: float = 1.0,
    side: int = 256,
    n: int = 90,
    noise: float = 4.0,
    seed: int = 0,
) -> Grey:
    """Wires drawn one over another; a share of them along a direction (or in turn along several), the rest anywhere.

    The scene is the same for every direction: one that is turned, not the pixels of one picture.
    """
    generator = np.random.default_rng(seed)
    directions = [direction] if isinstance(direction, int | float) else direction
    row, column = np.mgrid[:side, :side].astype(np.float64) - (side - 1) / 2
    picture = np.full((side, side), 40.0)
    first = np.radians(directions[0])
    those = set(generator.permutation(n)[: round(share * n)].tolist())
    for k in range(n):
        aligned = k in those
        own = directions[k % len(directions)] + generator.normal(0, 2) if aligned else generator.uniform(0, 180)
        own += 0.0 if aligned else directions[0]
        x, y = generator.uniform(-0.75 * side, 0.75 * side, 2)
        # the place turns with the scene
        centre = x * np.cos(first) - y * np.sin(first), x * np.sin(first) + y * np.cos(first)
        t, width, length = np.radians(own), generator.uniform(4, 9), generator.uniform(0.4, 1.2) * side
        right, up = column - centre[0], -row - centre[1]
        along, across = right * np.cos(t) + up * np.sin(t), np.abs(up * np.cos(t) - right * np.sin(t))
        cover = np.clip(width / 2 - across + 0.5, 0, 1) * (np.abs(along) < length / 2)
        bright = (100 + 90 * (across / width) ** 2) * generator.uniform(0.6, 1.0)
        picture = picture * (1 - cover) + bright * cover
    picture = scipy.ndimage.gaussian_filter(picture, 0.7) + generator.normal(0, noise, picture.shape)
    return np.asarray(picture, dtype=np.float32)


def apart(a: float, b: float) -> float:
    """Degrees between two directions, 0 to 90."""
    return abs((a - b + 90) % 180 - 90)
