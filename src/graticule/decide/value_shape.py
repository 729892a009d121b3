"""Which shape intervals get: one width for all images or one for each, and as far below the prediction as above."""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import FloatArray, IntArray
from graticule.decide.value_assessment import cut_to, interval_score
from graticule.decide.value_width import N_BLOCKS, LocalWidth, cross_widths, fit_width, unit_blocks
from graticule.evaluate.values.figures import thirds_of
from graticule.evaluate.values.specimens import Bounds
from graticule.statistics.conformal_quantiles import conformal_quantile, share_of_unit

# a width of its own for each image is learnt from at least so many units
MIN_UNITS = 20
# at which the two widths are compared
LEVEL = 0.9
# what the narrowest third may cover less than the level
SLACK = 0.05
# power of the width that is taken: a size of error told from few groups is told too boldly
STRENGTH = 0.5
# a local width may cost this share of the interval score: that it tells hard pictures from easy ones is worth something
_COST = 0.02
_BIASED = 0.5


@dataclass(frozen=True)
class IntervalShape:
    """The shape of intervals.

    Attributes
    ----------
    width : LocalWidth or None
        None: one width.
    asymmetric : bool
    scale : float array, shape (n,)
        Width of each image that it was chosen on, learnt from other units alone; ones for one width.
    why : str
    """

    width: LocalWidth | None
    asymmetric: bool
    scale: FloatArray
    why: str


def choose_shape(
    target: FloatArray, value: FloatArray, unit: IntArray, difficulty: FloatArray, bounds: Bounds
) -> IntervalShape:
    """The shape for images (n,) of units (n,) that their model never saw, with difficulty (n, d).

    A local width has to earn its place on units that it was not learnt from: the narrowest third of its intervals
    covers at least 0.85 at the level 0.90, and its interval score is no more than 2 % above that of one width.
    """
    error, weight, n_units = target - value, share_of_unit(unit), len(np.unique(unit))
    skewed, words = _skew(error, value, weight)
    ones = np.ones(len(error))
    if n_units < MIN_UNITS:
        why = f"constant: {n_units} groups or images, {MIN_UNITS} are needed to learn a width of each image"
        return IntervalShape(None, skewed, ones, why + words)
    if float(np.abs(error).max()) == 0.0:
        return IntervalShape(None, False, ones, "constant: no image has an error")
    scale = cross_widths(error, value, difficulty, weight, unit)
    constant = _trial(error, ones, value, unit, weight, bounds)
    scale = scale**STRENGTH
    local = _trial(error, scale, value, unit, weight, bounds)
    covered = f"the narrowest third of local widths covers {local[0]:.0%} of images at the level {LEVEL:.0%}"
    change = local[1] / constant[1] - 1.0
    if local[0] < LEVEL - SLACK:
        return IntervalShape(None, skewed, ones, f"constant: {covered}, less than {LEVEL - SLACK:.0%}{words}")
    if change > _COST:
        why = f"constant: local widths tell hard pictures badly, their interval score is {change:.0%} worse"
        return IntervalShape(None, skewed, ones, why + words)
    width = fit_width(error, value, difficulty, weight, unit).tempered(STRENGTH)
    better = "as good as" if abs(change) < 0.005 else f"{abs(change):.0%} {'better' if change < 0 else 'worse'} than"
    why = f"local: {covered}, and the interval score is {better} with one width"
    return IntervalShape(width, skewed, scale, why + words)


def _trial(
    error: FloatArray, scale: FloatArray, value: FloatArray, unit: IntArray, weight: FloatArray, bounds: Bounds
) -> tuple[float, float]:
    """Coverage of the narrowest third, and mean interval score, of widths whose quantile is that of other units."""
    blocks, half = unit_blocks(unit, N_BLOCKS), np.empty(len(error))
    for block in np.unique(blocks):
        held, rest = blocks == block, blocks != block
        half[held] = conformal_quantile(np.abs(error[rest]) / scale[rest], weight[rest], LEVEL) * scale[held]
    target, (low, high) = value + error, cut_to(value - half, value + half, bounds)
    narrow, inside = thirds_of(half) == 0, (low <= target) & (target <= high)
    score = interval_score(target, low, high, LEVEL)
    return float(np.average(inside[narrow], weights=weight[narrow])), float(np.average(score, weights=weight))


def _skew(error: FloatArray, value: FloatArray, weight: FloatArray) -> tuple[bool, str]:
    """Whether the bias in some third of the predictions exceeds half the mean absolute error, and words on it."""
    third = thirds_of(value)
    bias = [abs(float(np.average(error[third == k], weights=weight[third == k]))) for k in np.unique(third)]
    mae = float(np.average(np.abs(error), weights=weight))
    if max(bias) <= _BIASED * mae:
        return False, ""
    return (
        True,
        "; each side has a reach of its own: a third of the predictions is biased by over half the mean error",
    )
