"""Plain figures: what an absent one is, and when scales disagree."""

import numpy as np

from graticule.directions.figures import no_figures
from graticule.directions.outcome import AtScale, Directions, Measured, Peak


def outcome(*scales: AtScale) -> Directions:
    return Directions("direction", 0.0, no_figures(0.5), (0.5, 0.5), (0.5, 0.5), 0.5, 0.5, scales, 1.0)


def test_absent_figures_are_nan() -> None:
    assert np.isnan(Measured().value)
    assert np.isnan(Peak().share.low)


def test_scales_disagree_by_order_or_share() -> None:
    one = AtScale(1.5, 30.0, 0.5, 0.5, 0.9)
    assert not outcome(one).scales_disagree
    assert not outcome(one, AtScale(2.5, 31.0, 0.55, 0.45, 0.9)).scales_disagree
    assert outcome(one, AtScale(2.5, 31.0, 0.65, 0.5, 0.9)).scales_disagree
    assert outcome(one, AtScale(2.5, 31.0, 0.5, 0.35, 0.9)).scales_disagree
    assert not outcome(one, AtScale(4.0, np.nan, np.nan, np.nan, 0.0)).scales_disagree
