"""What has been decided on the images of a review, followed from the label store as events are added."""

import threading
from collections.abc import Iterable

import numpy as np

from graticule.arrays import BoolArray
from graticule.record.current import ImageState, said_together
from graticule.record.events import Event
from graticule.record.store import LabelStore


class Ledger:
    """The standing decisions on n images, as masks that a queue can search.

    Safe for several threads; other processes may write to the same store, `refresh` takes their events in.

    Parameters
    ----------
    store : LabelStore
    sha256 : iterable of n str
        The images, in the order of the queue. Events on other images are passed over.
    tolerance : float
        Numbers up to this far apart do not differ.
    """

    def __init__(self, store: LabelStore, sha256: Iterable[str], tolerance: float = 0.0) -> None:
        self._store, self._tolerance = store, tolerance
        self._place = {sha: i for i, sha in enumerate(sha256)}
        n = len(self._place)
        self._lock = threading.RLock()
        self._last = 0
        self._by: dict[str, BoolArray] = {}
        self._states: dict[str, ImageState] = {}
        self.readers = np.zeros(n, dtype=np.int64)
        self.settled = np.zeros(n, dtype=bool)
        self.differ = np.zeros(n, dtype=bool)
        self.touched = np.zeros(n, dtype=bool)
        self.refresh()

    def place(self, sha256: str) -> int | None:
        """Position of an image in the queue."""
        return self._place.get(sha256)

    def refresh(self) -> None:
        """Take in the events that were stored since."""
        with self._lock:
            for event in self._store.events(after=self._last):
                self._add(event)

    def add(self, event: Event) -> None:
        """Take in an event that was just stored; what others stored in between is read from the store."""
        with self._lock:
            if event.seq == self._last + 1:
                self._add(event)
            elif event.seq > self._last:
                self.refresh()

    def _add(self, event: Event) -> None:
        self._last = event.seq
        place = self._place.get(event.image_sha256 or "")
        if place is None or event.image_sha256 is None:
            return
        state = self._states.setdefault(event.image_sha256, ImageState())
        state.add(event)
        self.touched[place] = True
        standing = state.decisions()
        self.readers[place] = len(standing)
        self.settled[place] = bool(state.verdicts)
        self.differ[place] = len(standing) > 1 and said_together(standing, self._tolerance) is None
        for who in (event.who, *state.by_person):
            self.of(who)[place] = state.of(who) is not None

    def of(self, who: str) -> BoolArray:
        """Images on which a decision of this person stands, shape (n,)."""
        with self._lock:
            return self._by.setdefault(who, np.zeros(len(self._place), dtype=bool))

    def state(self, sha256: str) -> ImageState:
        """The decisions on one image that were not undone."""
        with self._lock:
            return self._states.get(sha256) or ImageState()

    @property
    def decided(self) -> BoolArray:
        """Images with a decision or an adjudication, shape (n,)."""
        return (self.readers > 0) | self.settled

    @property
    def open_disagreements(self) -> BoolArray:
        """Images on which persons differ and nobody has adjudicated, shape (n,)."""
        return self.differ & ~self.settled
