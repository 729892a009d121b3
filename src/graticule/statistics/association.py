"""How strongly a cue goes with the class: bias-corrected Cramér's V and epsilon squared, with bootstrap intervals.

Units are drawn with replacement within their class, whole groups where there are groups (`resampling.draw_weights`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from graticule.arrays import FloatArray, IntArray
from graticule.statistics.resampling import draw_weights

N_BOOT = 400


@dataclass(frozen=True)
class Strength:
    """A strength of association, 0 to 1, with the limits of its interval; NaN limits where it has none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Categorical:
    """Level codes of a categorical cue, shape (n,), 0 to n_levels - 1."""

    codes: IntArray
    n_levels: int


CueValues = Categorical | FloatArray


def cramers_v(table: FloatArray) -> FloatArray:
    """Cramér's V with Bergsma's correction of its bias.

    Parameters
    ----------
    table : float array, shape (..., r, c)
        Counts, or sums of weights, of levels and classes; empty rows and columns do not count.

    Returns
    -------
    float array, shape (...)
        0 (no association) to 1; 0 where fewer than two levels or classes are left.

    Notes
    -----
    W. Bergsma, A bias-correction for Cramér's V and Tschuprow's T, J. Korean Stat. Soc. 42 (2013) 323-328.
    """
    n = table.sum(axis=(-2, -1))
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)
    r, c = (rows > 0).sum(axis=-1), (columns > 0).sum(axis=-1)
    product = rows[..., :, None] * columns[..., None, :]
    share = np.divide(table**2, product, out=np.zeros_like(table), where=product > 0)
    phi2 = share.sum(axis=(-2, -1)) - 1
    spare = np.maximum(n - 1, 1e-12)
    corrected = np.maximum(0.0, phi2 - (r - 1) * (c - 1) / spare)
    most = np.minimum(r - (r - 1) ** 2 / spare, c - (c - 1) ** 2 / spare) - 1
    ratio = np.divide(corrected, most, out=np.zeros_like(corrected), where=most > 1e-12)
    return np.asarray(np.sqrt(np.clip(ratio, 0.0, 1.0)))


def epsilon_squared(count: FloatArray, total: FloatArray, square: FloatArray) -> FloatArray:
    """Share of a numeric cue's variance that the classes explain: eta squared without its bias.

    Parameters
    ----------
    count : float array, shape (..., K)
        Samples, or their weights, in each class.
    total : float array, shape (..., K, m)
        Sums of the m components of the cue.
    square : float array, shape (..., m)
        Sums of their squares over all classes.

    Returns
    -------
    float array, shape (...)
        0 to 1, over the sum of the components' variances; 0 where the cue is constant.

    Notes
    -----
    T. L. Kelley, An unbiased correlation ratio measure, PNAS 21 (1935) 554-559.
    """
    n = count.sum(axis=-1)
    inverse = np.divide(1.0, count, out=np.zeros_like(count), where=count > 0)
    grand = total.sum(axis=-2) ** 2 / n[..., None]
    about_mean = (square - grand).sum(axis=-1)
    between = ((total**2 * inverse[..., None]).sum(axis=-2) - grand).sum(axis=-1)
    classes = (count > 0).sum(axis=-1)
    within = (about_mean - between) / np.maximum(n - classes, 1e-12)
    spread = about_mean / np.maximum(n - 1, 1e-12)
    ratio = np.divide(within, spread, out=np.ones_like(spread), where=about_mean > 1e-9 * np.abs(square).sum(axis=-1))
    return np.asarray(np.clip(1 - ratio, 0.0, 1.0))


def strengths(
    cues: Sequence[CueValues],
    y: IntArray,
    units: IntArray,
    *,
    seed: int,
    level: float = 0.95,
    n_boot: int = N_BOOT,
) -> list[Strength]:
    """Strength of every cue with the percentile interval of the same bootstrap draws.

    Parameters
    ----------
    cues : sequence of Categorical or float arrays, shape (n, m)
        No NaN.
    y : int array, shape (n,)
        Class codes 0 to K - 1.
    units : int array, shape (n,)
        What is drawn: 0 to U - 1, one per sample or per group. A group of several classes is drawn within the class
        that most of its samples have.
    seed : int
    level : float
        Of the interval, in (0, 1).
    n_boot : int

    Returns
    -------
    list of Strength
        The interval is shifted by the bootstrap's estimate of bias (Efron and Tibshirani, 1993, ch. 10): a replicate
        holds fewer distinct units, which differ more by chance. Limits are NaN where a class has a single unit.
    """
    n_classes = int(y.max()) + 1
    strata = _majority_class(y, units, n_classes)
    parts = [_Part(cue, y, n_classes) for cue in cues]
    values = [float(part.strength(np.ones((1, len(y))))[0]) for part in parts]
    if int(np.bincount(strata, minlength=n_classes).min()) < 2:
        return [Strength(value, np.nan, np.nan) for value in values]
    replicates: list[list[FloatArray]] = [[] for _ in parts]
    generator = np.random.default_rng(seed)
    for weights in draw_weights(units, strata, n_boot, generator, by_replicate=True):
        for part, kept in zip(parts, replicates, strict=True):
            kept.append(part.strength(weights))
    tail = (1 - level) / 2
    found = []
    for value, kept in zip(values, replicates, strict=True):
        drawn = np.concatenate(kept)
        low, high = np.clip(np.quantile(drawn, [tail, 1 - tail]) - (drawn.mean() - value), 0.0, 1.0).tolist()
        found.append(Strength(value, min(low, value), max(high, value)))
    return found


class _Part:
    """One cue laid out so that a bootstrap replicate is a sparse or dense product with the weights."""

    def __init__(self, cue: CueValues, y: IntArray, n_classes: int) -> None:
        self.n_classes = n_classes
        self.y = y
        self.cue = cue
        if isinstance(cue, Categorical):
            cell = cue.codes * n_classes + y
            self.cells = csr_array((np.ones(len(y)), (cell, np.arange(len(y)))), (cue.n_levels * n_classes, len(y)))
        else:
            self.centred = cue - cue.mean(axis=0)
            self.rows = [np.flatnonzero(y == k) for k in range(n_classes)]

    def strength(self, weights: FloatArray) -> FloatArray:
        """Strength under each row of weights (B, n), shape (B,)."""
        if isinstance(self.cue, Categorical):
            table = (self.cells @ weights.T).T.reshape(len(weights), self.cue.n_levels, self.n_classes)
            return cramers_v(np.ascontiguousarray(table))
        total = np.stack([weights[:, rows] @ self.centred[rows] for rows in self.rows], axis=1)
        count = np.stack([weights[:, rows].sum(axis=1) for rows in self.rows], axis=1)
        return epsilon_squared(count, total, weights @ self.centred**2)


def _majority_class(y: IntArray, units: IntArray, n_classes: int) -> IntArray:
    n_units = int(units.max()) + 1
    counts = np.bincount(units * n_classes + y, minlength=n_units * n_classes).reshape(n_units, n_classes)
    majority: IntArray = counts.argmax(axis=1).astype(np.int64)
    return majority
