"""Occlusion finds what a class rests on."""

from __future__ import annotations

from functools import partial

import numpy as np
from tests.explain.test_checks import MIDDLE, SIDE, red_share

from graticule.explain.occlusion import occlusion_map
from graticule.explain.overlay import peak


def test_occlusion_credits_the_covered_place() -> None:
    pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
    pixels[MIDDLE] = 250
    found = occlusion_map(partial(red_share, MIDDLE), pixels, np.array([0, 1]))
    x, y = peak(found[0], pixels)
    assert 24 <= x * SIDE < 40
    assert 24 <= y * SIDE < 40
    assert np.allclose(found[0], -found[1])
