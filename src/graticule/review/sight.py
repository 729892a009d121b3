"""What one person sees of an image and of a review, and what is withheld."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graticule.arrays import BoolArray, IntArray
from graticule.errors import OptionError
from graticule.record.events import Event
from graticule.record.numbers import in_words
from graticule.record.store import LabelStore
from graticule.review.items import CONTROL, Items
from graticule.review.ledger import Ledger
from graticule.review.queue import Filters, Queue


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
    tolerance : float
        Numbers of several persons up to this far apart agree.
    """

    blind: bool = False
    double: bool = False
    source: str = ""
    model_hash: str | None = None
    run_hash: str | None = None
    tolerance: float = 0.0


@dataclass
class Sight:
    """What persons see of a review: images in order, the label store, and who has what. Safe for several threads.

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
        self.ledger = Ledger(self.store, self.items.sha256.tolist(), self.settings.tolerance)
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
        return {
            "id": items.sha256[place],
            # a file's name may tell its class
            "name": f"image {items.sha256[place][:8]}" if blind else items.path[place],
            "kind": self._kind[place],
            "blind": blind,
            "group": items.group[place] or None,
            **items.opinion(place, blind=blind),
            "mine": None if mine is None else _short(mine),
            "history": [] if independent or (blind and mine is None) else self.history(place),
            "slot": self.slot(place, who),
        }

    def history(self, place: int) -> list[dict[str, Any]]:
        """Every event on an image, oldest first."""
        return [
            _short(event) | {"time": event.time, "who": event.who, "bulk": event.bulk}
            for event in self.store.events_of(self.items.sha256[place])
        ]

    def slot(self, place: int, who: str) -> int:
        """Which reading this person's would be, from 1."""
        state = self.ledger.state(self.items.sha256[place])
        return 1 + sum(event.who != who for event in state.decisions())

    def grid(self, filters: Filters, who: str) -> IntArray:
        """Positions of one suggestion's images that are not judged blind and still open, by falling score."""
        if self.settings.blind or not self.items.BULK:
            return np.zeros(0, dtype=np.int64)
        wanted = self.queue.open_for(who, filters) & self._shown_with_others
        return np.asarray(self._by_score[wanted[self._by_score]], dtype=np.int64)

    def disagreements(self) -> IntArray:
        """Positions of images on which persons differ and nobody has adjudicated."""
        return np.flatnonzero(self.ledger.open_disagreements)


def _short(event: Event) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "value": in_words(event.new_value) or None,
        "action": event.action,
        "reason": event.reason,
    }
