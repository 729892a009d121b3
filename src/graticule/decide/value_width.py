"""How hard a picture is: the size of its error, told from its prediction and its difficulty, for widths of intervals.

The logarithm of the absolute error is regressed on the prediction, its square and the columns of difficulty (distance
to the training images, disagreement of the fold models, ...). Conformal scores are errors over this scale, so what it
says need not be true for the intervals to hold: only their widths depend on it (Lei et al., 2018, section 5.2).
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from graticule.arrays import FloatArray, IntArray

N_BLOCKS = 5
PENALTIES = (1.0, 10.0, 100.0, 1000.0)
# errors below this share of the median are as good as none; without it the logarithm of a lucky hit decides
_SMALLEST = 0.05
# an interval is at most so many times narrower or wider than the usual one
_RANGE = 4.0
_TINY = 1e-12


@dataclass(frozen=True)
class LocalWidth:
    """A ridge regression of the logarithm of the absolute error.

    Attributes
    ----------
    middle, spread : float arrays, shape (1 + d,)
        Of the prediction and the columns of difficulty, over the images that it was fitted on.
    weights : float array, shape (2 + d,)
        Of the prediction, its square, and the columns.
    limits : float array, shape (2,)
        Least and largest logarithm of a width, against the usual one at 0.
    """

    middle: FloatArray
    spread: FloatArray
    weights: FloatArray
    limits: FloatArray

    def scale(self, value: FloatArray, difficulty: FloatArray) -> FloatArray:
        """Width of each image against the usual one, shape (n,), from predictions (n,) and difficulty (n, d)."""
        columns = _columns(value, difficulty, self.middle, self.spread)
        # summed in one order whatever the number of rows, so that no width depends on the images beside it
        return np.asarray(np.exp(np.clip((columns * self.weights).sum(axis=1), *self.limits)), dtype=np.float64)

    def tempered(self, strength: float) -> Self:
        """The same to a power: 0.5 makes a width four times the usual one twice as wide."""
        return replace(self, weights=strength * self.weights, limits=strength * self.limits)


def fit_width(error: FloatArray, value: FloatArray, difficulty: FloatArray, weight: FloatArray,
              unit: IntArray) -> LocalWidth:  # fmt: skip
    """Fit the scale of errors.

    Parameters
    ----------
    error, value : float arrays, shape (n,)
        Errors of images that their model never saw, and predictions.
    difficulty : float array, shape (n, d)
        d may be 0.
    weight : float array, shape (n,)
        Every unit weighs alike.
    unit : int array, shape (n,)
        Groups, or images: the strength of the penalty is chosen on units that the fit did not see.
    """
    size = np.abs(error)
    logs = np.log(size + max(_SMALLEST * float(np.median(size)), _TINY))
    raw = np.column_stack([value, difficulty])
    middle = np.average(raw, axis=0, weights=weight)
    spread = np.sqrt(np.average((raw - middle) ** 2, axis=0, weights=weight))
    spread = np.where(spread > _TINY * np.maximum(np.abs(middle), 1.0), spread, np.inf)
    columns = _columns(value, difficulty, middle, spread)
    blocks = unit_blocks(unit, N_BLOCKS)
    losses = [_held_out_loss(columns, logs, weight, blocks, penalty) for penalty in PENALTIES]
    weights = _ridge(columns, logs, weight, PENALTIES[int(np.argmin(losses))])[0]
    fitted = (columns * weights).sum(axis=1)
    ends = np.clip([fitted.min(), fitted.max()], -np.log(_RANGE), np.log(_RANGE))
    return LocalWidth(middle, np.where(np.isinf(spread), 0.0, spread), weights, ends)


def cross_widths(error: FloatArray, value: FloatArray, difficulty: FloatArray, weight: FloatArray,
                 unit: IntArray) -> FloatArray:  # fmt: skip
    """Scale of each image (n,) from errors of other units alone: five blocks of units, each scaled by the others."""
    blocks, out = unit_blocks(unit, N_BLOCKS), np.empty(len(error))
    for block in np.unique(blocks):
        held, rest = blocks == block, blocks != block
        width = fit_width(error[rest], value[rest], difficulty[rest], weight[rest], unit[rest])
        out[held] = width.scale(value[held], difficulty[held])
    return out


def unit_blocks(unit: IntArray, n_blocks: int) -> IntArray:
    """Block of each image, 0 to n_blocks - 1, shape (n,): whole units, shuffled once and for all."""
    units, codes = np.unique(unit, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(units))
    return np.asarray((order % n_blocks)[codes.reshape(-1)], dtype=np.int64)


def _columns(value: FloatArray, difficulty: FloatArray, middle: FloatArray, spread: FloatArray) -> FloatArray:
    raw = np.column_stack([value, difficulty]) - middle
    z = np.divide(raw, spread, out=np.zeros_like(raw), where=np.isfinite(spread) & (spread > 0))
    # less 1, which is the mean square: the usual image has columns of 0 and the width 1
    return np.column_stack([z[:, :1], z[:, :1] ** 2 - 1.0, z[:, 1:]])


def _ridge(columns: FloatArray, logs: FloatArray, weight: FloatArray, penalty: float) -> tuple[FloatArray, float]:
    """Weights and offset of a ridge regression in which every unit weighs alike."""
    share = weight / weight.sum()
    centre, level = share @ columns, float(share @ logs)
    z = columns - centre
    # as if there were so many images as there are, so that a penalty means the same with groups
    gram = len(logs) * (z.T * share) @ z + penalty * np.eye(z.shape[1])
    weights = np.linalg.solve(gram, len(logs) * (z.T * share) @ (logs - level))
    return weights, level - float(centre @ weights)


def _held_out_loss(
    columns: FloatArray, logs: FloatArray, weight: FloatArray, blocks: IntArray, penalty: float
) -> float:
    loss = 0.0
    for block in np.unique(blocks):
        held, rest = blocks == block, blocks != block
        weights, offset = _ridge(columns[rest], logs[rest], weight[rest], penalty)
        loss += float((weight[held] * (logs[held] - columns[held] @ weights - offset) ** 2).sum())
    return loss
