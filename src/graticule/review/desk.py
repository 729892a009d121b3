"""What one person may do in a review: take images, decide, sign; without its web page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graticule.errors import LabelStoreError, OptionError
from graticule.record.events import Event, EventDraft
from graticule.record.signature import Signature, sign
from graticule.review.items import CONTROL
from graticule.review.queue import Filters
from graticule.review.sight import Sight

MAX_BULK = 500
SCOPES = ("mine", "all", "control")
ACTIONS = ("label", "change", "doubtful", "novel", "undo", "delete", "note", "adjudicate")


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
        The class, or the number as it was typed, for label, change and adjudicate.
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


class Desk(Sight):
    """A review as one sees it, and what a person does in it. Safe for several threads."""

    def take(self, who: str, filters: Filters, n: int = 1, skip: Collection[int] = ()) -> list[int]:
        """Claim the next images, see `Queue.take`."""
        return self.queue.take(who, filters, n, skip)

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
        value = decision.value
        if value is not None:
            value = self.items.settled(value) if decision.action == "adjudicate" else self.items.said(value)
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
            new_value=value,
            reason=decision.reason,
            model_hash=self.settings.model_hash,
            run_hash=self.settings.run_hash,
            seconds=decision.seconds,
            blind=self.is_blind(place)
            and not (decision.saw_opinion or bulk or settles or self._knows_of_others(place, who)),
            bulk=bulk,
            slot=self.slot(place, who) if self.settings.double and not settles else None,
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
        if not self.items.BULK:
            raise LabelStoreError("numbers are not given in bulk: each image is read by itself")
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
