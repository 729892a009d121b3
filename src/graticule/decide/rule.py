"""An acceptance rule as a bundle stores it: thresholds on the score, and what is promised of what lies above them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.errors import BundleError
from graticule.evaluate.metrics import FloatArray

# what is asked for by default, in training as in prediction
TARGET, CONFIDENCE = 0.99, 0.95
GUARANTEED, ESTIMATED, NOT_CERTIFIABLE = "guaranteed", "estimated", "not certifiable"
STATUSES = (GUARANTEED, ESTIMATED, NOT_CERTIFIABLE)


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
        """Plain values; an infinite threshold is None."""
        values = [float(t) if np.isfinite(t) else None for t in self.threshold]
        return {**vars(self), "threshold": values}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], n_classes: int) -> Rule:
        """Inverse of `to_json`, to the last bit.

        Raises
        ------
        BundleError
            When it is no rule for so many classes.
        """
        try:
            values = [np.inf if t is None else float(t) for t in document["threshold"]]
            limits = document["limits"]
            rule = cls(
                np.array(values, dtype=np.float64),
                str(document["status"]),
                float(document["target"]),
                float(document["confidence"]),
                bool(document["per_class"]),
                n=int(document["n"]),
                accepted=int(document["accepted"]),
                errors=int(document["errors"]),
                words=str(document["words"]),
                limits=None if limits is None else (float(limits[0]), float(limits[1])),
                seed=int(document["seed"]),
            )
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise BundleError(f"the acceptance rule of the bundle cannot be read: {error!r}") from error
        if len(values) != n_classes or np.isnan(values).any() or rule.status not in STATUSES or rule.seed < 0:
            raise BundleError(f"the acceptance rule of the bundle is none for {n_classes} classes; train again")
        return rule
