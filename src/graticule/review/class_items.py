"""Images of which a class is asked: scores, suggestions, and what a look at each may gain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graticule.arrays import BoolArray, FloatArray, StrArray, class_codes
from graticule.errors import LabelStoreError, OptionError
from graticule.record.numbers import Quantity
from graticule.review.items import CONTROL, NOVELTY, OTHER, SUSPECT, UNSURE, Items


@dataclass(frozen=True)
class ClassItems(Items):
    """n images with a classifier's opinion.

    Attributes
    ----------
    classes : tuple of K str
    proba : float array, shape (n, K)
        Calibrated scores.
    sets : tuple of n tuples of str
        Classes that the image cannot be said not to be; empty where unknown.
    given : object array of str, shape (n,)
        The label that the data set gives, "" for new images.
    suggested : object array of str, shape (n,)
        The model's class; for a suspected label error the class suggested instead.
    """

    BULK: ClassVar[bool] = True
    WORDS: ClassVar[Mapping[str, str]] = {
        SUSPECT: "suspected labels",
        NOVELTY: "new kinds",
        UNSURE: "unsure",
        CONTROL: "control sample",
        OTHER: "accepted",
    }

    classes: tuple[str, ...]
    proba: FloatArray
    sets: tuple[tuple[str, ...], ...]
    given: StrArray
    suggested: StrArray

    @property
    def quantity(self) -> Quantity | None:
        """None: classes are asked for."""
        return None

    @property
    def score(self) -> FloatArray:
        """Score of the suggested class, shape (n,)."""
        column = class_codes(self.suggested, self.classes)
        return np.asarray(self.proba[np.arange(len(self)), column])

    @property
    def strata(self) -> StrArray:
        """The suggested classes, shape (n,)."""
        return self.suggested

    @property
    def stratum_names(self) -> tuple[str, ...]:
        """The classes."""
        return self.classes

    @property
    def promised_error(self) -> float | None:
        """One minus the mean score of the accepted images."""
        accepted = self.accepted
        return float((1.0 - self.score[accepted]).mean()) if accepted.any() else None

    def contradicts(self, place: int, value: str | None) -> bool:
        """Whether another class than the suggested one is said, or none."""
        return bool(value != self.suggested[place])

    def gain(self, by: str) -> FloatArray:
        """`expected_gain`, or for "margin" `margin_gain`."""
        return margin_gain(self.proba) if by == "margin" else expected_gain(self)

    def passing(self, label: str, low: float | None, high: float | None) -> BoolArray:
        """Images with a suggested class, and a score of it from `low` to `high`, shape (n,)."""
        least, most = 0.0 if low is None else low, 1.0 if high is None else high
        if label and label not in self.classes:
            raise OptionError(f"class {label!r} is not known; the model's classes are {', '.join(self.classes)}")
        if not 0.0 <= least <= most <= 1.0:
            raise OptionError(f"scores from {least:g} to {most:g}: allowed is a range within 0 to 1")
        score = self.score
        found = (score >= least - 1e-12) & (score <= most + 1e-12)
        return np.asarray(found & (self.suggested == label) if label else found)

    def said(self, value: str) -> str:
        """A class of the model."""
        if value not in self.classes:
            raise LabelStoreError(f"the class {value!r} is not known; allowed are {', '.join(self.classes)}")
        return value

    def asked(self) -> dict[str, Any]:
        """The classes to choose from."""
        return {"classes": list(self.classes), "number": None}

    def opinion(self, place: int, *, blind: bool) -> dict[str, Any]:
        """Suggestion, scores and set of possible classes."""
        inside = set(self.sets[place])
        return {
            "why": None if blind else self._why(place),
            "given": None if blind else self.given[place] or None,
            "suggested": None if blind else self.suggested[place],
            "score": None if blind else float(self.proba[place, self.classes.index(self.suggested[place])]),
            "classes": [
                {
                    "name": name,
                    "score": None if blind else float(self.proba[place, k]),
                    "in_set": None if blind or not inside else name in inside,
                }
                for k, name in enumerate(self.classes)
            ],
        }

    def _why(self, place: int) -> str:
        if not np.isnan(self.suspicion[place]):
            return f"labelled {self.given[place]}, looks like {self.suggested[place]}"
        return str(self.reason[place]) or f"probably {self.suggested[place]}"

    def compared(self, place: int, most: int) -> list[str]:
        """Classes that one image is to be told apart from: the suggested and the given one, then by falling score."""
        by_score = [self.classes[k] for k in np.argsort(-self.proba[place], kind="stable").tolist()]
        named = [name for name in (self.suggested[place], self.given[place]) if name in self.classes]
        return list(dict.fromkeys([*named, *by_score]))[:most]


def expected_gain(items: ClassItems) -> FloatArray:
    """Errors that one look at each image is expected to mend, in [0, 1], shape (n,).

    For a suspected label error the probability that the label is wrong; for a novel image that it is none of the
    classes, as far as its p-value tells; for the others the probability that the model's class is not theirs.
    """
    gain = 1.0 - items.score
    novel = items.kind == NOVELTY
    gain[novel] = np.maximum(gain[novel], 1.0 - np.nan_to_num(items.novelty[novel]))
    suspect = ~np.isnan(items.suspicion)
    gain[suspect] = items.suspicion[suspect]
    return np.asarray(np.clip(gain, 0.0, 1.0))


def margin_gain(proba: FloatArray) -> FloatArray:
    """What a label is expected to teach the next training: 1 - (best - second best score), shape (n,).

    Margin sampling (Scheffer et al., 2001). `proba` has shape (n, K).
    """
    if proba.shape[1] < 2:
        return np.zeros(len(proba))
    best = np.partition(proba, -2, axis=1)[:, -2:]
    return np.asarray(1.0 - (best[:, 1] - best[:, 0]))
