"""What accepting more images costs: the share of wrong answers among the best-scored, from none to all accepted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.decide.estimated_rule import all_loosest
from graticule.statistics.intervals import MIN_GROUPS, cluster_t, wilson

TARGETS = (0.99, 0.98, 0.95)
_POINTS = 60


@dataclass(frozen=True)
class RiskCoverage:
    """The risk-coverage curve (Geifman and El-Yaniv, 2017).

    Attributes
    ----------
    coverage, risk, low, high : float arrays, shape (p,)
        Share of images accepted, and share of errors among them with its 95 % interval at each point by itself (NaN
        with too few groups).
    area : float
        Mean risk over all coverages (AURC); 0 is best.
    """

    coverage: FloatArray
    risk: FloatArray
    low: FloatArray
    high: FloatArray
    area: float


def risk_coverage(score: FloatArray, right: NDArray[np.bool_], unit: IntArray | None = None) -> RiskCoverage:
    """The curve of n images ranked by `score`; `right` says which answers are correct, `unit` names groups, if any."""
    n = len(score)
    order = np.argsort(-score, kind="stable")
    wrong = (~right[order]).astype(np.float64)
    cumulative = np.cumsum(wrong)
    accepted = np.unique(np.linspace(max(1, n // _POINTS), n, min(_POINTS, n)).round().astype(int))
    risk = cumulative[accepted - 1] / accepted
    if unit is None:
        low, high = wilson(cumulative[accepted - 1], accepted.astype(np.float64))
    else:
        low, high = _by_group(wrong, unit[order], accepted)
    area = float((cumulative / np.arange(1, n + 1)).mean())
    return RiskCoverage(accepted / n, risk, low, high, area)


def _by_group(wrong: FloatArray, unit: IntArray, accepted: IntArray) -> tuple[FloatArray, FloatArray]:
    codes = numbered(unit)
    n_groups = int(codes.max()) + 1
    low, high = np.full(len(accepted), np.nan), np.full(len(accepted), np.nan)
    for i, m in enumerate(accepted):
        trials = np.bincount(codes[:m], minlength=n_groups).astype(np.float64)
        if (trials > 0).sum() >= MIN_GROUPS:
            errors = np.bincount(codes[:m], weights=wrong[:m], minlength=n_groups).astype(np.float64)
            bounds = cluster_t(errors, trials)
            low[i], high[i] = float(bounds[0]), float(bounds[1])
    return low, high


def coverage_at(score: FloatArray, right: NDArray[np.bool_], unit: IntArray | None = None) -> list[dict[str, Any]]:
    """Share of images that can be accepted at each of `TARGETS` by the estimated rule; 0 where none can.

    With groups (`unit`) the rule is that of groups, as in `estimated_rule.loosest`.
    """
    shares = accepted_shares(score, right, np.ones(len(score)), unit)
    return [{"target": target, "coverage": float(share)} for target, share in zip(TARGETS, shares, strict=True)]


def accepted_shares(
    score: FloatArray, right: NDArray[np.bool_], weight: FloatArray, unit: IntArray | None
) -> FloatArray:
    """Weighted share of images above the threshold of the estimated rule at each of `TARGETS`; shape (3,).

    Arguments as for `estimated_rule.loosest`.
    """
    thresholds = all_loosest(score, right, weight, unit, TARGETS)
    return np.array([weight[score > threshold].sum() / weight.sum() for threshold in thresholds])
