"""Which true values of a run are probably wrong: images whose prediction is off by far more than such images are.

The error of an image that its model never saw is divided by half the width of its limits, which are wide where images
are hard. Of right values a few are far off too: as many as a normal distribution has beyond the same number of robust
standard deviations. What is more than that is probably wrong, so that the share of the surplus among all that are so
far off is the chance that one of them is wrong (a tail area; Efron, 2010, ch. 2). It is a list of where to look first:
an image that is merely unlike all others is far off too.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from graticule.arrays import BoolArray, FloatArray, IntArray

# an image is listed where more than half of those that are as far off cannot be chance
CUT_OFF = 0.5
# fewer images show no spread to hold an error against
FEWEST = 30
# robust standard deviations below which nothing is suspected: beyond it lie 3 of 1,000 right values
_LEAST = 3.0
# chance may give more than it does on average: standard deviations of a Poisson number that are granted
_DOUBT = 1.645
_NORMAL_MEDIAN = 0.6744897501960817


@dataclass(frozen=True)
class SuspiciousTargets:
    """What n images say of their true values.

    Attributes
    ----------
    off : float array, shape (n,)
        Error in robust standard deviations of such images; above 0 where the true value is below the prediction.
    score : float array, shape (n,)
        Chance that the true value is wrong, 0 to 1.
    order : int array, shape (n,)
        Rows, the most suspect first.
    expected : float
        Right values that are as far off as the least suspect one listed, by chance.
    """

    off: FloatArray
    score: FloatArray
    order: IntArray
    expected: float

    @property
    def listed(self) -> BoolArray:
        """Which are probably wrong, shape (n,)."""
        return np.asarray(self.score > CUT_OFF, dtype=bool)


def suspect_targets(target: FloatArray, value: FloatArray, low: FloatArray, high: FloatArray) -> SuspiciousTargets:
    """Hold the errors of n out-of-fold predictions against what such images are off by.

    Parameters
    ----------
    target, value : float arrays, shape (n,)
    low, high : float arrays, shape (n,)
        Limits of the predictions; where they are NaN all images count as equally hard. Limits cut at a bound are wider
        than they look, so the wider side counts.
    """
    n = len(target)
    half = np.maximum(value - low, high - value)
    known = np.isfinite(half) & (half > 0)
    hard = np.where(known, half, float(np.median(half[known])) if known.any() else 1.0)
    relative = (value - target) / hard
    spread = float(np.median(np.abs(relative))) / _NORMAL_MEDIAN
    off = relative / spread if spread > 0 else np.zeros(n)
    distance = np.abs(off)
    order = np.argsort(-distance, kind="stable")
    # of the images at least as far off as each, those that chance explains
    beyond = np.empty(n)
    beyond[order] = np.arange(1, n + 1)
    chance = 2.0 * n * norm.sf(distance)
    most = chance + _DOUBT * np.sqrt(chance)
    score = np.where(distance >= _LEAST, np.clip(1.0 - most / beyond, 0.0, 1.0), 0.0)
    # a value further off is not less suspect
    score[order] = np.maximum.accumulate(score[order][::-1])[::-1]
    listed = score > CUT_OFF
    expected = float(chance[listed].max()) if listed.any() else 0.0
    return SuspiciousTargets(np.asarray(off, dtype=np.float64), score, np.asarray(order, dtype=np.int64), expected)
