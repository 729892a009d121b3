"""How a review stands: what is done and left, at what pace, who agrees with whom, and the error among accepted."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from graticule.record.current import ImageState, agreed
from graticule.record.events import DECIDING, DOUBTFUL, NOVEL, Event
from graticule.review.agreement import kappas
from graticule.review.class_items import ClassItems
from graticule.review.control import describe_control, share_of
from graticule.review.desk import Desk
from graticule.review.items import KINDS, Items
from graticule.review.number_agreement import differences_between
from graticule.review.number_items import NumberItems

# a longer pause between two decisions is no work
PAUSE_SECONDS = 300.0


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
        "by_class": _by_class(items, labelled),
        "people": _people(desk, states, work),
        "agreement": _agreement(items, events, ledger.place),
        "control": describe_control(items, states, desk.settings.tolerance),
        "n_doubtful": labelled[DOUBTFUL],
        "n_novel": labelled[NOVEL],
        "n_disagreements": int(ledger.open_disagreements.sum()),
        "n_bulk": sum(any(e.bulk for e in state.decisions()) for state in states.values()),
    }


def _by_class(items: Items, labelled: Mapping[str, int]) -> list[dict[str, Any]]:
    """How often each class was suggested and given; nothing of numbers."""
    if not isinstance(items, ClassItems):
        return []
    suggested = Counter(items.suggested.tolist())
    return [{"name": c, "suggested": suggested[c], "labelled": labelled[c]} for c in items.classes]


def _agreement(items: Items, events: Iterable[Event], place: Callable[[str], int | None]) -> dict[str, Any]:
    """Between persons, and between persons and model, from blind decisions."""
    if isinstance(items, ClassItems):
        return kappas(items, events, place)
    assert isinstance(items, NumberItems)
    return differences_between(items, events, place)


def _done(desk: Desk) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return (desk.ledger.readers >= desk.queue.readings) | desk.ledger.settled


def _half_read(desk: Desk) -> int:
    """Readings already made of images that need more of them."""
    return int((desk.ledger.readers * ~_done(desk)).sum())


def _minutes_left(readings: int, work: Mapping[str, PersonWork]) -> float | None:
    """At the pace of all persons so far, one after the other; None before there is a pace."""
    labels, hours = sum(w.labels for w in work.values()), sum(w.hours for w in work.values())
    return None if labels < 5 or hours <= 0.0 else 60.0 * readings * hours / labels


def _people(desk: Desk, states: Mapping[str, ImageState], work: Mapping[str, PersonWork]) -> list[dict[str, Any]]:
    """One row per person: pace, and how often the model's suggestion was seen and not followed."""
    seen, overridden, blind = Counter[str](), Counter[str](), Counter[str]()
    for sha, state in states.items():
        for event in state.decisions():
            blind[event.who] += event.blind
            if not event.blind and not event.bulk and event.action != "import":
                seen[event.who] += 1
                overridden[event.who] += desk.items.contradicts(desk.place(sha), event.new_value)
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
