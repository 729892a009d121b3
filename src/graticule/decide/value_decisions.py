"""What to do with each predicted number, and why, in words."""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import BoolArray, FloatArray, StrArray
from graticule.decide.decisions import ACCEPT, NOVEL, REJECT, REVIEW

# so far beyond the training range, in shares of it, a prediction is not only drawn out but from nowhere
FAR_BEYOND = 0.1


@dataclass(frozen=True)
class ValueRule:
    """When a predicted number is taken without a look.

    Attributes
    ----------
    max_width : float or None
        Widest interval that is accepted; None: any.
    least, most : float
        Range of the training targets.
    unit : str
        For the words; may be empty.
    """

    max_width: float | None
    least: float
    most: float
    unit: str = ""

    def extrapolates(self, value: FloatArray) -> BoolArray:
        """Whether predictions (n,) lie outside the range of the training targets."""
        return np.asarray((value < self.least) | (value > self.most), dtype=bool)

    def far(self, value: FloatArray) -> BoolArray:
        """Whether they lie outside by more than a tenth of that range."""
        spare = FAR_BEYOND * (self.most - self.least)
        return np.asarray((value < self.least - spare) | (value > self.most + spare), dtype=bool)


def decide_values(
    value: FloatArray, low: FloatArray, high: FloatArray, novel: BoolArray, rule: ValueRule
) -> tuple[StrArray, StrArray]:
    """Decision and reason of each image.

    Rejected is what is novel, or predicted far outside the training range: nothing is promised there. Accepted is what
    has an interval no wider than asked, inside the range. The rest is for review.

    Parameters
    ----------
    value, low, high : float arrays, shape (n,)
        NaN limits: no interval.
    novel : bool array, shape (n,)
    rule : ValueRule

    Returns
    -------
    decision, reason : object arrays of str, shape (n,)
    """
    n, width = len(value), high - low
    decision, reason = np.full(n, REVIEW, dtype=object), np.empty(n, dtype=object)
    far, outside, known = rule.far(value), rule.extrapolates(value), np.isfinite(width)
    wide = known & (width > (np.inf if rule.max_width is None else rule.max_width))
    rejected = novel | far
    decision[rejected] = REJECT
    decision[~rejected & known & ~wide & ~outside] = ACCEPT
    unit = f" {rule.unit}" if rule.unit else ""
    seen = f"trained on {rule.least:.4g} to {rule.most:.4g}{unit}"
    for i in range(n):
        if novel[i]:
            reason[i] = NOVEL
        elif far[i]:
            reason[i] = f"far outside what was {seen}"
        elif not known[i]:
            reason[i] = "no interval can be given"
        elif outside[i]:
            reason[i] = f"extrapolates: {seen}"
        elif wide[i]:
            reason[i] = f"interval {width[i]:.3g}{unit} wide, accepted up to {rule.max_width:.3g}"
        else:
            reason[i] = f"between {low[i]:.4g} and {high[i]:.4g}{unit}"
    return decision, reason


def without_promise(low: FloatArray, high: FloatArray, novel: BoolArray) -> tuple[FloatArray, FloatArray]:
    """The limits (n,), NaN for novel images: intervals hold for images like the evidence, and these are not."""
    return np.where(novel, np.nan, low), np.where(novel, np.nan, high)
