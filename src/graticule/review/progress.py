"""How a review stands: what is done and left, at what pace, who agrees with whom, and the error among accepted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from graticule.arrays import IntArray
from graticule.decide.decisions import ACCEPT
from graticule.record.current import ImageState, agreed
from graticule.record.events import DECIDING, DOUBTFUL, NOVEL, Event
from graticule.review.agreement import MISSING, Kappa, Ratings, blind_ratings, cohen_kappa, fleiss_kappa
from graticule.review.desk import Desk
from graticule.review.items import CONTROL, KINDS, Items
from graticule.statistics.intervals import score_interval, wilson, z_critical

# a longer pause between two decisions is no work
PAUSE_SECONDS = 300.0
_MAX_PEOPLE_IN_PAIRS = 8
_UNKNOWN = {"value": None, "low": None, "high": None}


@dataclass(frozen=True)
class PersonWork:
    """The decisions of one person that stand or stood.

    Attributes
    ----------
    labels : int
        Decisions made, undone ones too: they took their time.
    hours : float
        Time between decisions, without pauses above `PAUSE_SECONDS`.
    median_seconds : float or None
        Of the times that the page took.
    """

    labels: int
    hours: float
    median_seconds: float | None


def work_of(events: Iterable[Event]) -> dict[str, PersonWork]:
    """What each person did, by name, from events by ascending number; labels given in bulk or imported are left out."""
    times: dict[str, list[float]] = {}
    taken: dict[str, list[float]] = {}
    for event in events:
        if event.action in DECIDING and event.action != "import" and not event.bulk:
            times.setdefault(event.who, []).append(_seconds(event.time))
            if event.seconds is not None:
                taken.setdefault(event.who, []).append(event.seconds)
    found = {}
    for who, own in times.items():
        gaps = [gap for a, b in pairwise(own) if 0.0 <= (gap := b - a) <= PAUSE_SECONDS]
        median = float(np.median(taken[who])) if who in taken else None
        # the first decision of each sitting took time too: about as long as the others
        sittings = len(own) - len(gaps)
        usual = min(median, PAUSE_SECONDS) if median is not None else (float(np.median(gaps)) if gaps else 0.0)
        found[who] = PersonWork(len(own), (sum(gaps) + sittings * usual) / 3600.0, median)
    return found


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


@dataclass(frozen=True)
class ErrorEstimate:
    """The share of wrong answers among images that the model would accept, measured on the control sample.

    Attributes
    ----------
    value, low, high : float
        NaN where nothing tells yet.
    n : int
        Control images with a verdict.
    per_class : dict
        (images judged, errors among them, accepted images) of each predicted class.
    missing : tuple of str
        Predicted classes with accepted images and without a judged one: the estimate does not speak of them.
    """

    value: float
    low: float
    high: float
    n: int
    per_class: dict[str, tuple[int, int, int]]
    missing: tuple[str, ...]


def error_among_accepted(items: Items, states: Mapping[str, ImageState], level: float = 0.95) -> ErrorEstimate:
    """Stratified estimate of the error among accepted images.

    Each predicted class is a stratum; the share of errors among its judged control images weighs as its share of the
    accepted images. The interval is Wilson's at the effective number of images 1 / sum(weight^2 / n), which holds where
    the classes err alike and is close elsewhere. Only decisions made without the model's opinion count, and
    adjudications. "None of these" is an error of the model; doubtful images are left out.

    Parameters
    ----------
    items : Items
    states : mapping of ImageState
        By image.
    level : float
    """
    accepted = (items.decision == ACCEPT) & np.isnan(items.suspicion)
    judged: dict[str, list[bool]] = {}
    for place in np.flatnonzero(items.kind == CONTROL).tolist():
        verdict = _verdict(states.get(items.sha256[place]))
        if verdict is not None and verdict != DOUBTFUL:
            judged.setdefault(items.suggested[place], []).append(verdict != items.suggested[place])
    sizes = Counter(items.suggested[accepted].tolist())
    per_class = {c: (len(judged.get(c, ())), sum(judged.get(c, ())), sizes[c]) for c in items.classes if sizes[c]}
    told = {c: row for c, row in per_class.items() if row[0]}
    missing = tuple(c for c in per_class if c not in told)
    n = sum(row[0] for row in told.values())
    if not told:
        return ErrorEstimate(np.nan, np.nan, np.nan, 0, per_class, missing)
    weight = np.array([row[2] for row in told.values()], dtype=np.float64)
    weight /= weight.sum()
    count, errors = (np.array([row[i] for row in told.values()], dtype=np.float64) for i in (0, 1))
    value = float((weight * errors / count).sum())
    effective = np.array(1.0 / (weight**2 / count).sum())
    low, high = score_interval(np.array(value), effective, z_critical(level))
    return ErrorEstimate(value, float(low), float(high), n, per_class, missing)


def _verdict(state: ImageState | None) -> str | None:
    """What an image is, by an adjudication or by blind decisions that agree."""
    if state is None:
        return None
    if state.verdicts:
        return state.verdicts[-1].new_value
    said = {event.new_value for event in state.decisions() if event.blind}
    return said.pop() if len(said) == 1 else None


def overview(desk: Desk) -> dict[str, Any]:
    """Everything that the page "overview" shows, as plain values; shares have a 95 % interval."""
    desk.ledger.refresh()
    items, ledger = desk.items, desk.ledger
    events = list(desk.store.events())
    states = {sha: ledger.state(sha) for sha in items.sha256[ledger.decided].tolist()}
    values = {sha: agreed(sha, state, tolerance=desk.settings.tolerance).value for sha, state in states.items()}
    decided, kind = ledger.decided, items.kind
    work = work_of(events)
    labelled = Counter(value for value in values.values() if value is not None)
    suggested = Counter(items.suggested.tolist())
    left = int((np.isin(kind, [k for k in KINDS if k != "other"]) & ~_done(desk)).sum())
    return {
        "n_items": len(items),
        "n_decided": int(decided.sum()),
        "n_left": left,
        "minutes_left": _minutes_left(left * desk.queue.readings - _half_read(desk), work),
        "by_kind": [
            {"kind": name, "total": int((kind == name).sum()), "decided": int(((kind == name) & decided).sum())}
            for name in KINDS
        ],
        "by_class": [{"name": c, "suggested": suggested[c], "labelled": labelled[c]} for c in items.classes],
        "people": _people(items, states, work),
        "agreement": _agreement(items, events, ledger.place),
        "control": _control(desk, states),
        "n_doubtful": labelled[DOUBTFUL],
        "n_novel": labelled[NOVEL],
        "n_disagreements": int(ledger.open_disagreements.sum()),
        "n_bulk": sum(any(e.bulk for e in state.decisions()) for state in states.values()),
    }


def _done(desk: Desk) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return (desk.ledger.readers >= desk.queue.readings) | desk.ledger.settled


def _half_read(desk: Desk) -> int:
    """Readings already made of images that need more of them."""
    return int((desk.ledger.readers * ~_done(desk)).sum())


def _minutes_left(readings: int, work: Mapping[str, PersonWork]) -> float | None:
    """At the pace of all persons so far, one after the other; None before there is a pace."""
    labels, hours = sum(w.labels for w in work.values()), sum(w.hours for w in work.values())
    return None if labels < 5 or hours <= 0.0 else 60.0 * readings * hours / labels


def _people(items: Items, states: Mapping[str, ImageState], work: Mapping[str, PersonWork]) -> list[dict[str, Any]]:
    """One row per person: pace, and how often the model's suggestion was seen and not followed."""
    suggestion = dict(zip(items.sha256.tolist(), items.suggested.tolist(), strict=True))
    seen, overridden, blind = Counter[str](), Counter[str](), Counter[str]()
    for sha, state in states.items():
        for event in state.decisions():
            blind[event.who] += event.blind
            if not event.blind and not event.bulk and event.action != "import":
                seen[event.who] += 1
                overridden[event.who] += event.new_value != suggestion[sha]
    return [
        {
            "who": who,
            "labels": own.labels,
            "hours": own.hours,
            "per_hour": own.labels / own.hours if own.hours > 0.0 else None,
            "median_seconds": own.median_seconds,
            "override_rate": share_of(overridden[who], seen[who]),
            "overrides": overridden[who],
            "blind": blind[who],
        }
        for who, own in sorted(work.items())
    ]


def share_of(count: int, total: int) -> dict[str, float] | None:
    """A share with Wilson's interval; None without trials."""
    if total == 0:
        return None
    low, high = wilson(np.array(float(count)), np.array(float(total)))
    return {"value": count / total, "low": float(low), "high": float(high)}


def _agreement(items: Items, events: Iterable[Event], place: Any) -> dict[str, Any]:
    """Between persons, and between persons and model, from blind decisions."""
    ratings = blind_ratings(events)
    names = ratings.people
    pairs = [
        {"a": names[i], "b": names[j], **_kappa(found)}
        for i, j in combinations(range(min(len(names), _MAX_PEOPLE_IN_PAIRS)), 2)
        if (found := cohen_kappa(ratings.said[:, i], ratings.said[:, j])).n
    ]
    fleiss = fleiss_kappa(ratings.counts()) if len(ratings.images) else None
    return {
        "cohen": pairs,
        "fleiss": _kappa(fleiss) if fleiss is not None and fleiss.n else None,
        "model": _with_model(items, ratings, place),
    }


def _with_model(items: Items, ratings: Ratings, place: Any) -> dict[str, Any] | None:
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


def _control(desk: Desk, states: Mapping[str, ImageState]) -> dict[str, Any]:
    items = desk.items
    found = error_among_accepted(items, states)
    drawn = items.kind == CONTROL
    accepted = (items.decision == ACCEPT) & np.isnan(items.suspicion)
    expected = float((1.0 - items.score[accepted]).mean()) if accepted.any() else None
    return {
        "n_drawn": int(drawn.sum()),
        "n_decided": found.n,
        "error": None if found.n == 0 else {"value": found.value, "low": found.low, "high": found.high},
        "expected": expected,
        "words": _control_words(int(drawn.sum()), int(accepted.sum()), found),
        "per_class": [
            {"name": c, "n": n, "errors": e, "accepted": size, **(share_of(e, n) or _UNKNOWN)}
            for c, (n, e, size) in found.per_class.items()
        ],
    }  # fmt: skip


def _control_words(drawn: int, accepted: int, found: ErrorEstimate) -> str:
    if drawn == 0:
        return "no control sample was drawn: the error among accepted images is not measured"
    if found.n == 0:
        return f"none of the {drawn:,} control images has been judged yet"
    words = f"measured on {found.n:,} control images drawn at random from {accepted:,} accepted ones and judged blind"
    if found.missing:
        words += f"; nothing yet on {', '.join(found.missing)}"
    return words
