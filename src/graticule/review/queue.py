"""Who looks at which image next: filters, and claims, so that two persons get the same image only to read it twice."""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from graticule.arrays import BoolArray
from graticule.errors import OptionError
from graticule.review.items import CONTROL, KINDS, NOVELTY, SUSPECT, UNSURE, Items
from graticule.review.ledger import Ledger

CLAIM_SECONDS = 600.0
IN_NEED = (SUSPECT, NOVELTY, UNSURE, CONTROL)
SELECTIONS = ("needed", "all", *KINDS)


@dataclass(frozen=True)
class Filters:
    """Which images are wanted.

    Attributes
    ----------
    kind : str
        "needed" (all that the model would not decide, and the control sample), "all", or one kind.
    label : str
        The suggested class, "" for any. Images that are shown blind pass only where `blind_too`.
    group : str
        "" for any.
    low, high : float or None
        Score of the suggested class, or number, inclusive; None: any.
    """

    kind: str = "needed"
    label: str = ""
    group: str = ""
    low: float | None = None
    high: float | None = None

    def passing(self, items: Items) -> BoolArray:
        """Images that pass, shape (n,); an OptionError when a filter cannot hold for any image."""
        if self.kind not in SELECTIONS:
            raise OptionError(f"kind {self.kind!r}: allowed are {', '.join(SELECTIONS)}")
        found = items.passing(self.label, self.low, self.high)
        if self.kind == "needed":
            found = found & np.isin(items.kind, IN_NEED)
        elif self.kind != "all":
            found = found & (items.kind == self.kind)
        return np.asarray(found & (items.group == self.group) if self.group else found)


class Queue:
    """Hands out images that still need a decision, in the order of `items`. Safe for several threads.

    Parameters
    ----------
    items : Items
        In the order in which they are to be looked at.
    ledger : Ledger
        Of the same images.
    readings : int
        Persons who are to decide on each image, independently.
    clock : function
        Seconds, for the claims.
    """

    def __init__(
        self, items: Items, ledger: Ledger, readings: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.items = items
        self.ledger = ledger
        self.readings = readings
        self._clock = clock
        self._lock = threading.Lock()
        self._claims: dict[int, dict[str, float]] = {}
        self._masks: dict[Filters, BoolArray] = {}

    def wanted(self, filters: Filters) -> BoolArray:
        """Images that pass, decided or not, shape (n,); an OptionError when a filter cannot hold for any image."""
        found = self._masks.get(filters)
        if found is None:
            found = filters.passing(self.items)
            if len(self._masks) > 100:
                self._masks.clear()
            self._masks[filters] = found
        return found

    def open_for(self, who: str, filters: Filters) -> BoolArray:
        """Images that pass and on which this person's decision is wanted, claimed or not, shape (n,)."""
        ledger = self.ledger
        return self.wanted(filters) & (ledger.readers < self.readings) & ~ledger.settled & ~ledger.of(who)

    def take(self, who: str, filters: Filters, n: int = 1, skip: Collection[int] = ()) -> list[int]:
        """Claim the next images for a person, for `CLAIM_SECONDS`.

        Parameters
        ----------
        who : str
        filters : Filters
        n : int
            Images wanted.
        skip : collection of int
            Positions that the person holds already: their claims are renewed, and they are not returned again.

        Returns
        -------
        list of int
            Positions in `items`, fewer than n where there are no more.
        """
        candidates = np.flatnonzero(self.open_for(who, filters))
        taken: list[int] = []
        with self._lock:
            now = self._clock()
            for place in skip:
                self._claims.setdefault(place, {})[who] = now + CLAIM_SECONDS
            for place in map(int, candidates):  # one at a time: few are looked at of perhaps many
                if len(taken) == n:
                    break
                if place not in skip and self._free(place, who, now):
                    self._claims.setdefault(place, {})[who] = now + CLAIM_SECONDS
                    taken.append(place)
        return taken

    def _free(self, place: int, who: str, now: float) -> bool:
        """Whether a reading is left that no other person holds.

        The ledger is asked again: another person may have decided and given up the claim since the candidates were
        listed. A decision enters the ledger before its claim ends, so that one of the two always tells.
        """
        claims = self._claims.get(place, {})
        for other in [name for name, until in claims.items() if until < now]:
            del claims[other]
        others = sum(name != who and not self.ledger.of(name)[place] for name in claims)
        return bool(others + self.ledger.readers[place] < self.readings) and not self.ledger.settled[place]

    def release(self, who: str, place: int | None = None) -> None:
        """Give up the claim on one image, or all claims of a person."""
        with self._lock:
            for position in list(self._claims) if place is None else [place]:
                claims = self._claims.get(position, {})
                claims.pop(who, None)
                if not claims:
                    self._claims.pop(position, None)

    def counts(self, who: str, filters: Filters) -> tuple[int, int, int]:
        """(images that pass, those of them this person need not look at any more, those left for this person)."""
        wanted, left = self.wanted(filters), self.open_for(who, filters)
        return int(wanted.sum()), int((wanted & ~left).sum()), int(left.sum())
