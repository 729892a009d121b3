"""What a label event says: its fields, the actions there are, and the checks before one is stored."""

import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from graticule.errors import LabelStoreError
from graticule.record.numbers import PREFIX, number_said
from graticule.record.people import is_program
from graticule.sources.labels import check_labels
from graticule.sources.tables import Faults

FORMAT = 1
# Class names hold no "/", so these two can stand beside them in the same column, and numbers (`numbers.py`) too.
DOUBTFUL = "/doubtful"
NOVEL = "/novel"

DECIDING = ("label", "change", "doubtful", "novel", "import")
IMAGE_ACTIONS = (*DECIDING, "delete", "undo", "note", "adjudicate")
STORE_ACTIONS = ("sign", "repair")
ACTIONS = (*IMAGE_ACTIONS, *STORE_ACTIONS)
WITH_CLASS = ("label", "change", "import", "adjudicate")
_WITH_REASON = ("change", "delete", "import", "note", "sign", "repair")

MAX_NAME = 200
MAX_PATH = 8192
MAX_TEXT = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile("[\x00-\x1f\x7f\u2028\u2029]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class EventDraft:
    """A decision as it is handed to the store, which adds number, time, old value and hashes.

    Attributes
    ----------
    who : str
        The person, in one line of up to 200 characters.
    action : str
        One of `ACTIONS`. "label", "change", "doubtful", "novel" and "import" set what this person says of the image;
        "delete" takes it back; "undo" takes back this person's last decision on the image; "adjudicate" sets the agreed
        label over all persons; "note" sets nothing.
    image_sha256 : str or None
        SHA-256 of the file's bytes, 64 lower-case hexadecimal digits: it is the image. None for "sign" and "repair".
    path : str or None
        Where the image was seen: relative, with "/", escaped as by `graticule.manifest.escape_path`.
    new_value : str or None
        A class, a number (`Quantity.text`), `DOUBTFUL` or `NOVEL`. Filled in for "doubtful", "novel" and "undo"; for
        "sign" what was signed.
    reason : str or None
        Needed where a decision is changed or deleted, for an import, a note (its text) and a signature (its meaning).
    refers_to : int or None
        Number of the event that an undo takes back; the store fills it in.
    model_hash, run_hash : str or None
        Which model made the suggestion that the person saw.
    seconds : float or None
        Time taken, 0 or more.
    blind : bool
        The person did not see the model's opinion or another person's.
    bulk : bool
        One of many accepted at once.
    slot : int or None
        Which of several independent readings this is, from 1.
    sampling_prob : float or None
        Chance in (0, 1] with which a random draw picked the image; None where the queue chose it on purpose.
    queue_reason : str or None
        Why the queue showed the image.
    client_id : str
        The same id sent twice is stored once. Random by default.
    """

    who: str
    action: str
    image_sha256: str | None = None
    path: str | None = None
    new_value: str | None = None
    reason: str | None = None
    refers_to: int | None = None
    model_hash: str | None = None
    run_hash: str | None = None
    seconds: float | None = None
    blind: bool = False
    bulk: bool = False
    slot: int | None = None
    sampling_prob: float | None = None
    queue_reason: str | None = None
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Event:
    """A stored event. The fields stand in the order in which they are hashed; those of `EventDraft` mean the same.

    Attributes
    ----------
    seq : int
        Number, from 1, without gaps.
    format : int
        Version of the list of fields and of their encoding.
    time : str
        UTC to the microsecond, "2026-01-31T09:30:00.000000Z", by the clock of the machine that wrote it.
    old_value : str or None
        What held before: of this person's decisions, or for "adjudicate" of the adjudications.
    prev_hash, hash : str
        SHA-256 of the event before (64 zeros for the first) and of this one, hexadecimal.
    """

    seq: int
    format: int
    time: str
    who: str
    action: str
    image_sha256: str | None
    path: str | None
    old_value: str | None
    new_value: str | None
    reason: str | None
    refers_to: int | None
    model_hash: str | None
    run_hash: str | None
    seconds: float | None
    blind: bool
    bulk: bool
    slot: int | None
    sampling_prob: float | None
    queue_reason: str | None
    client_id: str
    prev_hash: str
    hash: str

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Self:
        """From a row of the table, where flags are 0 or 1."""
        values = {name: row[name] for name in COLUMNS}
        return cls(**values | {"blind": bool(row["blind"]), "bulk": bool(row["bulk"])})

    def row(self) -> dict[str, Any]:
        """As a row of the table."""
        return {name: getattr(self, name) for name in COLUMNS} | {"blind": int(self.blind), "bulk": int(self.bulk)}


COLUMNS = tuple(f.name for f in fields(Event))
INTEGERS = ("seq", "format", "refers_to", "blind", "bulk", "slot")
FLOATS = ("seconds", "sampling_prob")
REQUIRED = ("seq", "format", "time", "who", "action", "blind", "bulk", "client_id", "prev_hash", "hash")


def check_draft(draft: EventDraft) -> None:
    """Check all of a draft that can be judged without the store.

    Raises
    ------
    LabelStoreError
        With every fault found.
    """
    faults = [*_text_faults(draft), *_number_faults(draft)]
    if draft.action not in ACTIONS:
        faults.append(f"action {draft.action!r}: allowed are {', '.join(ACTIONS)}")
    else:
        faults += _action_faults(draft)
    if faults:
        raise LabelStoreError(f"the event was not stored: {'; '.join(faults)}")


def _text_faults(draft: EventDraft) -> list[str]:
    limits = {"who": MAX_NAME, "path": MAX_PATH, "new_value": MAX_TEXT, "reason": MAX_TEXT, "model_hash": MAX_NAME}
    limits |= {"run_hash": MAX_NAME, "queue_reason": MAX_NAME, "client_id": MAX_NAME}
    faults = []
    for name, limit in limits.items():
        text = getattr(draft, name)
        if text is None:
            continue
        if not isinstance(text, str):
            faults.append(f"{name} is no text")
        elif len(text) > limit:
            faults.append(f"{name} has {len(text):,} characters, allowed are {limit:,}")
        elif _UNSTORABLE.search(text):
            faults.append(f"{name} holds a zero byte or bytes that are not UTF-8 (paths: use escape_path)")
        elif name != "reason" and _CONTROL.search(text):
            faults.append(f"{name} holds a line break or another control character")
    for name in ("who", "client_id"):
        text = getattr(draft, name)
        if isinstance(text, str) and (not text.strip() or text != text.strip()):
            faults.append(f"{name} is empty or has white space before or after it")
    if isinstance(draft.who, str) and is_program(draft.who) and draft.action != "repair":
        faults.append(f"who {draft.who!r} is the name under which the program itself writes: give a person's")
    return faults


def _number_faults(draft: EventDraft) -> list[str]:
    faults = []
    if draft.seconds is not None and not (_is_number(draft.seconds) and draft.seconds >= 0):
        faults.append(f"seconds {draft.seconds!r}: allowed are numbers from 0")
    if draft.sampling_prob is not None and not (_is_number(draft.sampling_prob) and 0 < draft.sampling_prob <= 1):
        faults.append(f"sampling_prob {draft.sampling_prob!r}: allowed are numbers above 0 and up to 1")
    for name in ("slot", "refers_to"):
        value = getattr(draft, name)
        if value is not None and (type(value) is not int or not 1 <= value < 2**62):
            faults.append(f"{name} {value!r}: allowed are whole numbers from 1")
    faults += [
        f"{name} is neither true nor false" for name in ("blind", "bulk") if type(getattr(draft, name)) is not bool
    ]
    return faults


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _action_faults(draft: EventDraft) -> list[str]:
    faults = []
    if draft.action in IMAGE_ACTIONS:
        if not isinstance(draft.image_sha256, str) or not _SHA256.fullmatch(draft.image_sha256):
            faults.append("image_sha256 must be 64 lower-case hexadecimal digits")
        if not draft.path:
            faults.append("path of the image is missing")
    elif draft.image_sha256 is not None or draft.path is not None:
        faults.append(f"{draft.action} is not about one image: image_sha256 and path must be None")
    if draft.action in WITH_CLASS:
        faults += _value_faults(draft.new_value)
    elif draft.action != "sign" and draft.new_value is not None:
        faults.append(f"new_value is given by the action {draft.action}: leave it out")
    if draft.action in _WITH_REASON and not (isinstance(draft.reason, str) and draft.reason.strip()):
        faults.append(f"{draft.action} needs a reason")
    return faults


def _value_faults(value: str | None) -> list[str]:
    """What is wrong with a class name or a number; the rules are those of a data set for `train`."""
    if value in (DOUBTFUL, NOVEL):
        return []
    if not isinstance(value, str) or not value:
        return ["new_value must name a class or a number"]
    if value.startswith(PREFIX):
        try:
            number_said(value)
        except LabelStoreError as error:
            return [f"new_value {error}"]
        return []
    faults = Faults("")
    check_labels([value], [None], faults)
    return [f"new_value {value!r}: {kind}" for kind in faults.found]
