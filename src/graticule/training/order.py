"""Which images make which step: drawn from seed and epoch alone, so that a run can go on where it stopped."""

import math

import numpy as np

from graticule.arrays import IntArray


def epoch_batches(n: int, batch_size: int, *, seed: int, epoch: int) -> list[IntArray]:
    """All n samples of an epoch in random order, cut into batches whose sizes differ by at most one.

    None holds more than `batch_size`. Even batches, since a last batch of one or two images would spoil the statistics
    of batch normalisation; none is dropped and none shown twice.

    Returns
    -------
    list of int arrays
        Positions 0 to n - 1.
    """
    order = np.random.default_rng([seed, 1, epoch]).permutation(n)
    return list(np.array_split(order, max(1, math.ceil(n / batch_size))))


def share(batch: IntArray, rank: int, processes: int) -> IntArray:
    """The part of a batch that one of several processes handles; the parts differ by at most one sample."""
    return np.array_split(batch, processes)[rank]


def sample_generator(seed: int, epoch: int, sample: int) -> np.random.Generator:
    """Random numbers of one sample in one epoch, whatever came before."""
    return np.random.Generator(np.random.Philox(key=[seed, 2], counter=[0, 0, epoch, sample]))
