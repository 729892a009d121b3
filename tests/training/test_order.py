"""Batches, the validation part and class weights: nothing lost, nothing doubled, groups whole."""

from __future__ import annotations

import time

import numpy as np
import pytest

from graticule.training.order import class_weights, epoch_batches, sample_generator, share, validation_rows


@pytest.mark.parametrize(("n", "size"), [(1, 32), (7, 32), (100, 32), (97, 8), (33, 32), (47, 32)])
def test_an_epoch_shows_every_sample_once_in_batches_of_even_size(n: int, size: int) -> None:
    batches = epoch_batches(n, size, seed=3, epoch=2)
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= size


def test_epochs_differ_and_repeat() -> None:
    first, again = (epoch_batches(50, 8, seed=1, epoch=0) for _ in range(2))
    other = epoch_batches(50, 8, seed=1, epoch=1)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert np.concatenate(first).tolist() != np.concatenate(other).tolist()


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
def test_processes_share_a_batch_without_loss(processes: int) -> None:
    batch = np.arange(13)
    parts = [share(batch, rank, processes) for rank in range(processes)]
    assert np.concatenate(parts).tolist() == batch.tolist()
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_draws_of_a_sample_depend_on_nothing_else() -> None:
    mine = sample_generator(0, 4, 17).random(3)
    sample_generator(0, 4, 16).random(1000)
    assert sample_generator(0, 4, 17).random(3).tolist() == mine.tolist()
    others = [sample_generator(*key).random(3).tolist() for key in ((1, 4, 17), (0, 5, 17), (0, 4, 18))]
    assert mine.tolist() not in others


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


def test_class_weights_have_mean_one_over_samples() -> None:
    y = np.array([0] * 90 + [1] * 10)
    weights = class_weights(y, 2, "loss")
    assert weights[y].mean() == pytest.approx(1.0, abs=1e-6)
    assert weights[1] / weights[0] == pytest.approx(3.0, rel=1e-5)
    assert class_weights(y, 2, "none").tolist() == [1.0, 1.0]
