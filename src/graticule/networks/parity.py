"""Whether two computations of one network agree: an export with its original, another processor with this one."""

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import Pixels

# of features, in parts of the largest one: single precision elsewhere differs by about 1e-6, half precision by 4e-3
TOLERANCE = 1e-3
_GRAINS = (1, 4, 16)


def largest_difference(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Largest difference of two arrays of one shape, in parts of the largest expected value; NaN where one is NaN."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def sample_pictures(n: int, size: int) -> Pixels:
    """n pictures of random squares, fine to coarse, uint8 of shape (n, size, size, 3); the same each time."""
    rng = np.random.default_rng(0)
    pictures = np.empty((n, size, size, 3), np.uint8)
    for i in range(n):
        grain = _GRAINS[i % len(_GRAINS)]
        coarse = rng.integers(0, 256, (-(-size // grain), -(-size // grain), 3), dtype=np.uint8)
        pictures[i] = coarse.repeat(grain, axis=0).repeat(grain, axis=1)[:size, :size]
    return pictures
