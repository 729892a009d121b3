"""Which images make which step: drawn from seed and epoch alone, so that a run can go on where it stopped."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

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


def validation_rows(y: IntArray, unit: IntArray, share_held: float, seed: int) -> tuple[IntArray, IntArray]:
    """Divide the rows of a training part into rows that train and rows that choose the epoch.

    Whole units (groups with their copies) are held out, class by class, until each class has given about its share;
    each class keeps at least one unit on the training side, and gives one only when it has two or more.

    Parameters
    ----------
    y, unit : int arrays, shape (n,)
        Class and unit of each row.
    share_held : float
        Share of the rows to hold out, in (0, 1).
    seed : int

    Returns
    -------
    (training, validation) : int arrays
        Positions 0 to n - 1. Validation is empty where no class can spare a unit.
    """
    rng = np.random.default_rng([seed, 3])
    classes = np.unique(y)
    units, code = np.unique(unit, return_inverse=True)
    counts = np.zeros((len(units), len(classes)), np.int64)
    np.add.at(counts, (code.reshape(-1), np.searchsorted(classes, y)), 1)
    held = np.zeros(len(units), bool)
    total = counts.sum(axis=0)
    given, left = np.zeros_like(total), total.copy()
    for c in np.argsort(total, kind="stable"):
        wanted = share_held * total[c]
        for u in rng.permutation(np.flatnonzero(counts[:, c] > 0)):
            have = given[c]
            if have >= wanted:
                break
            if held[u]:
                continue
            rest = left - counts[u]
            # the unit that crosses the mark is taken when that brings the share nearer, and always as the first
            near = have == 0 or have + counts[u, c] - wanted <= wanted - have
            if near and (rest[total > 0] > 0).all() and counts[u].sum() <= 0.4 * len(y):
                held[u] = True
                given, left = given + counts[u], rest
    mask = held[code.reshape(-1)]
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def class_weights(y: IntArray, n_classes: int, balance: str) -> NDArray[np.float32]:
    """Weight of each class in the loss, mean 1 over the samples: inverse square root of its size, or 1."""
    counts = np.bincount(y, minlength=n_classes).astype(np.float64)
    weights = np.ones(n_classes)
    if balance == "loss":
        weights = 1.0 / np.sqrt(np.maximum(counts, 1.0))
    weights /= (weights * counts).sum() / counts.sum()
    return weights.astype(np.float32)
