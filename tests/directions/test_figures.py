"""Figures of tiles, with intervals that cover what is planted."""

import numpy as np
import pytest

from graticule.directions.distribution import BINS, CENTRES
from graticule.directions.figures import figures_of, no_figures, turn_with_limits, with_limits


def planted(share: float, direction: float, width: float, seed: int, n_tiles: int = 60, n: int = 40) -> np.ndarray:
    """Tiles of a few directions each, a share of them in a peak."""
    generator = np.random.default_rng(seed)
    tiles = np.zeros((n_tiles, BINS))
    for tile in tiles:
        own = np.where(
            generator.uniform(size=n) < share,
            generator.normal(direction, width, n),
            generator.uniform(0, 180, n),
        )
        tile += np.histogram(own % 180, BINS, (0, 180))[0]
    return tiles


def test_planted_figures_are_within_their_limits() -> None:
    hits = np.zeros(3)
    for seed in range(30):
        found = figures_of(planted(0.5, 178.0, 6.0, seed), np.full(60, 50))
        share, direction = found.first.share, found.first.direction
        hits += [
            share.low <= 0.5 <= share.high,
            (178 - direction.low) % 180 <= (direction.high - direction.low) % 180,
            found.order.low <= 0.5 * np.exp(-2 * np.radians(6) ** 2) <= found.order.high,
        ]
        assert found.used.value == pytest.approx(0.8)
        assert found.distribution.sum() == pytest.approx(1)
        assert found.fitted.sum() == pytest.approx(1, abs=0.01)
        assert np.isnan(found.second.share.value)
    assert (hits >= 25).all()


def test_a_direction_that_was_asked_for() -> None:
    found = figures_of(planted(0.4, 30.0, 5.0, 0), np.full(60, 50), 30.0).along
    aside = figures_of(planted(0.4, 30.0, 5.0, 0), np.full(60, 50), 120.0).along
    assert found is not None
    assert aside is not None
    assert found.share.value == pytest.approx(0.4, abs=0.05)
    assert aside.share.value < 0.05
    assert found.order.value == pytest.approx(-aside.order.value)


def test_a_second_direction_is_named_only_where_it_is_sure() -> None:
    tiles = planted(0.5, 20.0, 4.0, 0) + planted(0.4, 75.0, 4.0, 1)
    found = figures_of(tiles, np.full(60, 100))
    assert found.second.direction.value == pytest.approx(75, abs=1)
    assert found.second.share.value == pytest.approx(0.2, abs=0.04)
    assert found.first.share.value > found.second.share.value
    lone = planted(0.5, 20.0, 4.0, 0)
    lone[:3, 75:80] += 60
    assert np.isnan(figures_of(lone, np.full(60, 100)).second.share.value)


def test_limits_of_a_direction_pass_the_half_turn() -> None:
    found = turn_with_limits(179.5, np.array([178.0, 179.0, 0.0, 1.0]))
    assert found.low > 177
    assert found.high < 2
    assert with_limits(1.0, np.linspace(0, 2, 1001)).low == pytest.approx(0.05, abs=0.001)
    assert no_figures(0.001).used.value == 0.001
    assert CENTRES[0] == 0.5
