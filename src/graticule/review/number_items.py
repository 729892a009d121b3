"""Images of which a number is asked: predictions with limits, bounds, and what a look at each may gain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graticule.arrays import BoolArray, FloatArray, StrArray, object_array
from graticule.errors import OptionError
from graticule.record.numbers import Quantity, number_said
from graticule.review.items import CONTROL, NOVELTY, OTHER, SUSPECT, UNSURE, Items

# two numbers drawn at random from a range differ by a third of it on average: what is known where nothing is
_NOTHING_KNOWN = 1.0 / 3.0
_THIRDS = ("lowest third", "middle third", "highest third")
_SUGGESTED_DIGITS = 4


@dataclass(frozen=True)
class NumberItems(Items):
    """n images with the opinion of a model of numbers, or with none.

    Attributes
    ----------
    numbers_of : Quantity
    value : float array, shape (n,)
        Predicted; NaN where nothing predicts.
    low, high : float arrays, shape (n,)
        Limits; NaN where none can be promised.
    level : float
        Chance with which the limits hold.
    given : float array, shape (n,)
        What the data set says; NaN where it says nothing.
    bounds : tuple of two float or None
        Least and largest possible number.
    seen : tuple of two float, or None
        Range of the numbers that the model was trained on, or that the data set holds.
    logarithmic : bool
        Whether relative errors count.
    """

    WORDS: ClassVar[Mapping[str, str]] = {
        SUSPECT: "suspected numbers",
        NOVELTY: "new kinds",
        UNSURE: "wide limits or none, or outside the range",
        CONTROL: "control sample",
        OTHER: "accepted",
    }

    numbers_of: Quantity
    value: FloatArray
    low: FloatArray
    high: FloatArray
    level: float
    given: FloatArray
    bounds: tuple[float | None, float | None]
    seen: tuple[float, float] | None
    logarithmic: bool

    @property
    def quantity(self) -> Quantity:
        """What the numbers are of."""
        return self.numbers_of

    @property
    def strata(self) -> StrArray:
        """The third of the predicted numbers of the accepted images in which each image lies, shape (n,)."""
        accepted = self.value[self.accepted]
        if not len(accepted):
            return object_array([_THIRDS[0]] * len(self))
        place = np.searchsorted(np.quantile(accepted, [1 / 3, 2 / 3]), self.value, side="left")
        return object_array([_THIRDS[third] for third in place.tolist()])

    @property
    def stratum_names(self) -> tuple[str, ...]:
        """The thirds."""
        return _THIRDS

    @property
    def promised_error(self) -> float | None:
        """Share of numbers outside their limits."""
        return 1.0 - self.level if self.accepted.any() else None

    def contradicts(self, place: int, value: str | None) -> bool:
        """Whether a number outside the limits is said, or none; where there are no limits, nothing is contradicted."""
        low, high = self.low[place], self.high[place]
        number = number_said(value)
        return bool(np.isfinite(low) and (number is None or not low <= number.value <= high))

    @property
    def reach(self) -> tuple[float, float] | None:
        """Ends of the range that a number is expected in: bounds, else what was seen or predicted; None: unknown."""
        told = [*(self.seen or ()), *self.value[np.isfinite(self.value)].tolist()]
        # a bound of 0 says nothing where relative errors count
        bounds = [None if end is None or (self.logarithmic and end <= 0) else end for end in self.bounds]
        low, high = (end if bound is None else bound for bound, end in zip(bounds, _ends(told), strict=True))
        return None if low is None or high is None or not low < high else (low, high)

    def gain(self, by: str) -> FloatArray:
        """Error that a look is expected to mend, as a share of the range of the numbers, shape (n,); of none known, 1.

        For limits that hold normal errors the mean error is a quarter of their width (of 90 %; others alike but for a
        factor); where nothing is promised, a third of the range, for novel images as far as the p-value tells; for a
        suspected number its distance from the prediction times the probability that it is wrong. A prediction outside
        the range that was trained on is off by at least its distance from it. Images of a data set without a model:
        those without a number. "margin" asks for the width of the limits alone, which is what a number teaches.
        """
        if self.reach is None or not np.isfinite(self.value).any():
            return np.asarray(np.isnan(self.given), dtype=np.float64)
        low, high, value, given = (self._scaled(x) for x in (self.low, self.high, self.value, self.given))
        least, most = (float(self._scaled(np.array(end))) for end in (self.seen or self.reach))
        span = most - least if most > least else 1.0
        width = np.where(np.isfinite(high - low), (high - low) / span, 4.0 * _NOTHING_KNOWN)
        if by == "margin":
            return np.asarray(width)
        gain = np.maximum(width / 4.0, np.maximum(least - value, value - most) / span)
        novel = self.kind == NOVELTY
        gain[novel] = np.maximum(gain[novel], _NOTHING_KNOWN * (1.0 - np.nan_to_num(self.novelty[novel])))
        suspect = ~np.isnan(self.suspicion)
        gain[suspect] = np.maximum(
            gain[suspect], self.suspicion[suspect] * np.abs(given[suspect] - value[suspect]) / span
        )
        return np.asarray(np.nan_to_num(gain, nan=_NOTHING_KNOWN))

    def _scaled(self, numbers: FloatArray) -> FloatArray:
        """Numbers on the scale on which errors are alike; -infinity is cut to the least positive number."""
        if not self.logarithmic:
            return np.asarray(numbers, dtype=np.float64)
        return np.asarray(np.log(np.maximum(numbers, np.finfo(np.float64).tiny)), dtype=np.float64)

    def passing(self, label: str, low: float | None, high: float | None) -> BoolArray:
        """Images with a number from `low` to `high`, predicted, or else given, shape (n,)."""
        if label:
            raise OptionError(f"class {label!r}: numbers are reviewed here, not classes")
        least, most = -np.inf if low is None else low, np.inf if high is None else high
        if not least <= most:
            raise OptionError(f"{self.quantity.target} from {least:g} to {most:g}: the first must be the smaller")
        if low is None and high is None:
            return np.ones(len(self), dtype=bool)
        known = np.where(np.isfinite(self.value), self.value, self.given)
        return np.asarray((known >= least) & (known <= most))

    def said(self, value: str) -> str:
        """A number within the bounds, typed with or without its unit."""
        return self.quantity.text(self.quantity.typed(value, *self.bounds))

    def asked(self) -> dict[str, Any]:
        """The quantity, its bounds, and the range of the slider."""
        least, most = self.bounds
        return {
            "classes": [],
            "number": {
                "target": self.quantity.target,
                "unit": self.quantity.unit,
                "least": least,
                "most": most,
                "reach": None if self.reach is None else list(self.reach),
                "logarithmic": self.logarithmic and self.reach is not None and self.reach[0] > 0,
                "level": self.level,
                "predicted": bool(np.isfinite(self.value).any()),
            },
        }

    def opinion(self, place: int, *, blind: bool) -> dict[str, Any]:
        """Prediction, limits, and what the data set gives."""
        value, low, high, given = (_known(x[place]) for x in (self.value, self.low, self.high, self.given))
        words = self.quantity.words
        return {
            "why": None if blind else self._why(place),
            "given": None if blind or given is None else words(given),
            "suggested": None if blind or value is None else words(self.suggestion(value)),
            "score": None,
            "classes": [],
            "number": None if blind else {"value": value, "low": low, "high": high, "given": given},
        }

    def suggestion(self, value: float) -> float:
        """A predicted number as a person would write it: four digits, within the bounds."""
        least, most = self.bounds
        rounded = float(f"{value:.{_SUGGESTED_DIGITS}g}")
        rounded = rounded if least is None else max(rounded, least)
        return rounded if most is None else min(rounded, most)

    def _why(self, place: int) -> str:
        words = self.quantity.words
        given = _known(self.given[place])
        if not np.isnan(self.suspicion[place]) and given is not None:
            return f"said to be {words(given)}, looks like {words(self.suggestion(float(self.value[place])))}"
        if self.reason[place]:
            return str(self.reason[place])
        return "without a number" if given is None else f"said to be {words(given)}"


def _known(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _ends(numbers: list[float]) -> tuple[float | None, float | None]:
    return (min(numbers), max(numbers)) if numbers else (None, None)
