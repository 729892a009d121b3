"""The hash chain over label events: encoding, hashing, and the walk that finds the first bad event.

An event's hash is the SHA-256 over `MAGIC` and the fields of `Event` from `seq` to `prev_hash`, in that order, each
with a type letter: N (null), T (text: its length in bytes as 8 bytes, then UTF-8, no Unicode normalisation), I (whole
number: 8 bytes, two's complement), F (number: IEEE 754, 8 bytes). All are big-endian; flags are I 0 or 1. So no two
different events have one encoding, and the hash can be recomputed in any language.
"""

import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graticule.errors import OptionError
from graticule.record.events import COLUMNS, FLOATS, FORMAT, INTEGERS, REQUIRED

MAGIC = b"graticule.label-event.1\n"
START = "0" * 64
HASHED = COLUMNS[:-1]
_KINDS: dict[str, type[int] | type[float] | type[str]] = {
    name: int if name in INTEGERS else float if name in FLOATS else str for name in HASHED
}
_HEAD = re.compile(r"(?:([0-9]{1,18}):)?([0-9a-f]{64})")
# how far rows are searched for the number that an event once had
_SEARCH = 10_000

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class ChainEnd:
    """The end of a chain: number and hash of an event; number None where only the hash is known."""

    seq: int | None
    hash: str

    def __str__(self) -> str:
        return self.hash if self.seq is None else f"{self.seq}:{self.hash}"


@dataclass(frozen=True)
class Verification:
    """What a walk over the chain found.

    Attributes
    ----------
    n_events : int
        Events that are sound, from the first on.
    head : ChainEnd
        The last of them; number 0 and 64 zeros where there is none.
    first_bad : int or None
        Number of the first event that is not as it was written, where it can be told.
    problem : str or None
        What is wrong; None for a sound chain.
    given : ChainEnd or None
        The head to compare with.
    proven : int or None
        Number of the event with the given head's hash: up to it nothing was changed since that head was noted.
    """

    n_events: int
    head: ChainEnd
    first_bad: int | None = None
    problem: str | None = None
    given: ChainEnd | None = None
    proven: int | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with the chain, and it holds the given head."""
        return self.problem is None

    @property
    def tail(self) -> str | None:
        """In words, what is known of the end of a sound chain; None for another."""
        if not self.sound:
            return None
        if self.given is None:
            return "unproven: without a head that was noted elsewhere, a chain that was cut or made anew looks sound"
        newer = self.n_events - (self.proven or 0)
        return "proven by the head given" if not newer else f"{newer:,} events are newer than the head given: unproven"


class _BrokenRow(Exception):
    """A row cannot be an event that this program wrote."""


def event_bytes(row: Row) -> bytes:
    """The bytes that an event's hash is taken over.

    Raises
    ------
    ValueError
        When a field has the wrong type, or the text is not valid Unicode.
    """
    parts = [MAGIC]
    for name in HASHED:
        value: Any = row[name]
        kind = _KINDS[name]
        if value is None and name not in REQUIRED:
            parts.append(b"N")
        elif type(value) is not kind:
            raise ValueError(f"field {name} holds {type(value).__name__}, not {kind.__name__}")
        elif isinstance(value, str):
            raw = value.encode()
            parts += (b"T", len(raw).to_bytes(8, "big"), raw)
        elif isinstance(value, int):
            parts += (b"I", value.to_bytes(8, "big", signed=True))
        else:
            parts += (b"F", struct.pack(">d", value))
    return b"".join(parts)


def event_hash(row: Row) -> str:
    """SHA-256 over `event_bytes`, hexadecimal."""
    return hashlib.sha256(event_bytes(row)).hexdigest()


def parse_head(text: str) -> ChainEnd:
    """A head from "HASH" or "NUMBER:HASH"; an OptionError for any other text."""
    match = _HEAD.fullmatch(text.strip().lower())
    if match is None:
        raise OptionError(
            f"--head {text!r}: allowed are 64 hexadecimal digits, NUMBER:HASH, or the *-head.json that "
            "`labels export` wrote"
        )
    return ChainEnd(int(match[1]) if match[1] else None, match[2])


def verify_chain(rows: Iterable[Row], given: ChainEnd | None = None) -> Verification:
    """Walk a chain in the order of its numbers and stop at the first event that is not as it was written.

    Memory does not grow with the number of events. Event k is sound when its fields give its hash, it names the hash of
    event k - 1, and event k + 1 names its hash. The last event has no successor: that it was not rewritten, and that
    none was cut off after it, only a head noted earlier can show.

    Parameters
    ----------
    rows : iterable of mappings
        Rows of the table, by ascending `seq`.
    given : ChainEnd, optional
        A head that was shown, exported or signed earlier.
    """
    good = ChainEnd(0, START)
    proven = 0 if given is not None and given.hash == START else None
    for row, following in _pairs(rows):
        try:
            _check_row(row, following, good)
        except _BrokenRow as broken:
            number, problem = broken.args
            return Verification(good.seq or 0, good, number, problem, given, proven)
        good = ChainEnd(row["seq"], row["hash"])
        if given is not None and good.hash == given.hash:
            proven = good.seq
    if given is None:
        return Verification(good.seq or 0, good)
    return Verification(good.seq or 0, good, *_against(given, proven, good), given=given, proven=proven)


def _against(given: ChainEnd, proven: int | None, last: ChainEnd) -> tuple[int | None, str | None]:
    """First bad event and problem of a chain that is sound in itself, beside a head noted earlier."""
    if proven is not None and given.seq in (None, proven):
        return None, None
    n = last.seq or 0
    if proven is not None:
        return None, f"the head given belongs to event {proven}, not to event {given.seq}"
    if given.seq is None:
        return None, "no event has the hash of the head given: the chain was cut before that event, or made anew"
    if given.seq > n:
        cut = f"event {given.seq} is" if given.seq == n + 1 else f"events {n + 1} to {given.seq} are"
        return n + 1, f"{cut} missing: the chain was cut"
    return None, (
        f"event {given.seq} has not the hash of the head given: the chain was made anew from there or from further back"
    )


def _pairs(rows: Iterable[Row]) -> Iterator[tuple[Row, Row | None]]:
    """Each row with the one after it."""
    before: Row | None = None
    for row in rows:
        if before is not None:
            yield before, row
        before = row
    if before is not None:
        yield before, None


def _hash_or_none(row: Row) -> str | None:
    try:
        return event_hash(row)
    except ValueError:
        return None


def _check_row(row: Row, following: Row | None, before: ChainEnd) -> None:
    """Raise _BrokenRow(number, problem) when the event is not as it was written."""
    number = (before.seq or 0) + 1
    _check_number(row, number)
    try:
        found = event_hash(row)
    except ValueError as error:
        raise _BrokenRow(number, f"event {number} was edited: {error}") from error
    if found != row["hash"]:
        raise _BrokenRow(number, _explain_edit(row, number, before))
    if row["format"] != FORMAT:
        raise _BrokenRow(number, f"event {number} has format {row['format']}, this version knows format {FORMAT}")
    if row["prev_hash"] != before.hash:
        raise _BrokenRow(
            number, f"event {number} does not follow event {number - 1}: it, or one before it, was replaced"
        )
    if following is not None and following["prev_hash"] != row["hash"] and following["seq"] == number + 1:
        _explain_successor(row, following, before, number)


def _check_number(row: Row, number: int) -> None:
    seq = row["seq"]
    if type(seq) is not int:
        raise _BrokenRow(number, f"event {number}: its number is no whole number")
    if seq > number:
        gone = f"event {number} is" if seq == number + 1 else f"events {number} to {seq - 1} are"
        raise _BrokenRow(number, f"{gone} missing: removed or renumbered")
    if seq < number:
        was = None if _hash_or_none(row) == row["hash"] else _former_number(row, number)
        if was is not None and was >= number:
            raise _BrokenRow(was, f"event {was} was renumbered {seq}")
        raise _BrokenRow(seq, f"an event numbered {seq} was inserted before event {number}")


def _explain_edit(row: Row, number: int, before: ChainEnd) -> str:
    """Why a row's fields do not give its hash."""
    if _hash_or_none({**row, "prev_hash": before.hash}) == row["hash"]:
        return f"event {number} was edited: its field prev_hash does not name event {number - 1}"
    if row["prev_hash"] != before.hash:
        was = _former_number(row, number)
        if was is not None and was > number:
            return f"event {number} is not in its place: the row here was event {was} (events removed or reordered)"
        if was is not None:
            return f"event {number} is not in its place: the row here was event {was} (events inserted or reordered)"
    return f"event {number} was edited: its fields do not give its hash"


def _explain_successor(row: Row, following: Row, before: ChainEnd, number: int) -> None:
    """Raise where it is this event that is wrong when the next one does not name it; else the next one is looked at."""
    if _hash_or_none(following) == following["hash"]:
        raise _BrokenRow(
            number, f"event {number} is not the one that event {number + 1} follows: it was replaced or inserted"
        )
    if following["prev_hash"] == before.hash and _hash_or_none({**following, "seq": number}) == following["hash"]:
        raise _BrokenRow(number, f"event {number} was inserted: the row after it was event {number}")


def _former_number(row: Row, number: int) -> int | None:
    """The number under which a row's fields give its hash, searched near by first."""
    for distance in range(_SEARCH):
        for seq in (number + distance, number - distance):
            if seq > 0 and _hash_or_none({**row, "seq": seq}) == row["hash"]:
                return seq
    return None
