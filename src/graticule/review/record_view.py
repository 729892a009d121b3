"""The record as one person may read it: what others said of an image that this person has still to judge is withheld.

Number, time, person, hash of the image and hash of the event stay in sight, so that the record can be followed and
compared without a gap.
"""

from dataclasses import dataclass

from graticule.record.events import Event
from graticule.review.desk import Desk

PAGE = 100
_BATCH = 500
_DIGITS = 8  # of a hash in a filter, from which it names an image and no part of a path


@dataclass(frozen=True)
class EventFilter:
    """Which events are wanted; "" for any.

    Attributes
    ----------
    who, action : str
    image : str
        First digits of the image's hash, or a part of its path.
    before : int or None
        Only events with a lower number.
    """

    who: str = ""
    action: str = ""
    image: str = ""
    before: int | None = None


@dataclass(frozen=True)
class Line:
    """One event, and whether what it says of its image is withheld."""

    event: Event
    withheld: bool


@dataclass(frozen=True)
class Lines:
    """A page of the record, the newest event first.

    Attributes
    ----------
    lines : tuple of Line
    total : int or None
        Events that pass the filters. None where the number would tell something that is withheld.
    before : int or None
        Where the next page begins.
    """

    lines: tuple[Line, ...]
    total: int | None
    before: int | None


def read_record(desk: Desk, reader: str, asked: EventFilter, limit: int = PAGE) -> Lines:
    """Events that pass the filters, as far as one person may see them.

    A filter by action or path leaves withheld events out: that one of them passes would tell what it says.
    """
    desk.ledger.refresh()
    withheld = desk.withheld(reader)
    tells = bool(withheld.any()) and bool(asked.action or asked.image)
    lines: list[Line] = []
    before, total = asked.before, 0
    while True:
        rows, total = desk.store.search(
            who=asked.who, action=asked.action, image=asked.image, before=before, limit=_BATCH if tells else limit
        )
        for event in rows:
            place = desk.ledger.place(event.image_sha256 or "")
            hidden = place is not None and event.who != reader and bool(withheld[place])
            if not (hidden and tells and _betrays(asked, event)):
                lines.append(Line(event, hidden))
            if len(lines) == limit:
                return Lines(tuple(lines), None if tells else total, event.seq if event.seq > 1 else None)
        if len(rows) < _BATCH:
            return Lines(tuple(lines), None if tells else total, None)
        before = rows[-1].seq


def _betrays(asked: EventFilter, event: Event) -> bool:
    """Whether passing the filters tells more of a withheld event than its image's hash."""
    by_hash = len(asked.image) >= _DIGITS and (event.image_sha256 or "").startswith(asked.image)
    return bool(asked.action) or (bool(asked.image) and not by_hash)
