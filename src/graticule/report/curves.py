"""Arrays behind the pictures: operating points, funnels, and vertices thinned for drawing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from graticule.arrays import FloatArray


@dataclass(frozen=True)
class Curve:
    """Vertices of a curve in the unit square; empty where the curve is not defined.

    Attributes
    ----------
    x, y : float arrays, shape (m,), in [0, 1]
        In the order in which the threshold falls.
    """

    x: FloatArray
    y: FloatArray

    @property
    def defined(self) -> bool:
        """False when the class has no sample, or no other class has one."""
        return len(self.x) > 0


def _counts_at_thresholds(positive: NDArray[np.bool_], score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cumulative true and false positives at each distinct score, highest first; shape (m,) each."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(positive[order], dtype=np.float64)[last_of_tie]
    return true, last_of_tie + 1.0 - true


def roc_points(positive: NDArray[np.bool_], score: FloatArray) -> Curve:
    """Receiver operating characteristic of one class against the rest (Fawcett 2006).

    Parameters
    ----------
    positive : bool array, shape (n,)
    score : float array, shape (n,)
        Higher means more like the class. Tied scores make one slanted segment.

    Returns
    -------
    Curve
        x = 1 - specificity, y = sensitivity, from (0, 0) to (1, 1); empty without both kinds of sample.
    """
    n_positive = int(positive.sum())
    if n_positive in (0, len(positive)):
        return Curve(np.empty(0), np.empty(0))
    true, false = _counts_at_thresholds(positive, score)
    x = np.append(0.0, false / (len(positive) - n_positive))
    return Curve(x, np.append(0.0, true / n_positive))


def precision_recall_points(positive: NDArray[np.bool_], score: FloatArray) -> Curve:
    """Precision at each recall of one class against the rest.

    No point at recall 0 is invented. Average precision is the area under the steps that reach each point from
    the left at the point's own precision (Davis and Goadrich 2006 on why not to join them by straight lines).

    Returns
    -------
    Curve
        x = recall (sensitivity), y = precision, recall rising; empty when the class has no sample.
    """
    n_positive = int(positive.sum())
    if n_positive == 0:
        return Curve(np.empty(0), np.empty(0))
    true, false = _counts_at_thresholds(positive, score)
    return Curve(true / n_positive, true / (true + false))


def step_vertices(curve: Curve) -> Curve:
    """Corners of the steps that reach each point from the left at its own height; shape (2 m,)."""
    if not curve.defined:
        return curve
    left = np.append(0.0, curve.x[:-1])
    return Curve(np.column_stack([left, curve.x]).ravel(), np.repeat(curve.y, 2))


def thin(curve: Curve, grid: int = 1000) -> NDArray[np.int64]:
    """Vertices rounded to a grid, without repeats and without middle points of straight runs.

    The drawing then depends on the picture's resolution, not on the number of samples.

    Parameters
    ----------
    grid : int
        Cells per unit; the largest displacement of a vertex is half a cell.

    Returns
    -------
    int array, shape (m, 2), values 0 to `grid`
    """
    points: NDArray[np.int64] = np.rint(np.column_stack([curve.x, curve.y]) * grid).astype(np.int64)
    if len(points) < 3:
        return points
    points = points[np.append(True, np.any(np.diff(points, axis=0) != 0, axis=1))]
    if len(points) < 3:
        return points
    before, after = points[1:-1] - points[:-2], points[2:] - points[1:-1]
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    onward = (before * after).sum(axis=1) > 0
    keep = np.concatenate([[True], (cross != 0) | ~onward, [True]])
    return np.asarray(points[keep])


def funnel_limits(n: NDArray[np.int64], share: float, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Range of a group's share by chance alone, if every sample were a success with probability `share`.

    Binomial quantiles, interpolated between counts (Spiegelhalter 2005, appendix A.1.1), so that a group lies below
    the lower limit exactly when so few successes or fewer have a probability under (1 - level) / 2.

    Parameters
    ----------
    n : int array, shape (m,)
        Samples per group, at least 1.
    share : float
        In [0, 1].

    Returns
    -------
    lower, upper : float arrays, shape (m,), in [0, 1]
    """

    def limit(tail: float) -> FloatArray:
        count = binom.ppf(tail, n, share)
        reached, before = binom.cdf(count, n, share), binom.cdf(count - 1, n, share)
        step = np.divide(reached - tail, reached - before, out=np.zeros(len(n)), where=reached > before)
        return np.asarray(np.clip((count - step) / n, 0.0, 1.0))

    if share in (0.0, 1.0):
        return np.full(len(n), share), np.full(len(n), share)
    tail = (1.0 - level) / 2.0
    # The upper limit is the lower one of the failures.
    lower = limit(tail)
    share = 1.0 - share
    return lower, 1.0 - limit(tail)
