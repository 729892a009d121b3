"""The rows that choose the epoch: groups whole, no class emptied."""

from __future__ import annotations

import time

import numpy as np
import pytest

from graticule.finetune.validation import validation_rows


@pytest.mark.parametrize("seed", range(5))
def test_validation_holds_whole_units_and_spares_each_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(40), 6)
    y = np.repeat(rng.integers(0, 4, 40), 6)
    train, validation = validation_rows(y, unit, 0.2, seed)
    assert sorted([*train.tolist(), *validation.tolist()]) == list(range(240))
    assert not set(unit[train]) & set(unit[validation])
    assert set(y[train]) == set(y)
    assert 0.08 <= len(validation) / 240 <= 0.35


def test_many_units_take_little_time() -> None:
    y = np.random.default_rng(0).integers(0, 8, 60_000)
    start = time.process_time()
    train, validation = validation_rows(y, np.arange(60_000), 0.12, 0)
    assert time.process_time() - start < 5.0
    assert len(validation) == pytest.approx(7200, abs=8)
    assert len(train) + len(validation) == 60_000


def test_a_class_of_one_unit_stays_on_the_training_side() -> None:
    y, unit = np.array([0] * 20 + [1] * 6), np.array([*range(20), *([99] * 6)])
    train, validation = validation_rows(y, unit, 0.25, 0)
    assert (y[train] == 1).sum() == 6
    assert 3 <= len(validation) <= 7


def test_without_a_unit_to_spare_nothing_is_held() -> None:
    train, validation = validation_rows(np.array([0, 0, 1]), np.array([5, 5, 7]), 0.3, 0)
    assert train.tolist() == [0, 1, 2]
    assert len(validation) == 0


def test_units_with_a_row_that_must_train_are_not_held() -> None:
    unit = np.repeat(np.arange(30), 4)
    y = np.repeat(np.arange(30) % 2, 4)
    must = np.zeros(120, bool)
    must[np.arange(0, 80, 4)] = True  # one row of each of the first 20 units
    train, validation = validation_rows(y, unit, 0.2, 0, trains=must)
    assert set(unit[validation]) <= set(range(20, 30))
    assert set(y[validation]) == {0, 1}
    assert len(train) + len(validation) == 120
    assert len(validation_rows(y, unit, 0.2, 0, trains=np.ones(120, bool))[1]) == 0
    plain = validation_rows(y, unit, 0.2, 0)[1]
    assert validation_rows(y, unit, 0.2, 0, trains=np.zeros(120, bool))[1].tolist() == plain.tolist()
