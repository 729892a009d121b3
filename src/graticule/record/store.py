"""The label store: append-only events that a database keeps, refuses to change, and lets be verified."""

import threading
from collections.abc import Sequence
from typing import Self

from sqlalchemy import Engine

from graticule.errors import LabelStoreError
from graticule.record import schema
from graticule.record.appending import append
from graticule.record.engine import (
    BUSY_SECONDS,
    StorePlace,
    locked,
    open_engine,
    parse_place,
    reading,
    told,
    write_transaction,
)
from graticule.record.events import Event, EventDraft, check_draft
from graticule.record.people import PROGRAM
from graticule.record.reader import StoredEvents


class LabelStore(StoredEvents):
    """Label events in a database. A context manager; may be used by several threads and processes at once.

    Made by `LabelStore.open`. What `append` returns is committed and synced to the disk.
    """

    def __init__(self, place: StorePlace, engine: Engine) -> None:
        super().__init__(place, engine)
        # threads of one process wait here rather than in SQLite's busy handler, which sleeps
        self._turn = threading.Lock()

    @classmethod
    def open(cls, labels: str, *, create: bool = True, read_only: bool = False) -> Self:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

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
