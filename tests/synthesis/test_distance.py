"""Distances whichever way a picture is turned, against a plain loop."""

import numpy as np
import pytest
from tests.synthesis.drawn import blobs

from graticule.split.duplicates.symmetry import symmetric
from graticule.synthesis import distance
from graticule.synthesis.distance import comparable, nearest_pictures, orbit_distances


def test_distances_against_a_plain_loop() -> None:
    a, b = blobs(5, 0), blobs(4, 1)
    plain = [[min(np.sqrt(((x - symmetric(y, s)) ** 2).mean()) for s in range(8)) for y in b] for x in a]
    np.testing.assert_allclose(orbit_distances(a, b), plain, atol=1e-5)


def test_turning_and_brightness_change_nothing() -> None:
    a = blobs(6, 2)
    turned = np.stack([symmetric(x, s + 1) for s, x in enumerate(a)]) + 0.05
    found = orbit_distances(comparable(a), comparable(turned.astype(np.float32)))
    assert (found.diagonal() < 1e-3).all()
    assert (found[~np.eye(6, dtype=bool)] > 0.02).all()


@pytest.mark.parametrize("block", [3, 7, 2048])
def test_nearest_and_next_of_another_unit(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(distance, "_BLOCK", block)
    a, b = blobs(9, 3), blobs(14, 4)
    unit = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    own = np.arange(9) % 7
    every = orbit_distances(a, b)
    for given in (None, own):
        found = nearest_pictures(a, b, unit, own=given)
        for row in range(9):
            allowed = np.ones(14, bool) if given is None else unit != given[row]
            first = np.flatnonzero(allowed)[every[row, allowed].argmin()]
            rest = allowed & (unit != unit[first])
            assert found.index[row] == first
            assert found.distance[row] == pytest.approx(every[row, first], abs=2e-5)
            assert found.next_distance[row] == pytest.approx(every[row, rest].min(), abs=2e-5)


def test_nothing_to_be_near_to() -> None:
    found = nearest_pictures(blobs(2, 0), blobs(3, 1)[:0], np.zeros(0, np.int64))
    assert np.isinf(found.distance).all()
    alone = nearest_pictures(blobs(2, 0), blobs(3, 1), np.zeros(3, np.int64))
    assert np.isfinite(alone.distance).all()
    assert np.isinf(alone.next_distance).all()
