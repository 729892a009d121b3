"""Single particles on flat ground: form, area, and what `shape` does to it."""

import numpy as np
import pytest
from scipy import ndimage

from graticule.phantoms.canvas import Canvas, Finish, empty_canvas
from graticule.phantoms.detector import smooth_field
from graticule.phantoms.particles import DRAW, Request, draw_dust
from graticule.phantoms.shapes import Warp

SIZE = 400
RADIUS = 30.0
WARP = Warp(*(smooth_field(SIZE, np.random.default_rng(9), 60.0) for _ in range(2)))


def drawn(name: str, shape: float, seed: int) -> tuple[Canvas, float]:
    canvas = empty_canvas(np.zeros((SIZE, SIZE), dtype=np.float32), Finish())
    ask = Request(RADIUS, (200.0, 200.0), shape, WARP, 1.0, Finish())
    return canvas, DRAW[name](canvas, ask, np.random.default_rng(seed))


def elongation(mask: np.ndarray) -> float:
    low, high = np.linalg.eigvalsh(np.cov(np.stack(np.nonzero(mask))))
    return float(np.sqrt(high / low))


def circularity(mask: np.ndarray) -> float:
    """4 pi area over squared perimeter: near 1 for a disc, smaller for rough and long outlines."""
    edge = mask & ~ndimage.binary_erosion(mask)
    return float(4 * np.pi * mask.sum() / edge.sum() ** 2)


def mean_of(measure, name: str, shape: float) -> float:  # type: ignore[no-untyped-def]
    return float(np.mean([measure(drawn(name, shape, seed)[0].object_mask() > 0) for seed in range(12)]))


@pytest.mark.parametrize("name", sorted(DRAW))
@pytest.mark.parametrize("shape", [0.0, 0.5, 1.0])
def test_a_particle_is_one_object_above_the_ground_with_unit_normals(name: str, shape: float) -> None:
    canvas, area = drawn(name, shape, 1)
    mask = canvas.object_mask()
    assert canvas.n_objects == mask.max() == 1
    assert ndimage.label(mask, structure=np.ones((3, 3)))[1] == 1
    assert 0.2 * area < (mask > 0).sum() < 2.2 * area
    assert canvas.height[mask > 0].max() > 3
    assert np.all(canvas.normal_x**2 + canvas.normal_y**2 <= 1 + 1e-4)
    assert not canvas.height[mask == 0].any()


def test_typical_needles_are_long_fibres_longer_and_the_rest_compact() -> None:
    length = {name: mean_of(elongation, name, 0.0) for name in DRAW}
    assert length["needles"] > 6
    assert max(length["spheres"], length["crystals"]) < 1.3
    assert max(length["plates"], length["agglomerates"]) < 2.2


def test_near_the_border_needles_are_short_and_crystals_long() -> None:
    assert mean_of(elongation, "needles", 1.0) < 0.5 * mean_of(elongation, "needles", 0.0)
    assert mean_of(elongation, "crystals", 1.0) > 1.2 * mean_of(elongation, "crystals", 0.0)


def test_agglomerates_and_fibres_have_less_circular_outlines_than_spheres() -> None:
    ball = mean_of(circularity, "spheres", 0.0)
    assert mean_of(circularity, "agglomerates", 0.0) < 0.7 * ball
    assert mean_of(circularity, "fibres", 0.0) < 0.3 * ball


def test_a_plate_shows_one_large_face_and_a_crystal_several() -> None:
    def largest_face(name: str) -> float:
        shares = []
        for seed in range(12):
            canvas = drawn(name, 0.0, seed)[0]
            seen = canvas.part > 0
            tilt = np.round(np.stack([canvas.normal_x[seen], canvas.normal_y[seen]]), 1)
            shares.append(np.unique(tilt, axis=1, return_counts=True)[1].max() / seen.sum())
        return float(np.median(shares))

    assert largest_face("plates") > 0.75
    assert largest_face("crystals") < 0.6


def test_dust_is_in_no_mask() -> None:
    canvas = empty_canvas(np.zeros((SIZE, SIZE), dtype=np.float32), Finish())
    draw_dust(canvas, 50, Finish(), WARP, np.random.default_rng(0))
    assert (canvas.part > 0).sum() > 100
    assert not canvas.object_mask().any()
