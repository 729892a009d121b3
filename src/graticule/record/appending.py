"""One event after another within a writing transaction: completed, hashed, inserted, and read back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text

from graticule.errors import LabelStoreError
from graticule.record import schema
from graticule.record.current import Completed, ImageState, complete, image_states
from graticule.record.events import FORMAT, Event, EventDraft
from graticule.record.schema import label_events
from graticule.record.trail import START, ChainEnd, event_hash


def last_head(connection: Connection) -> ChainEnd:
    """Number and hash of the last event; 0 and 64 zeros for an empty store."""
    last = select(label_events.c.seq, label_events.c.hash).order_by(label_events.c.seq.desc()).limit(1)
    row = connection.execute(last).first()
    return ChainEnd(0, START) if row is None else ChainEnd(row.seq, row.hash)


def events_of(connection: Connection, image_sha256: str) -> list[Event]:
    """The events of one image, by ascending number."""
    wanted = select(label_events).where(label_events.c.image_sha256 == image_sha256).order_by(label_events.c.seq)
    return [Event.of(row) for row in connection.execute(wanted).mappings()]


def append(connection: Connection, drafts: Sequence[EventDraft]) -> list[Event]:
    """Within a writing transaction: the stored event of each draft."""
    before = head = last_head(connection)
    stored = []
    for draft in drafts:
        event = _known(connection, draft)
        if event is None:
            event = _event(draft, _completed(connection, draft, head), head)
            connection.execute(insert(label_events), event.row())
            head = ChainEnd(event.seq, event.hash)
        stored.append(event)
    _read_back(connection, before, [event for event in stored if event.seq > (before.seq or 0)])
    return stored


def _read_back(connection: Connection, before: ChainEnd, written: Sequence[Event]) -> None:
    """Raise, and so take everything back, unless the table holds what was written: a rule may have changed it."""
    if connection.dialect.name == "postgresql":
        # what others put off until the commit acts now, before the rows are read
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    wanted = select(label_events).where(label_events.c.seq > (before.seq or 0)).order_by(label_events.c.seq)
    found = [dict(row) for row in connection.execute(wanted).mappings()]
    sent = list({event.seq: event.row() for event in written}.values())
    if found != sent:
        foreign = schema.foreign_rules(connection)
        culprits = (
            f"what is not ours there: {', '.join(foreign)}" if foreign else "no foreign trigger or rule was found"
        )
        raise LabelStoreError(
            f"the database did not keep what it was sent (event {(before.seq or 0) + 1} and after), so nothing was "
            f"stored; {culprits}. Have its administrator remove what alters {schema.TABLE}"
        )


def _known(connection: Connection, draft: EventDraft) -> Event | None:
    """The event that was stored under the draft's client id."""
    wanted = select(label_events).where(label_events.c.client_id == draft.client_id)
    row = connection.execute(wanted).mappings().first()
    if row is None:
        return None
    event = Event.of(row)
    differ = [
        name
        for name in ("who", "action", "image_sha256", "path", "new_value")
        if getattr(event, name) != getattr(draft, name) and not (name == "new_value" and draft.new_value is None)
    ]
    if differ:
        raise LabelStoreError(
            f"the client id {draft.client_id!r} was used for event {event.seq}, which differs in {', '.join(differ)}: "
            "give every decision an id of its own"
        )
    return event


def _completed(connection: Connection, draft: EventDraft, head: ChainEnd) -> Completed:
    if draft.image_sha256 is None:
        return Completed(None, draft.new_value, draft.reason, head.seq if draft.action == "sign" else draft.refers_to)
    states = image_states(events_of(connection, draft.image_sha256))
    return complete(draft, states.get(draft.image_sha256, ImageState()))


def _event(draft: EventDraft, completed: Completed, head: ChainEnd) -> Event:
    """The draft as the event after `head`."""
    row: dict[str, Any] = {
        "seq": (head.seq or 0) + 1,
        "format": FORMAT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "who": draft.who,
        "action": draft.action,
        "image_sha256": draft.image_sha256,
        "path": draft.path,
        "old_value": completed.old_value,
        "new_value": completed.new_value,
        "reason": completed.reason,
        "refers_to": completed.refers_to,
        "model_hash": draft.model_hash,
        "run_hash": draft.run_hash,
        # 0.0 is added so that the number is a float, and a negative zero none
        "seconds": None if draft.seconds is None else float(draft.seconds) + 0.0,
        "blind": int(draft.blind),
        "bulk": int(draft.bulk),
        "slot": draft.slot,
        "sampling_prob": None if draft.sampling_prob is None else float(draft.sampling_prob),
        "queue_reason": draft.queue_reason,
        "client_id": draft.client_id,
        "prev_hash": head.hash,
    }
    return Event.of(row | {"hash": event_hash(row)})
