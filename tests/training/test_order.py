"""Which samples make which step: nothing lost, nothing doubled."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.training.order import epoch_batches, sample_generator, share


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
