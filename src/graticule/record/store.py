"""The label store: append-only events that a database keeps, refuses to change, and lets be verified."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from types import TracebackType

from sqlalchemy import Engine, RowMapping, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from graticule.errors import LabelStoreError
from graticule.record import schema
from graticule.record.appending import append, events_of, last_head
from graticule.record.current import ImageState, image_states
from graticule.record.engine import (
    BUSY_SECONDS,
    StorePlace,
    cause,
    is_locked,
    locked,
    open_engine,
    parse_place,
    reading,
    told,
    write_transaction,
)
from graticule.record.events import DOUBTFUL, NOVEL, WITH_CLASS, Event, EventDraft, check_draft
from graticule.record.people import PROGRAM
from graticule.record.schema import label_events
from graticule.record.trail import START, ChainEnd, Verification, verify_chain

_FETCHED = 500


class LabelStore:
    """Label events in a database. A context manager; may be used by several threads and processes at once.

    Made by `LabelStore.open`. What `append` returns is committed and synced to the disk.
    """

    def __init__(self, place: StorePlace, engine: Engine) -> None:
        self._place = place
        self._engine = engine
        # threads of one process wait here rather than in SQLite's busy handler, which sleeps
        self._turn = threading.Lock()

    @classmethod
    def open(cls, labels: str, *, create: bool = True, read_only: bool = False) -> LabelStore:
        """Open a store and bring its tables to the present revision.

        Parameters
        ----------
        labels : str
            A file ("labels.db"), "sqlite:///FILE" or "postgresql+pg8000://USER@HOST/DATABASE". A password may stand in
            the variable PGPASSWORD.
        create : bool
            Make the store when there is none.
        read_only : bool
            Neither create nor upgrade nor write.

        Raises
        ------
        LabelStoreError
            When there is no store and none may be made, or the database cannot be used.
        OptionError
            When `labels` names no database of these kinds.
        """
        place = parse_place(labels)
        if place.file is not None:
            _check_file(place, may_create=create and not read_only)
        store = cls(place, open_engine(place, read_only=read_only))
        try:
            if read_only:
                store._require_tables()
            else:
                store._prepare(create=create)
        except LabelStoreError:
            store.close()
            raise
        return store

    def __enter__(self) -> LabelStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @property
    def shown(self) -> str:
        """Where the store is, without a password."""
        return self._place.shown

    def append(self, draft: EventDraft) -> Event:
        """Store one decision; returns when it is committed and synced to the disk.

        A client id that is known already is not stored again: the first event is returned.

        Raises
        ------
        LabelStoreError
            When the draft is faulty or does not fit what holds (`graticule.record.current.complete`), its client id was
            used for another decision, or the database cannot take it (full disk, no connection). Then nothing is
            stored, except where the connection was lost at the very end: send the draft again, with its client id.
        """
        return self.append_all([draft])[0]

    def append_all(self, drafts: Sequence[EventDraft]) -> list[Event]:
        """Store several decisions in one transaction: all of them or none. As `append`."""
        for draft in drafts:
            check_draft(draft)
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise locked(self._place)
        try:
            with told(self._place), write_transaction(self._engine) as connection:
                return append(connection, drafts)
        finally:
            self._turn.release()

    def rows(self, *, after: int = 0, up_to: int | None = None) -> Iterator[RowMapping]:
        """Rows of the table by ascending number, as they stand, from one moment; memory does not grow with them.

        Parameters
        ----------
        after, up_to : int
            Number of the event before the first wanted, and of the last.
        """
        wanted = select(label_events).where(label_events.c.seq > after).order_by(label_events.c.seq)
        if up_to is not None:
            wanted = wanted.where(label_events.c.seq <= up_to)
        with told(self._place), reading(self._engine) as connection:
            yield from connection.execution_options(yield_per=_FETCHED).execute(wanted).mappings()

    def events(self, *, after: int = 0, up_to: int | None = None) -> Iterator[Event]:
        """Events by ascending number. They are not verified here."""
        return (Event.of(row) for row in self.rows(after=after, up_to=up_to))

    def search(
        self, *, who: str = "", action: str = "", image: str = "", before: int | None = None, limit: int = 100
    ) -> tuple[list[Event], int]:
        """Events that match, the newest first, and how many there are in all.

        Parameters
        ----------
        who, action : str
            "" for any.
        image : str
            First digits of the image's hash, or a part of its path; "" for any.
        before : int, optional
            Only events with a lower number; they do not count into the total.
        limit : int
            Most events returned.
        """
        events = label_events.c
        conditions = [column == value for column, value in ((events.who, who), (events.action, action)) if value]
        if image:
            conditions.append(
                or_(
                    events.image_sha256.startswith(image, autoescape=True), events.path.contains(image, autoescape=True)
                )
            )
        page = [] if before is None else [events.seq < before]
        wanted = select(label_events).where(*conditions, *page).order_by(events.seq.desc()).limit(limit)
        with told(self._place), reading(self._engine) as connection:
            total = connection.execute(select(func.count()).select_from(label_events).where(*conditions)).scalar_one()
            return [Event.of(row) for row in connection.execute(wanted).mappings()], int(total)

    def people(self) -> list[str]:
        """Everyone who wrote an event, by name."""
        with told(self._place), reading(self._engine) as connection:
            return sorted(connection.execute(select(label_events.c.who).distinct()).scalars())

    def classes(self) -> list[str]:
        """Every class that an event named, also one that was taken back."""
        named = select(label_events.c.new_value).where(label_events.c.action.in_(WITH_CLASS)).distinct()
        with told(self._place), reading(self._engine) as connection:
            return sorted(set(connection.execute(named).scalars()) - {None, DOUBTFUL, NOVEL})

    def events_of(self, image_sha256: str) -> list[Event]:
        """The events of one image, by ascending number."""
        with told(self._place), reading(self._engine) as connection:
            return events_of(connection, image_sha256)

    def known(self, client_id: str) -> Event | None:
        """The event stored under a client id."""
        wanted = select(label_events).where(label_events.c.client_id == client_id)
        with told(self._place), reading(self._engine) as connection:
            row = connection.execute(wanted).mappings().first()
        return None if row is None else Event.of(row)

    def state_of(self, image_sha256: str) -> ImageState:
        """The decisions on one image that were not undone."""
        return image_states(self.events_of(image_sha256)).get(image_sha256, ImageState())

    def head(self) -> ChainEnd:
        """Number and hash of the last event; 0 and 64 zeros for an empty store."""
        with told(self._place), reading(self._engine) as connection:
            return last_head(connection)

    def verify(self, head: ChainEnd | None = None) -> Verification:
        """Walk the whole chain, in constant memory; see `graticule.record.trail.verify_chain`."""
        passed = 0

        def counted() -> Iterator[RowMapping]:
            nonlocal passed
            with reading(self._engine) as connection:
                wanted = select(label_events).order_by(label_events.c.seq)
                for row in connection.execution_options(yield_per=_FETCHED).execute(wanted).mappings():
                    yield row
                    passed += 1

        try:
            return verify_chain(counted(), head)
        except SQLAlchemyError as error:
            if is_locked(error):
                raise locked(self._place) from error
            problem = f"the database cannot be read from event {passed + 1} on, or one soon after: {cause(error)}"
            return Verification(passed, ChainEnd(passed, START), passed + 1, problem, head)

    def missing_guards(self) -> tuple[str, ...]:
        """Names of the triggers against changes that are missing, switched off or altered."""
        with told(self._place), reading(self._engine) as connection:
            return schema.missing_guards(connection)

    def foreign_rules(self) -> tuple[str, ...]:
        """Triggers, rules and row policies on the tables that are not ours, each by kind and name."""
        with told(self._place), reading(self._engine) as connection:
            return schema.foreign_rules(connection)

    def _require_tables(self) -> None:
        with told(self._place), reading(self._engine) as connection:
            if schema.revision(connection) is None:
                raise LabelStoreError(f"there is no label store in {self._place.shown}")

    def _prepare(self, *, create: bool) -> None:
        """Upgrade the tables where needed. Guards that lack are put back, and that is an event of its own."""
        with told(self._place):
            with reading(self._engine) as connection:
                current = schema.revision(connection) == schema.HEAD_REVISION
                if current and not schema.missing_guards(connection):
                    return
            with write_transaction(self._engine) as connection:
                found = schema.revision(connection)
                if found is None and not create:
                    raise LabelStoreError(f"there is no label store in {self._place.shown}")
                missing = () if found is None else schema.missing_guards(connection)
                if found != schema.HEAD_REVISION:
                    schema.upgrade(connection)
                if missing:
                    schema.create_guards(connection)
                    reason = f"triggers against changes were missing and were put back: {', '.join(missing)}"
                    append(connection, [EventDraft(PROGRAM, "repair", reason=reason)])


def _check_file(place: StorePlace, *, may_create: bool) -> None:
    file = place.file
    assert file is not None
    if file.is_dir():
        raise LabelStoreError(f"the label store {place.shown} is a folder; name a file such as labels.db")
    if not file.exists() and not may_create:
        raise LabelStoreError(f"there is no label store at {place.shown}")
    if not file.parent.is_dir():
        raise LabelStoreError(f"the label store {place.shown} cannot be made: there is no folder {file.parent}")
