"""What a model is held against: the own figures of each baseline, and the error as a ratio and a difference to it."""

from typing import Any

import numpy as np

from graticule.evaluate.values.estimates import Sampling, limits_on_scale, measured, value_figures, value_replicates
from graticule.evaluate.values.figures import ScoredValues, ValueFigure, value_statistics

SHOWN = ("mae", "rmse", "r2", "bias", "slope", "spearman")


def against_baseline(scored: ScoredValues, baseline: ScoredValues, sampling: Sampling) -> dict[str, Any]:
    """Figures of a baseline on the same images, with "ratio" and "difference" of the mean absolute errors."""
    own = value_figures(baseline, sampling)
    return {key: own[key] for key in SHOWN} | paired_errors(scored, baseline, sampling)


def paired_errors(scored: ScoredValues, other: ScoredValues, sampling: Sampling) -> dict[str, dict[str, Any]]:
    """Mean absolute error over ("ratio") and less ("difference") that of another model on the same images.

    Both models are drawn with the same units in every replicate, so what makes images hard for both cancels out. The
    ratio's limits are symmetric on the logarithmic scale.
    """
    once = np.ones((1, scored.n_units))
    mine, theirs = (float(value_statistics(each, once)["mae"][0]) for each in (scored, other))
    ratio = mine / theirs if theirs > 0 else np.nan
    apart = between = (np.nan, np.nan)
    drawn = [value_replicates(each, sampling) for each in (scored, other)]
    first, second = drawn
    if first is not None and second is not None:
        change = first["mae"] - second["mae"]
        between = limits_on_scale(ValueFigure("difference", "shift"), mine - theirs, change, sampling.critical)
        if mine > 0 and theirs > 0 and (first["mae"] > 0).all() and (second["mae"] > 0).all():
            logarithm = np.log(first["mae"] / second["mae"])
            low, high = limits_on_scale(ValueFigure("ratio", "shift"), float(np.log(ratio)), logarithm,
                                        sampling.critical)  # fmt: skip
            apart = float(np.exp(low)), float(np.exp(high))
    return {
        "ratio": measured(ratio, apart, sampling.method, sampling.level),
        "difference": measured(mine - theirs, between, sampling.method, sampling.level),
    }
