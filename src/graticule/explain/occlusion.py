"""Occlusion sensitivity: how much a class loses when a part of the picture is covered; works for any network.

Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014). A square moves over the picture; the
fall of the class's margin is credited to the places that it covered.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, Pixels

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
    total = np.zeros((len(classes), steps + 1, steps + 1))
    covers = np.zeros((steps + 1, steps + 1))
    for start in range(0, len(places), _BATCH):
        some = places[start : start + _BATCH]
        covered = np.repeat(pixels[None], len(some), axis=0)
        for picture, (i, j) in zip(covered, some, strict=True):
            picture[edges[i] : edges[i + 2], edges[j] : edges[j + 2]] = colour
        for fall, (i, j) in zip(whole - evaluate(covered)[:, classes], some, strict=True):
            total[:, i : i + 2, j : j + 2] += fall[:, None, None]
            covers[i : i + 2, j : j + 2] += 1
    return np.asarray(total / covers)
