"""What one person sees of an image and may do with it: the review without its web page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graticule.arrays import BoolArray, IntArray
from graticule.errors import LabelStoreError, OptionError
from graticule.record.events import DOUBTFUL, NOVEL, Event, EventDraft
from graticule.record.signature import Signature, sign
from graticule.record.store import LabelStore
from graticule.review.items import CONTROL, SUSPECT, Items
from graticule.review.ledger import Ledger
from graticule.review.queue import Filters, Queue

MAX_BULK = 500
SCOPES = ("mine", "all", "control")
ACTIONS = ("label", "change", "doubtful", "novel", "undo", "delete", "note", "adjudicate")


@dataclass(frozen=True)
class Settings:
    """How a review is held.

    Attributes
    ----------
    blind : bool
        Nobody sees the model's opinion.
    double : bool
        Two persons decide on each image, without seeing each other's decision.
    source : str
        What is reviewed, for people.
    model_hash, run_hash : str or None
        Hashes of the model and of the run or prediction, kept with each event.
    """

    blind: bool = False
    double: bool = False
    source: str = ""
    model_hash: str | None = None
    run_hash: str | None = None


@dataclass(frozen=True)
class Decision:
    """What a person says of an image, as it is handed in.

    Attributes
    ----------
    image : str
        SHA-256 of the file's bytes.
    action : str
        One of `ACTIONS`.
    value : str or None
        The class, for label, change and adjudicate.
    reason : str or None
        Needed for a change, a deletion and a note.
    seconds : float or None
        Time taken.
    client_id : str or None
        An id of the sender's: the same decision sent twice is stored once.
    saw_opinion : bool
        Whether the person saw the model's opinion although the image is to be judged blind.
    """

    image: str
    action: str
    value: str | None = None
    reason: str | None = None
    seconds: float | None = None
    client_id: str | None = None
    saw_opinion: bool = False


@dataclass
class Desk:
    """A review: images in order, the label store, and who has what. Safe for several threads.

    Attributes
    ----------
    items : Items
        In the order of the queue.
    store : LabelStore
    settings : Settings
    is_changed : function from position to bool, optional
        Whether the file is no longer the one that was scored; such an image cannot be decided on.
    """

    items: Items
    store: LabelStore
    settings: Settings = field(default_factory=Settings)
    is_changed: Callable[[int], bool] | None = None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.store, self.items.sha256.tolist())
        self.queue = Queue(self.items, self.ledger, 2 if self.settings.double else 1)
        # properties that go through all items, looked up once
        self._kind = self.items.kind
        self.score = self.items.score
        self.groups = sorted(set(self.items.group.tolist()) - {""})
        self._shown_with_others = np.asarray(self._kind != CONTROL, dtype=bool)
        self._by_score = np.argsort(-self.score, kind="stable")

    def place(self, image: str) -> int:
        """Position of an image.

        Raises
        ------
        OptionError
            When it is not part of this review.
        """
        place = self.ledger.place(image)
        if place is None:
            raise OptionError(f"there is no image {image!r} in this review")
        return place

    def is_blind(self, place: int) -> bool:
        """Whether the model's opinion on an image is withheld: always for the control sample."""
        return self.settings.blind or self._kind[place] == CONTROL

    def withheld(self, who: str) -> BoolArray:
        """Images that this person has still to judge without knowing what others said of them, shape (n,).

        In a double reading and where the model's opinion is withheld, until as many persons as are needed have
        decided, or the image is settled. Images on which nobody left an event are not counted.
        """
        ledger = self.ledger
        still_to_read = (ledger.readers < self.queue.readings) & ~ledger.settled & ~ledger.of(who) & ledger.touched
        if self.settings.double or self.settings.blind:
            return np.asarray(still_to_read)
        return np.asarray(still_to_read & ~self._shown_with_others)

    def take(self, who: str, filters: Filters, n: int = 1, skip: Collection[int] = ()) -> list[int]:
        """Claim the next images, see `Queue.take`."""
        return self.queue.take(who, filters, n, skip)

    def opinion(self, place: int, who: str) -> dict[str, Any]:
        """What a person may see of the model's opinion and of others' decisions on an image.

        Returns
        -------
        dict
            As the JSON object Item of the web page, without what only the file tells.
        """
        items, blind = self.items, self.is_blind(place)
        state = self.ledger.state(items.sha256[place])
        mine = state.of(who)
        independent = self.settings.double and mine is None and not state.verdicts
        inside = set(items.sets[place])
        return {
            "id": items.sha256[place],
            # a file's name may tell its class
            "name": f"image {items.sha256[place][:8]}" if blind else items.path[place],
            "kind": self._kind[place],
            "blind": blind,
            "why": None if blind else self._why(place),
            "group": items.group[place] or None,
            "given": None if blind else items.given[place] or None,
            "suggested": None if blind else items.suggested[place],
            "score": None if blind else float(self.score[place]),
            "classes": [
                {
                    "name": name,
                    "score": None if blind else float(items.proba[place, k]),
                    "in_set": None if blind or not inside else name in inside,
                }
                for k, name in enumerate(items.classes)
            ],
            "mine": None if mine is None else _short(mine),
            "history": [] if independent or (blind and mine is None) else self.history(place),
            "slot": self._slot(place, who),
        }

    def _why(self, place: int) -> str:
        items = self.items
        if self._kind[place] == SUSPECT:
            return f"labelled {items.given[place]}, looks like {items.suggested[place]}"
        return str(items.reason[place]) or f"probably {items.suggested[place]}"

    def history(self, place: int) -> list[dict[str, Any]]:
        """Every event on an image, oldest first."""
        return [
            _short(event) | {"time": event.time, "who": event.who, "bulk": event.bulk}
            for event in self.store.events_of(self.items.sha256[place])
        ]

    def _slot(self, place: int, who: str) -> int:
        """Which reading this person's would be, from 1."""
        state = self.ledger.state(self.items.sha256[place])
        return 1 + sum(event.who != who for event in state.decisions())

    def decide(self, who: str, decision: Decision) -> Event:
        """Store a decision; returns when it is committed and synced.

        Raises
        ------
        LabelStoreError
            When it is faulty, does not fit what holds, or cannot be stored.
        OptionError
            When the image is not part of this review.
        """
        place = self.place(decision.image)
        event = self.store.append(self._draft(who, place, decision))
        self.ledger.add(event)
        self.queue.release(who, place)
        return event

    def _draft(self, who: str, place: int, decision: Decision, *, bulk: bool = False) -> EventDraft:
        if decision.action not in ACTIONS:
            raise LabelStoreError(f"action {decision.action!r}: allowed are {', '.join(ACTIONS)}")
        settling = (DOUBTFUL, NOVEL) if decision.action == "adjudicate" else ()
        if decision.value is not None and decision.value not in (*self.items.classes, *settling):
            raise LabelStoreError(
                f"the class {decision.value!r} is not known; allowed are {', '.join(self.items.classes)}"
            )
        if self.is_changed is not None and decision.action != "undo" and self.is_changed(place):
            raise LabelStoreError(
                f"{self.items.path[place]} is no longer the file that was scored: predict again before you label it"
            )
        settles = decision.action in ("note", "undo", "delete", "adjudicate")
        draw = float(self.items.sampling_prob[place])
        draft = EventDraft(
            who,
            decision.action,
            image_sha256=self.items.sha256[place],
            path=self.items.path[place],
            new_value=decision.value,
            reason=decision.reason,
            model_hash=self.settings.model_hash,
            run_hash=self.settings.run_hash,
            seconds=decision.seconds,
            blind=self.is_blind(place)
            and not (decision.saw_opinion or bulk or settles or self._knows_of_others(place, who)),
            bulk=bulk,
            slot=self._slot(place, who) if self.settings.double and not settles else None,
            sampling_prob=None if np.isnan(draw) or bulk else draw,
            queue_reason=str(self._kind[place]),
        )
        return draft if decision.client_id is None else replace(draft, client_id=decision.client_id)

    def _knows_of_others(self, place: int, who: str) -> bool:
        """Whether this person could see what another one decided: from the image's history or from the record."""
        others = any(event.who != who for event in self.ledger.state(self.items.sha256[place]).decisions())
        return others and not bool(self.withheld(who)[place])

    def accept_all(self, who: str, value: str, images: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Give many images one label at once; such labels count neither for agreement nor for error estimates.

        Parameters
        ----------
        who, value : str
        images : sequence of (image, client id)
            Up to `MAX_BULK`.

        Returns
        -------
        list of (image, error)
            Those that could not be labelled; the others are stored.
        """
        if self.settings.blind:
            raise LabelStoreError("labels cannot be given in bulk where the model's opinion is withheld")
        if len(images) > MAX_BULK:
            raise LabelStoreError(f"{len(images):,} images at once: allowed are {MAX_BULK}")
        refused, drafts = [], []
        for image, client_id in images:
            try:
                place = self.place(image)
                if self.is_blind(place):
                    raise LabelStoreError("an image of the control sample is judged by itself")
                if self.ledger.of(who)[place] and not self.store.known(client_id):
                    raise LabelStoreError("you have decided on it already")
                decision = Decision(image, "label", value, client_id=client_id)
                drafts.append(self._draft(who, place, decision, bulk=True))
            except (LabelStoreError, OptionError) as error:
                refused.append((image, str(error)))
        for event in self.store.append_all(drafts) if drafts else []:
            self.ledger.add(event)
        return refused

    def grid(self, filters: Filters, who: str) -> IntArray:
        """Positions of one suggestion's images that are not judged blind and still open, by falling score."""
        if self.settings.blind:
            return np.zeros(0, dtype=np.int64)
        wanted = self.queue.open_for(who, filters) & self._shown_with_others
        return np.asarray(self._by_score[wanted[self._by_score]], dtype=np.int64)

    def disagreements(self) -> IntArray:
        """Positions of images on which persons differ and nobody has adjudicated."""
        return np.flatnonzero(self.ledger.open_disagreements)

    def sign(self, who: str, batch: str, meaning: str, scope: str) -> Signature:
        """Sign the decisions on a batch: those of this person, of all, or on the control sample.

        Raises
        ------
        LabelStoreError
            When nothing is decided yet, or the record is not sound.
        """
        if scope not in SCOPES:
            raise LabelStoreError(f"scope {scope!r}: allowed are {', '.join(SCOPES)}")
        self.ledger.refresh()
        mask = self.ledger.of(who) if scope == "mine" else self.ledger.decided
        if scope == "control":
            mask = mask & (self._kind == CONTROL)
        images = [str(sha) for sha in self.items.sha256[mask]]
        if not images:
            raise LabelStoreError(f"there is nothing to sign: no decision stands in the scope {scope!r}")
        return sign(self.store, who, meaning, batch=batch, images=images)


def _short(event: Event) -> dict[str, Any]:
    return {"seq": event.seq, "value": event.new_value, "action": event.action, "reason": event.reason}
