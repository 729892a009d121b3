"""The error among images that the model would accept by itself, measured on the control sample."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.record.current import ImageState, said_together
from graticule.record.events import DOUBTFUL
from graticule.review.items import CONTROL, Items
from graticule.statistics.intervals import score_interval, wilson, z_critical

_UNKNOWN = {"value": None, "low": None, "high": None}


@dataclass(frozen=True)
class ErrorEstimate:
    """The share of wrong answers among images that the model would accept, measured on the control sample.

    A class is wrong where a person names another one, a number where it lies outside its limits.

    Attributes
    ----------
    value, low, high : float
        NaN where nothing tells yet.
    n : int
        Control images with a verdict.
    per_stratum : dict
        (images judged, errors among them, accepted images) of each predicted class, or third of the numbers.
    missing : tuple of str
        Those with accepted images and without a judged one: the estimate does not speak of them.
    """

    value: float
    low: float
    high: float
    n: int
    per_stratum: dict[str, tuple[int, int, int]]
    missing: tuple[str, ...]


def error_among_accepted(
    items: Items, states: Mapping[str, ImageState], level: float = 0.95, tolerance: float = 0.0
) -> ErrorEstimate:
    """Stratified estimate of the error among accepted images.

    The share of errors among the judged control images of each stratum (`Items.strata`) weighs as its share of the
    accepted images. The interval is Wilson's at the effective number of images 1 / sum(weight^2 / n), which holds where
    the strata err alike and is close elsewhere. Only decisions made without the model's opinion count, and
    adjudications. "None of these" is an error of the model; doubtful images are left out.

    Parameters
    ----------
    items : Items
    states : mapping of ImageState
        By image.
    level : float
    tolerance : float
        Numbers of several persons up to this far apart agree.
    """
    strata = items.strata
    judged: dict[str, list[bool]] = {}
    for place, verdict in judged_control(items, states, tolerance):
        judged.setdefault(strata[place], []).append(items.contradicts(place, verdict))
    sizes = Counter[str](strata[items.accepted].tolist())
    per_stratum = {
        c: (len(judged.get(c, ())), sum(judged.get(c, ())), sizes[c]) for c in items.stratum_names if sizes[c]
    }
    told = {c: row for c, row in per_stratum.items() if row[0]}
    missing = tuple(c for c in per_stratum if c not in told)
    n = sum(row[0] for row in told.values())
    if not told:
        return ErrorEstimate(np.nan, np.nan, np.nan, 0, per_stratum, missing)
    weight = np.array([row[2] for row in told.values()], dtype=np.float64)
    weight /= weight.sum()
    count, errors = (np.array([row[i] for row in told.values()], dtype=np.float64) for i in (0, 1))
    value = float((weight * errors / count).sum())
    effective = np.array(1.0 / (weight**2 / count).sum())
    low, high = score_interval(np.array(value), effective, z_critical(level))
    return ErrorEstimate(value, float(low), float(high), n, per_stratum, missing)


def judged_control(items: Items, states: Mapping[str, ImageState], tolerance: float = 0.0) -> list[tuple[int, str]]:
    """Position and verdict of each image of the control sample that was judged by itself and is not doubtful."""
    found = (
        (place, _verdict(states.get(items.sha256[place]), tolerance))
        for place in np.flatnonzero(items.kind == CONTROL).tolist()
    )
    return [(place, verdict) for place, verdict in found if verdict is not None and verdict != DOUBTFUL]


def _verdict(state: ImageState | None, tolerance: float) -> str | None:
    """What an image is, by an adjudication or by blind decisions that agree."""
    if state is None:
        return None
    if state.verdicts:
        return state.verdicts[-1].new_value
    said = [event for event in state.decisions() if event.blind]
    return said_together(said, tolerance) if said else None


def share_of(count: int, total: int) -> dict[str, float] | None:
    """A share with Wilson's interval; None without trials."""
    if total == 0:
        return None
    low, high = wilson(np.array(float(count)), np.array(float(total)))
    return {"value": count / total, "low": float(low), "high": float(high)}


def describe_control(items: Items, states: Mapping[str, ImageState], tolerance: float = 0.0) -> dict[str, Any]:
    """What the control sample says, for the page "overview"."""
    found = error_among_accepted(items, states, tolerance=tolerance)
    drawn, accepted = items.kind == CONTROL, items.accepted
    return {
        "n_drawn": int(drawn.sum()),
        "n_decided": found.n,
        "error": None if found.n == 0 else {"value": found.value, "low": found.low, "high": found.high},
        "expected": items.promised_error,
        "words": _words(int(drawn.sum()), int(accepted.sum()), found),
        "per_stratum": [
            {"name": c, "n": n, "errors": e, "accepted": size, **(share_of(e, n) or _UNKNOWN)}
            for c, (n, e, size) in found.per_stratum.items()
        ],
    }  # fmt: skip


def _words(drawn: int, accepted: int, found: ErrorEstimate) -> str:
    if drawn == 0:
        return "no control sample was drawn: the error among accepted images is not measured"
    if found.n == 0:
        return f"none of the {drawn:,} control images has been judged yet"
    words = f"measured on {found.n:,} control images drawn at random from {accepted:,} accepted ones and judged blind"
    if found.missing:
        words += f"; nothing yet on {', '.join(found.missing)}"
    return words
