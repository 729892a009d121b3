"""Features in which a number stands, by blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graticule.heads.scaling import FeatureLayout
from graticule.networks.pooling import CENTRE, COVARIANCE, ORIENTATION, WHOLE

LAYOUT = FeatureLayout(62, ((WHOLE, 20), (CENTRE, 20), (COVARIANCE, 10), (ORIENTATION, 12)))


def planted(
    n: int = 150, seed: int = 0, network: float = 1.0, orientation: float = 1.0, units: int = 30
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    """Features (n, 62), numbers (n,) and units (n,); how strongly the number stands in each block."""
    rng = np.random.default_rng(seed)
    unit = np.arange(n) % units
    values = rng.normal(size=units)[unit] + 0.5 * rng.normal(size=n)
    directions = np.random.default_rng(99).normal(size=62)
    raw = np.random.default_rng(seed + 1).normal(size=(n, 62))
    raw[:, :50] += network * values[:, None] * directions[:50]
    raw[:, 50:] += orientation * values[:, None] * directions[50:]
    raw[:, :40] = np.sign(raw[:, :40]) * raw[:, :40] ** 2  # what enters by its root
    return raw.astype(np.float32), values, unit
