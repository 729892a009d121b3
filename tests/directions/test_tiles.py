"""Tiles: their division, draws, and what chance gives."""

import numpy as np
import pytest

from graticule.directions.distribution import BINS
from graticule.directions.tiles import chance_of, in_larger_tiles, resampled, tile_numbers, tiles_per_side


@pytest.mark.parametrize("shape", [(64, 64), (40, 160), (33, 71), (5, 3)])
def test_tiles_are_near_squares_of_nearly_one_size(shape: tuple[int, int]) -> None:
    numbers = tile_numbers(shape, 4)
    sizes = np.bincount(numbers.ravel())
    assert numbers.shape == shape
    assert (sizes > 0).all()
    if min(shape) > 8:
        assert 10 <= len(sizes) <= 24
        assert sizes.max() < 2 * sizes.min()


def test_large_tiles_are_sums_of_small_ones() -> None:
    small, large = tile_numbers((64, 64), 8), tile_numbers((64, 64), 4)
    counts = np.bincount(small.ravel()).astype(float)[:, None]
    assert in_larger_tiles(counts, small, large)[:, 0] == pytest.approx(np.bincount(large.ravel()))


def test_draws_are_the_same_each_time_and_keep_the_mean() -> None:
    tiles = np.random.default_rng(0).uniform(size=(50, BINS))
    drawn = resampled(tiles, 400)
    assert (drawn == resampled(tiles, 400)).all()
    assert drawn.mean(axis=0) == pytest.approx(tiles.sum(axis=0), rel=0.05)
    assert (resampled(np.zeros((3, BINS)), 5) == 0).all()


def test_tiles_that_point_anywhere_are_chance_as_often_as_said() -> None:
    generator = np.random.default_rng(0)
    found = []
    for _ in range(300):
        tiles = np.zeros((40, BINS))
        tiles[np.arange(40), generator.integers(BINS, size=40)] = generator.gamma(1, size=40)
        found.append(chance_of(tiles))
    assert 0.05 < np.mean(np.array(found) < 0.1) < 0.16
    aligned = np.zeros((40, BINS))
    aligned[:, 30] = 1
    assert chance_of(aligned) < 1e-6
    assert chance_of(np.zeros((40, BINS))) == 1
    aligned[1, [30, 75]] = 0, 1
    assert chance_of(aligned[:2]) > 0.2


def test_tiles_are_no_smaller_than_what_a_gradient_reaches() -> None:
    assert [tiles_per_side((side, side), 1.5) for side in (64, 128, 256, 2000)] == [4, 5, 8, 8]
    assert tiles_per_side((256, 256), 4.0) == 4


def test_crossed_directions_are_found_by_the_fourth_moment() -> None:
    crossed = np.zeros((40, BINS))
    crossed[::2, 10] = crossed[1::2, 100] = 1
    assert chance_of(crossed) > 0.2
    assert chance_of(crossed, 4) < 1e-6
