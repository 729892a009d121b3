"""The size of an error told from prediction and difficulty: found where planted, flat where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.value_width import LocalWidth, cross_widths, fit_width, unit_blocks


def planted(n: int = 800, strength: float = 1.0, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Errors, predictions, difficulty of which the second column tells the logarithm of the error; weights, units."""
    rng = np.random.default_rng(seed)
    value, difficulty = rng.uniform(size=n), rng.normal(size=(n, 3))
    error = rng.normal(size=n) * np.exp(strength * difficulty[:, 1])
    return error, value, difficulty, np.ones(n), np.arange(n)


def test_planted_difficulty_is_found() -> None:
    error, value, difficulty, weight, unit = planted()
    scale = fit_width(error, value, difficulty, weight, unit).scale(value, difficulty)
    inner = np.abs(difficulty[:, 1]) < 1
    assert np.corrcoef(np.log(scale[inner]), difficulty[inner, 1])[0, 1] > 0.95
    assert np.median(scale) == pytest.approx(1.0, abs=0.15)


def test_errors_that_grow_with_the_prediction_need_no_columns() -> None:
    rng = np.random.default_rng(0)
    value = rng.uniform(0.1, 1, 500)
    none = np.zeros((500, 0))
    width = fit_width(rng.normal(size=500) * value, value, none, np.ones(500), np.arange(500))
    low, high = width.scale(np.array([0.2, 0.9]), np.zeros((2, 0)))
    assert high > 2 * low


def test_no_difficulty_gives_nearly_one_width() -> None:
    error, value, difficulty, weight, unit = planted(strength=0.0)
    scale = fit_width(error, value, difficulty, weight, unit).scale(value, difficulty)
    assert scale.max() / scale.min() < 1.6


def test_no_width_beyond_those_seen() -> None:
    error, value, difficulty, weight, unit = planted()
    width = fit_width(error, value, difficulty, weight, unit)
    seen = width.scale(value, difficulty)
    far = width.scale(np.array([9.0, -9.0]), np.array([[0, 99.0, 0], [0, -99.0, 0]]))
    assert seen.min() <= far.min()
    assert far.max() <= seen.max() <= 4.0


def test_a_tempered_width_is_the_power_of_it() -> None:
    error, value, difficulty, weight, unit = planted(100)
    width = fit_width(error, value, difficulty, weight, unit)
    np.testing.assert_allclose(width.tempered(0.5).scale(value, difficulty), np.sqrt(width.scale(value, difficulty)))


def test_scales_do_not_depend_on_the_images_beside() -> None:
    error, value, difficulty, weight, unit = planted(60)
    width = fit_width(error, value, difficulty, weight, unit)
    together = width.scale(value, difficulty)
    alone = [width.scale(value[i : i + 1], difficulty[i : i + 1])[0] for i in range(60)]
    np.testing.assert_array_equal(together, alone)


def test_constant_columns_and_faultless_images_are_no_crash() -> None:
    n = 40
    width = fit_width(np.zeros(n), np.full(n, 2.0), np.ones((n, 2)), np.ones(n), np.arange(n))
    np.testing.assert_allclose(width.scale(np.array([2.0, 5.0]), np.ones((2, 2))), 1.0)


def test_crossed_scales_come_from_other_groups() -> None:
    error, value, difficulty, weight, _ = planted(100)
    unit = np.repeat(np.arange(20), 5)
    before = cross_widths(error, value, difficulty, weight, unit)
    changed = error.copy()
    changed[unit == 3] *= 1000
    own_block = unit_blocks(unit, 5) == unit_blocks(unit, 5)[unit == 3][0]
    after = cross_widths(changed, value, difficulty, weight, unit)
    np.testing.assert_array_equal(before[own_block], after[own_block])
    assert (before[~own_block] != after[~own_block]).any()


def test_blocks_hold_whole_units() -> None:
    unit = np.random.default_rng(0).integers(0, 33, 200)
    blocks = unit_blocks(unit, 5)
    assert all(len(set(blocks[unit == u])) == 1 for u in np.unique(unit))
    assert set(blocks.tolist()) == set(range(5))
    assert isinstance(fit_width(np.ones(200), unit * 1.0, np.zeros((200, 0)), np.ones(200), unit), LocalWidth)
