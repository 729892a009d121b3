"""Occlusion sensitivity: how much a class loses when a part of the picture is covered; works for any network.

Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014). A square moves over the picture; the
fall of the class's margin is credited to the places that it covered.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray, Pixels

STEPS = 10
_BATCH = 8


def occlusion_map(
    evaluate: Callable[[Pixels], FloatArray], pixels: Pixels, classes: NDArray[np.integer], *, steps: int = STEPS
) -> FloatArray:
    """Fall of what is explained per place.

    Parameters
    ----------
    evaluate : function
        Pixels (N, S, S, 3) to margins (N, K).
    pixels : uint8 array, shape (S, S, 3)
    classes : int array, shape (T,)
    steps : int
        Positions of the square along each side; its side is two steps, so that squares overlap by half. It is filled
        with the picture's mean colour.

    Returns
    -------
    float array, shape (T, steps + 1, steps + 1)
        Mean fall over the squares that cover a cell.
    """
    side = len(pixels)
    edges = np.linspace(0, side, steps + 2).round().astype(int)
    colour = pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    places = [(i, j) for i in range(steps) for j in range(steps)]
    whole = evaluate(pixels[None])[0, classes]
    falls = []
    for start in range(0, len(places), _BATCH):
        some = places[start : start + _BATCH]
        covered = np.repeat(pixels[None], len(some), axis=0)
        for picture, (i, j) in zip(covered, some, strict=True):
            picture[edges[i] : edges[i + 2], edges[j] : edges[j + 2]] = colour
        falls.append(whole - evaluate(covered)[:, classes])
    return credited(np.concatenate(falls).T, steps)


def squares(steps: int = STEPS) -> BoolArray:
    """The cells that each position of the square covers, row by row; shape (steps^2, steps + 1, steps + 1)."""
    found = np.zeros((steps, steps, steps + 1, steps + 1), bool)
    for i in range(steps):
        for j in range(steps):
            found[i, j, i : i + 2, j : j + 2] = True
    return found.reshape(steps * steps, steps + 1, steps + 1)


def credited(falls: FloatArray, steps: int = STEPS) -> FloatArray:
    """Falls (T, steps^2) by position, as means over the squares that cover a cell; (T, steps + 1, steps + 1)."""
    covering = squares(steps)
    return np.asarray(np.tensordot(falls, covering.astype(np.float64), axes=1) / covering.sum(axis=0))
