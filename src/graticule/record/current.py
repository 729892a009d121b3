"""What holds now: the decision of each person and the agreed label of each image, as pure functions over events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graticule.errors import LabelStoreError
from graticule.record.events import DECIDING, DOUBTFUL, NOVEL, Event, EventDraft
from graticule.record.numbers import in_words, mean_of, number_said

_STACKED = (*DECIDING, "delete")


@dataclass
class ImageState:
    """Decisions on one image that were not undone, oldest first.

    Attributes
    ----------
    by_person : dict of lists of Event
        "label", "change", "doubtful", "novel", "import" and "delete" of each person.
    verdicts : list of Event
        Adjudications, by whomever.
    """

    by_person: dict[str, list[Event]] = field(default_factory=dict)
    verdicts: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Take in the next event on this image."""
        if event.action in _STACKED:
            self.by_person.setdefault(event.who, []).append(event)
        elif event.action == "adjudicate":
            self.verdicts.append(event)
        elif event.action == "undo":
            self.verdicts = [e for e in self.verdicts if e.seq != event.refers_to]
            self.by_person[event.who] = [e for e in self.by_person.get(event.who, ()) if e.seq != event.refers_to]

    def of(self, who: str) -> Event | None:
        """The decision that this person stands by; None when there is none, or it was deleted."""
        stack = self.by_person.get(who)
        return stack[-1] if stack and stack[-1].action != "delete" else None

    def decisions(self) -> list[Event]:
        """The decision of each person who has one, by the order of their numbers."""
        standing = [event for who in self.by_person if (event := self.of(who)) is not None]
        return sorted(standing, key=lambda event: event.seq)

    def last_of(self, who: str) -> Event | None:
        """What an undo of this person would take back."""
        own = [*self.by_person.get(who, ())[-1:], *[e for e in self.verdicts if e.who == who][-1:]]
        return max(own, key=lambda event: event.seq, default=None)


@dataclass(frozen=True)
class Agreed:
    """What persons say together of one image.

    Attributes
    ----------
    image_sha256 : str
    value : str or None
        A class, a number, `DOUBTFUL` or `NOVEL`; None where persons disagree and nobody adjudicated, or too few have
        decided.
    by : str
        "one person", "agreement", "adjudication", "disagreement" or "too few".
    decisions : tuple of Event
        The decision of each person.
    verdict : Event or None
        The adjudication that decided.
    """

    image_sha256: str
    value: str | None
    by: str
    decisions: tuple[Event, ...]
    verdict: Event | None = None

    @property
    def bulk(self) -> bool:
        """Whether every decision behind the value was one of many accepted at once."""
        return self.verdict is None and all(event.bulk for event in self.decisions)


def image_states(events: Iterable[Event]) -> dict[str, ImageState]:
    """The decisions on each image, by its SHA-256, in the order of its first event. Events by ascending number."""
    states: dict[str, ImageState] = {}
    for event in events:
        if event.image_sha256 is not None:
            states.setdefault(event.image_sha256, ImageState()).add(event)
    return states


def said_together(decisions: Sequence[Event], tolerance: float = 0.0) -> str | None:
    """The value of decisions that are all the same, or the mean of numbers up to `tolerance` apart; else None."""
    values = {event.new_value for event in decisions}
    if len(values) == 1:
        return values.pop()
    numbers = [number_said(event.new_value) for event in decisions]
    known = [number for number in numbers if number is not None]
    return mean_of(known, tolerance) if known and len(known) == len(numbers) else None


def agreed(image: str, state: ImageState, *, min_people: int = 1, tolerance: float = 0.0) -> Agreed:
    """What persons say together of an image.

    An adjudication wins, whoever disagrees. Without one at least `min_people` must have decided, and all the same;
    of numbers up to `tolerance` apart, in their unit, the mean is taken. Doubtful and novel are decisions like classes:
    one person's class beside another's "doubtful" is a disagreement.
    """
    decisions = tuple(state.decisions())
    if state.verdicts:
        verdict = state.verdicts[-1]
        return Agreed(image, verdict.new_value, "adjudication", decisions, verdict)
    value = said_together(decisions, tolerance)
    if value is None and len(decisions) > 1:
        return Agreed(image, None, "disagreement", decisions)
    if len(decisions) < max(min_people, 1):
        return Agreed(image, None, "too few", decisions)
    return Agreed(image, value, "agreement" if len(decisions) > 1 else "one person", decisions)


@dataclass(frozen=True)
class Completed:
    """What the store adds to a draft from what holds now."""

    old_value: str | None
    new_value: str | None
    reason: str | None
    refers_to: int | None


def complete(draft: EventDraft, state: ImageState) -> Completed:
    """Old and new value of a draft about an image, and what it refers to.

    Raises
    ------
    LabelStoreError
        When there is nothing to change, delete or undo, or a decision would be replaced without a reason.
    """
    if draft.action == "undo":
        return _undo(draft, state)
    if draft.action == "note":
        return Completed(None, None, draft.reason, draft.refers_to)
    standing = state.verdicts[-1] if draft.action == "adjudicate" and state.verdicts else None
    if draft.action != "adjudicate":
        standing = state.of(draft.who)
    old = None if standing is None else standing.new_value
    new = {"doubtful": DOUBTFUL, "novel": NOVEL, "delete": None}.get(draft.action, draft.new_value)
    if standing is None and draft.action in ("change", "delete"):
        raise LabelStoreError(
            f"nothing to {draft.action}: {draft.who!r} has no label on {draft.path!r}; use the action label"
        )
    if standing is not None and draft.action == "label":
        raise LabelStoreError(
            f"{draft.who!r} has labelled {draft.path!r} already, as {in_words(old)!r}; use the action change, with a "
            "reason"
        )
    if standing is not None and not (draft.reason or "").strip():
        raise LabelStoreError(
            f"{in_words(old)!r} on {draft.path!r} would be replaced by {in_words(new)!r}: that needs a reason"
        )
    return Completed(old, new, draft.reason, draft.refers_to)


def _undo(draft: EventDraft, state: ImageState) -> Completed:
    last = state.last_of(draft.who)
    if last is None:
        raise LabelStoreError(f"nothing to undo: no decision of {draft.who!r} stands on {draft.path!r}")
    if draft.refers_to not in (None, last.seq):
        raise LabelStoreError(
            f"event {draft.refers_to} cannot be undone: the last decision of {draft.who!r} on {draft.path!r} is event "
            f"{last.seq}"
        )
    stack = state.verdicts if last.action == "adjudicate" else state.by_person[draft.who]
    before = [event.new_value for event in stack if event.seq < last.seq]
    reason = draft.reason or f"undo of event {last.seq}"
    return Completed(last.new_value, before[-1] if before else None, reason, last.seq)
