"""Sizes from a mask."""

import numpy as np
import pytest

from graticule.phantoms.particle_sizes import particle_sizes


def test_diameters_are_weighted_by_area() -> None:
    mask = np.zeros((200, 200), dtype=np.uint16)
    y, x = np.mgrid[:200, :200]
    mask[np.hypot(y - 60, x - 60) < 40] = 1
    mask[np.hypot(y - 160, x - 160) < 20] = 2
    sizes = particle_sizes(mask, 3.0)
    expected = (80 * 40**2 + 40 * 20**2) / (40**2 + 20**2)
    assert float(sizes["diameter_px"]) == pytest.approx(expected, rel=0.01)
    assert float(sizes["diameter_nm"]) == pytest.approx(3 * expected, rel=0.01)
    assert sizes["count"] == "2"


def test_an_empty_picture_has_no_diameter() -> None:
    assert particle_sizes(np.zeros((5, 5), dtype=np.uint16), 1.0) == {
        "diameter_px": "",
        "diameter_nm": "",
        "count": "0",
    }
