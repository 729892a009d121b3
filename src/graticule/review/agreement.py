"""Agreement between persons: Cohen's and Fleiss' kappa with intervals, from blind labels only.

A label given in bulk, or by someone who saw the model's or another person's opinion, says little of how well persons
agree by themselves. Such labels are left out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.record.current import image_states
from graticule.record.events import Event
from graticule.review.class_items import ClassItems
from graticule.statistics.intervals import bounded_interval, standard_error, z_critical
from graticule.statistics.ratios import divide
from graticule.statistics.resampling import draw_weights

N_BOOT = 2000
MISSING = -1
MAX_PEOPLE_IN_PAIRS = 8

# observed and expected agreement, each of shape (B,), under weights of shape (B, n)
_Parts = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class Ratings:
    """What each person said of each image, independently.

    Attributes
    ----------
    images, people, values : tuples of str
        SHA-256 of n images, R persons sorted by name, K different values (classes, doubtful, novel) sorted.
    said : int array, shape (n, R)
        Index into `values`; MISSING where a person did not judge the image blind.
    """

    images: tuple[str, ...]
    people: tuple[str, ...]
    values: tuple[str, ...]
    said: IntArray

    def counts(self) -> IntArray:
        """How many persons gave each value, shape (n, K)."""
        return np.stack([(self.said == k).sum(axis=1) for k in range(len(self.values))], axis=1).astype(np.int64)


@dataclass(frozen=True)
class Kappa:
    """Agreement beyond chance.

    Attributes
    ----------
    value : float
        At most 1; 0 is chance; NaN where it is not defined (nothing judged twice, or one value only).
    low, high : float
        Limits of the interval.
    n : int
        Images judged by two persons or more.
    observed : float
        Share of agreeing pairs of judgements.
    """

    value: float
    low: float
    high: float
    n: int
    observed: float


def blind_values(events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """The last blind judgement on each image of each person, by both; undone and bulk ones are left out.

    A later label that was not blind, such as a change after a discussion, does not take its place: images on which
    persons first disagreed would drop out, and the agreement would look better than it was.

    Parameters
    ----------
    events : iterable of Event
        By ascending number.
    """
    found: dict[tuple[str, str], str] = {}
    for image, state in image_states(events).items():
        for who, stack in state.by_person.items():
            own = [event.new_value for event in stack if event.blind and not event.bulk and event.action != "import"]
            if own and own[-1] is not None:
                found[image, who] = own[-1]
    return found


def blind_ratings(events: Iterable[Event]) -> Ratings:
    """`blind_values` as a table; events by ascending number."""
    found = blind_values(events)
    images = tuple(dict.fromkeys(image for image, _ in found))
    people = tuple(sorted({who for _, who in found}))
    values = tuple(sorted(set(found.values())))
    said = np.full((len(images), len(people)), MISSING, dtype=np.int64)
    row, column = ({name: i for i, name in enumerate(names)} for names in (images, people))
    for (image, who), value in found.items():
        said[row[image], column[who]] = values.index(value)
    return Ratings(images, people, values, said)


def cohen_kappa(a: IntArray, b: IntArray, *, level: float = 0.95, seed: int = 0) -> Kappa:
    """Cohen's kappa of two persons (Cohen, 1960).

    Parameters
    ----------
    a, b : int arrays, shape (n,)
        Value of each image, MISSING where there is none; only images that both judged count.
    level : float
    seed : int
        Of the bootstrap over images.
    """
    both = (a != MISSING) & (b != MISSING)
    size = int(max(a.max(initial=0), b.max(initial=0))) + 1
    indicator = np.eye(size)
    first, second = indicator[a[both]], indicator[b[both]]

    def parts(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        mass = weights.sum(axis=1)
        observed = divide(weights @ (first * second).sum(axis=1), mass)
        expected = divide(((weights @ first) * (weights @ second)).sum(axis=1), mass**2)
        return observed, expected

    return _with_interval(parts, int(both.sum()), level, seed)


def fleiss_kappa(counts: NDArray[np.integer], *, level: float = 0.95, seed: int = 0) -> Kappa:
    """Fleiss' kappa of any number of persons (Fleiss, 1971).

    Images may have been judged by different numbers of persons: each image's share of agreeing pairs is taken over its
    own number, and the shares of the values over all judgements. With equal numbers this is Fleiss' definition.

    Parameters
    ----------
    counts : int array, shape (n, K)
        How many persons gave each value; images with fewer than two judgements do not count.
    level : float
    seed : int
        Of the bootstrap over images.
    """
    given = counts[counts.sum(axis=1) >= 2].astype(np.float64)
    raters = given.sum(axis=1)
    pairs = divide((given * (given - 1.0)).sum(axis=1), raters * (raters - 1.0))

    def parts(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        observed = divide(weights @ pairs, weights.sum(axis=1))
        shares = divide(weights @ given, (weights @ raters)[:, None])
        return observed, (shares**2).sum(axis=1)

    return _with_interval(parts, len(given), level, seed)


def _with_interval(parts: _Parts, n: int, level: float, seed: int) -> Kappa:
    """Kappa from observed and expected agreement, with an interval.

    The interval is Wilson's for the observed agreement, at the number of images that the bootstrap's standard error of
    kappa stands for, carried over to kappa. Unlike percentiles it has a width when all persons agree.
    """
    if n == 0:
        return Kappa(np.nan, np.nan, np.nan, 0, np.nan)
    observed, expected = (float(part[0]) for part in parts(np.ones((1, n))))
    if expected >= 1.0:
        return Kappa(np.nan, np.nan, np.nan, n, observed)
    generator = np.random.default_rng(seed)
    strata = np.zeros(n, dtype=np.int64)
    chunks = [parts(weights) for weights in draw_weights(np.arange(n), strata, N_BOOT, generator)]
    replicates = np.concatenate([divide(o - e, 1.0 - e) for o, e in chunks])
    error = standard_error(replicates) * (1.0 - expected)
    low, high = bounded_interval(
        np.array(observed), np.nan_to_num(np.asarray(error)), np.array(float(n)), z_critical(level)
    )
    value, least, most = ((x - expected) / (1.0 - expected) for x in (observed, float(low), float(high)))
    return Kappa(value, least, most, n, observed)


def kappas(items: ClassItems, events: Iterable[Event], place: Callable[[str], int | None]) -> dict[str, Any]:
    """Between persons, and between persons and model, from blind decisions; `place` gives positions of images."""
    ratings = blind_ratings(events)
    names = ratings.people
    pairs = [
        {"a": names[i], "b": names[j], **_kappa(found)}
        for i, j in combinations(range(min(len(names), MAX_PEOPLE_IN_PAIRS)), 2)
        if (found := cohen_kappa(ratings.said[:, i], ratings.said[:, j])).n
    ]
    fleiss = fleiss_kappa(ratings.counts()) if len(ratings.images) else None
    return {
        "cohen": pairs,
        "fleiss": _kappa(fleiss) if fleiss is not None and fleiss.n else None,
        "model": _with_model(items, ratings, place),
    }


def _with_model(items: ClassItems, ratings: Ratings, place: Callable[[str], int | None]) -> dict[str, Any] | None:
    """Cohen's kappa between each image's first blind judgement and the model's class, over images of this review."""
    values = [*ratings.values, *(c for c in items.classes if c not in ratings.values)]
    known = [(row, position) for row, sha in enumerate(ratings.images) if (position := place(sha)) is not None]
    if not known:
        return None
    said: IntArray = ratings.said[[row for row, _ in known]]
    first = said[np.arange(len(said)), (said != MISSING).argmax(axis=1)]
    model = np.array([values.index(items.suggested[position]) for _, position in known], dtype=np.int64)
    return _kappa(cohen_kappa(first, model))


def _kappa(found: Kappa) -> dict[str, Any]:
    def plain(value: float) -> float | None:
        return None if np.isnan(value) else value

    return {
        "value": plain(found.value),
        "low": plain(found.low),
        "high": plain(found.high),
        "n": found.n,
        "observed": plain(found.observed),
    }
