"""Agreement between persons on numbers: mean difference and limits of agreement, with intervals, from blind readings.

Bland and Altman (1986): of two persons' differences the mean says whether one reads more than the other, and 95 % of
the differences lie between the limits of agreement, mean - 1.96 s and mean + 1.96 s. Where relative errors count,
logarithms are compared and the figures are ratios (Bland and Altman 1999). Intervals are exact for normal differences
of independent images: Student's t for the mean, noncentral t for the limits (Carkeet 2015).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import nct, norm, t

from graticule.arrays import FloatArray
from graticule.record.events import Event
from graticule.record.numbers import number_said
from graticule.review.agreement import MAX_PEOPLE_IN_PAIRS, blind_values
from graticule.review.number_items import NumberItems

FEWEST_PAIRS = 3


@dataclass(frozen=True)
class Agreement:
    """How n differences between two readings lie.

    Attributes
    ----------
    n : int
    mean, lower, upper : tuples of three float
        Mean difference, and lower and upper limit of agreement, each with the ends of its interval; the limits are NaN
        below `FEWEST_PAIRS`, and so are the ends.
    """

    n: int
    mean: tuple[float, float, float]
    lower: tuple[float, float, float]
    upper: tuple[float, float, float]


def limits_of_agreement(difference: FloatArray, *, share: float = 0.95, level: float = 0.95) -> Agreement:
    """Mean difference and limits between which a share of all differences lie.

    Parameters
    ----------
    difference : float array, shape (n,)
    share : float
        Of differences, between the limits.
    level : float
        Of the intervals.
    """
    n = len(difference)
    unknown = (np.nan, np.nan, np.nan)
    if n < FEWEST_PAIRS:
        mean = float(difference.mean()) if n else np.nan
        return Agreement(n, (mean, np.nan, np.nan), unknown, unknown)
    mean, spread = float(difference.mean()), float(difference.std(ddof=1))
    z, tail = float(norm.ppf(0.5 + share / 2.0)), (1.0 - level) / 2.0
    reach = float(t.ppf(1.0 - tail, n - 1)) * spread / np.sqrt(n)
    near, far = (float(nct.ppf(p, n - 1, z * np.sqrt(n))) * spread / np.sqrt(n) for p in (tail, 1.0 - tail))
    return Agreement(
        n,
        (mean, mean - reach, mean + reach),
        (mean - z * spread, mean - far, mean - near),
        (mean + z * spread, mean + near, mean + far),
    )


def differences_between(
    items: NumberItems, events: Iterable[Event], place: Callable[[str], int | None]
) -> dict[str, Any]:
    """Each two persons' agreement, and that of persons and model, for the page "overview".

    Parameters
    ----------
    items : NumberItems
    events : iterable of Event
        By ascending number.
    place : function
        From an image to its position, None outside this review.

    Returns
    -------
    dict
        "ratio" (whether figures are ratios), "pairs" (each with "a" and "b": a's number less b's), and "model"
        (persons' numbers less the predicted ones) or None.
    """
    said: dict[str, dict[str, float]] = {}
    for (image, who), value in blind_values(events).items():
        number = number_said(value)
        if number is not None and number.quantity == items.quantity:
            said.setdefault(who, {})[image] = number.value
    known = [number for own in said.values() for number in own.values()]
    ratio = items.logarithmic and all(number > 0 for number in known)
    people = sorted(said)[:MAX_PEOPLE_IN_PAIRS]
    pairs = []
    for a, b in combinations(people, 2):
        both = [image for image in said[a] if image in said[b]]
        if both:
            pairs.append({"a": a, "b": b, **_described([(said[a][i], said[b][i]) for i in both], ratio=ratio)})
    return {"ratio": ratio, "pairs": pairs, "model": _with_model(items, said, place, ratio=ratio)}


def _with_model(
    items: NumberItems, said: dict[str, dict[str, float]], place: Callable[[str], int | None], *, ratio: bool
) -> dict[str, Any] | None:
    """Persons' mean number of each image beside the predicted one, over images of this review."""
    by_image: dict[str, list[float]] = {}
    for own in said.values():
        for image, number in own.items():
            by_image.setdefault(image, []).append(number)
    found = []
    for image, numbers in by_image.items():
        position = place(image)
        predicted = np.nan if position is None else float(items.value[position])
        if np.isfinite(predicted) and (predicted > 0 or not ratio):
            found.append((float(np.mean(numbers)), predicted))
    return _described(found, ratio=ratio) if found else None


def _described(read: list[tuple[float, float]], *, ratio: bool) -> dict[str, Any]:
    pairs = np.array(read, dtype=np.float64)
    if ratio:
        pairs = np.log(pairs)
    found = limits_of_agreement(pairs[:, 0] - pairs[:, 1])

    def plain(figures: tuple[float, float, float]) -> dict[str, float | None]:
        shown = [None if np.isnan(x) else float(np.exp(x)) if ratio else float(x) for x in figures]
        return dict(zip(("value", "low", "high"), shown, strict=True))

    return {"n": found.n, "mean": plain(found.mean), "lower": plain(found.lower), "upper": plain(found.upper)}
