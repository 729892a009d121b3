"""An acceptance rule as a bundle stores it: thresholds on the score, and what is promised of what lies above them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray
from graticule.errors import BundleError

GUARANTEED, ESTIMATED, NOT_CERTIFIABLE = "guaranteed", "estimated", "not certifiable"
STATUSES = (GUARANTEED, ESTIMATED, NOT_CERTIFIABLE)
_LONGEST = 2000


@dataclass(frozen=True)
class Rule:
    """Accept an image when its best score is above the threshold of its class.

    Attributes
    ----------
    threshold : float array, shape (K,)
        In [0, 1], or infinite where nothing can be accepted.
    status : str
        "guaranteed", "estimated" or "not certifiable".
    target, confidence : float
    per_class : bool
        Whether the target holds for each predicted class.
    n, accepted, errors : int
        Evidence the rule was found on, how much of it is accepted, and how often that is wrong.
    words : str
        What is promised, or why nothing is.
    limits : tuple of two float, or None
        Of the share of errors among the accepted of new groups, at 95 %; None without groups, where `errors` tells.
    seed : int
        Of the draws behind it: of one image per group, and of the mix.
    """

    threshold: FloatArray
    status: str
    target: float
    confidence: float
    per_class: bool
    n: int
    accepted: int
    errors: int
    words: str
    limits: tuple[float, float] | None = None
    seed: int = 0

    def accepts(self, proba: FloatArray) -> NDArray[np.bool_]:
        """Whether each row of calibrated scores (n, K) is accepted."""
        best = proba.argmax(axis=1)
        return np.asarray(proba[np.arange(len(proba)), best] > self.threshold[best], dtype=bool)

    def to_json(self) -> dict[str, Any]:
        """Plain values as JSON has them; an infinite threshold is None."""
        values = [float(t) if np.isfinite(t) else None for t in self.threshold]
        limits = None if self.limits is None else list(self.limits)
        return {**vars(self), "threshold": values, "limits": limits}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], n_classes: int) -> Self:
        """Inverse of `to_json`, to the last bit.

        Raises
        ------
        BundleError
            When it is no rule for so many classes.
        """
        check_rule(document, n_classes)
        values = [np.inf if t is None else float(t) for t in document["threshold"]]
        limits = document["limits"]
        return cls(
            np.array(values, dtype=np.float64),
            document["status"],
            float(document["target"]),
            float(document["confidence"]),
            document["per_class"],
            n=document["n"],
            accepted=document["accepted"],
            errors=document["errors"],
            words=document["words"],
            limits=None if limits is None else (float(limits[0]), float(limits[1])),
            seed=document["seed"],
        )


def check_rule(document: Mapping[str, Any], n_classes: int, n: int | None = None) -> None:
    """Refuse, with a BundleError, a stored rule whose entries are of other types or ranges than `Rule.to_json` writes.

    Parameters
    ----------
    document : mapping
        Of an earlier version it may lack the seed.
    n_classes : int
    n : int, optional
        Images of the evidence that the rule must have been found on.
    """
    threshold, limits = document.get("threshold"), document.get("limits")
    images, accepted, errors = (_count(document, name) for name in ("n", "accepted", "errors"))
    words = document.get("words")
    sound = {
        "threshold": isinstance(threshold, list)
        and len(threshold) == n_classes
        # -1 accepts everything; a score of 32 bits may round to a little above 1
        and all(value is None or _within(value, -1.0, 1.001) for value in threshold),
        "status": document.get("status") in STATUSES,
        "target": _within(document.get("target"), 0.5, 1.0),
        "confidence": _within(document.get("confidence"), 0.5, 1.0),
        "per_class": isinstance(document.get("per_class"), bool),
        "n": images >= 0 and n in (None, images),
        "accepted": 0 <= accepted <= images,
        "errors": 0 <= errors <= accepted,
        "words": isinstance(words, str) and words.isprintable() and len(words) < _LONGEST,
        "limits": limits is None
        or (isinstance(limits, list | tuple) and len(limits) == 2 and all(_within(v, 0.0, 1.0) for v in limits)),
        "seed": "seed" not in document or _count(document, "seed") >= 0,
    }
    faulty = [name for name, fine in sound.items() if not fine] + sorted(set(document) - set(sound))
    if faulty:
        raise BundleError(
            f"the acceptance rule of the bundle is none for {n_classes} classes: {faulty[0][:100]!a} is missing, "
            "unknown or out of range; train again"
        )


def _within(value: object, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high  # type: ignore[operator]


def _count(document: Mapping[str, Any], name: str) -> int:
    """A whole number from 0 in a document, -1 where there is none."""
    value = document.get(name)
    return value if type(value) is int and 0 <= value < 2**62 else -1
