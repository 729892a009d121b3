"""The store on both databases: what is acknowledged is there once, and nobody can change it unseen."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.label_store import drop_guards, is_sqlite, run_statements

from graticule.errors import LabelDatabaseError, LabelStoreError
from graticule.record import schema
from graticule.record.engine import WRITES, write_transaction
from graticule.record.events import COLUMNS, EventDraft
from graticule.record.store import LabelStore
from graticule.record.trail import START, ChainEnd, event_hash

Make = Callable[..., EventDraft]


def test_an_event_comes_back_as_it_was_stored(store: LabelStore, draft: Make, url: str) -> None:
    rich = draft(
        1,
        "Zoë 測試 '\"%:x",
        value="blast, 'atypical' %s :x",
        reason="line\nline\t\\ é é",
        model_hash="ab" * 32,
        run_hash="cd" * 32,
        seconds=0.1 + 0.2,
        blind=True,
        slot=2,
        sampling_prob=1e-17,
        queue_reason="between a and b",
    )
    stored = store.append(rich)
    assert (stored.seq, stored.prev_hash, stored.old_value) == (1, START, None)
    for name in ("who", "reason", "new_value", "seconds", "sampling_prob", "blind", "slot", "client_id", "path"):
        assert getattr(stored, name) == getattr(rich, name)
    with LabelStore.open(url, create=False) as again:
        assert list(again.events()) == [stored]
        assert stored.hash == event_hash(stored.row())
        assert again.head() == ChainEnd(1, stored.hash)
        assert again.verify().sound


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE label_events SET who = 'x'",
        "UPDATE label_events SET seq = seq + 100",
        "DELETE FROM label_events",
        "DELETE FROM label_events WHERE seq = 2",
    ],
)
def test_the_database_refuses_changes(store: LabelStore, draft: Make, statement: str) -> None:
    store.append_all([draft(i) for i in range(3)])
    with pytest.raises(Exception, match="append-only"):
        run_statements(store, statement)
    assert store.verify(store.head()).n_events == 3


def test_the_database_refuses_other_rows_than_the_next(store: LabelStore, draft: Make) -> None:
    last = store.append_all([draft(i) for i in range(3)])[-1]
    columns = ", ".join(COLUMNS)
    for change in ({"seq": 2}, {"seq": 5}, {"seq": 4, "prev_hash": START}, {"seq": 4, "client_id": last.client_id}):
        row = last.row() | {"client_id": "new", "prev_hash": last.hash} | change
        shown = ", ".join("NULL" if v is None else repr(v) for v in row.values())
        with pytest.raises(Exception, match=r"must follow the last one|duplicate key"):
            run_statements(store, f"INSERT INTO label_events ({columns}) VALUES ({shown})")
    assert store.verify(store.head()).n_events == 3


def test_sqlite_replaces_nothing(small: LabelStore) -> None:
    for statement in (
        "INSERT OR REPLACE INTO label_events SELECT * FROM label_events WHERE seq = 2",
        "UPDATE OR REPLACE label_events SET seq = 1 WHERE seq = 2",
    ):
        with pytest.raises(Exception, match=r"append-only|must follow"):
            run_statements(small, statement)
    assert small.verify().n_events == 12


def test_postgresql_refuses_truncate_and_replicas(postgresql: Callable[[], str], draft: Make) -> None:
    with LabelStore.open(postgresql()) as store:
        store.append(draft(1))
        for statements in (
            ("TRUNCATE label_events",),
            ("SET LOCAL session_replication_role = replica", "DELETE FROM label_events"),
            ("INSERT INTO label_events SELECT * FROM label_events ON CONFLICT (seq) DO UPDATE SET who = 'x'",),
        ):
            with pytest.raises(Exception, match=r"append-only|must follow"):
                run_statements(store, *statements)
        assert store.verify().n_events == 1


@pytest.mark.parametrize("name", COLUMNS)
def test_a_changed_cell_is_found(store: LabelStore, draft: Make, name: str) -> None:
    store.append_all([draft(i, seconds=2.0, sampling_prob=0.5, slot=1) for i in range(3)])
    drop_guards(store)
    numbers = {"seconds", "sampling_prob"} | {"seq", "format", "refers_to", "blind", "bulk", "slot"}
    run_statements(store, f"UPDATE label_events SET {name} = {'77' if name in numbers else repr('x')} WHERE seq = 2")
    found = store.verify()
    assert found.first_bad == 2, found.problem
    assert len(store.missing_guards()) == 3


def test_text_that_is_not_utf8_is_found(small: LabelStore) -> None:
    drop_guards(small)
    run_statements(small, "UPDATE label_events SET who = CAST(x'ff41' AS TEXT) WHERE seq = 5")
    assert small.verify().first_bad == 5
    run_statements(small, "UPDATE label_events SET who = x'616e6e' WHERE seq = 4")
    found = small.verify()
    assert found.first_bad == 4
    assert "holds bytes" in str(found.problem)


def test_missing_guards_are_put_back_on_the_record(store: LabelStore, draft: Make, url: str) -> None:
    store.append(draft(1))
    drop_guards(store)
    with LabelStore.open(url, read_only=True) as reader:
        assert len(reader.missing_guards()) == 3
    with LabelStore.open(url) as again:
        assert again.missing_guards() == ()
        assert [event.action for event in again.events()] == ["label", "repair"]
        assert "label_events_no_update" in (list(again.events())[-1].reason or "")
        assert again.verify().sound


def test_upgrade_from_the_first_revision_keeps_rows_and_guards(store: LabelStore, draft: Make, url: str) -> None:
    """The tables as revision 0001 left them, with a row; then as the present version opens them."""
    row = store.append(draft(1)).row()
    with write_transaction(store._engine) as connection:
        connection.execute(text(f"DROP TABLE {schema.TABLE}"))
        connection.execute(text(f"DROP TABLE {schema.VERSION_TABLE}"))
        schema.upgrade(connection, "0001")
        assert schema.revision(connection) == "0001"
        assert schema.missing_guards(connection) == ()
        connection.execute(schema.label_events.insert(), row)
    with LabelStore.open(url) as again:
        assert again.missing_guards() == ()
        assert [event.row() for event in again.events()] == [row]
        with pytest.raises(Exception, match="append-only"):
            run_statements(again, "DELETE FROM label_events")
        with write_transaction(again._engine) as connection:
            assert schema.revision(connection) == schema.HEAD_REVISION
            # a revision that has to copy the table loses the triggers; the end of every upgrade makes them anew
            for name in ("no_update", "no_delete", "next"):
                on = f" ON {schema.TABLE}" if connection.dialect.name == "postgresql" else ""
                connection.execute(text(f"DROP TRIGGER {schema.TABLE}_{name}{on}"))
            schema.upgrade(connection)
            assert schema.missing_guards(connection) == ()


def test_a_newer_store_is_refused(small: LabelStore, tmp_path: Path) -> None:
    run_statements(small, f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    for read_only in (True, False):
        with pytest.raises(LabelStoreError, match="revision 9999, this version of graticule knows up to"):
            LabelStore.open(str(tmp_path / "small.db"), read_only=read_only)


def test_sqlite_syncs_and_waits(small: LabelStore) -> None:
    with write_transaction(small._engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert int(connection.execute(text("PRAGMA busy_timeout")).scalar() or 0) >= 60_000


def test_postgresql_without_sync_is_refused(postgresql: Callable[[], str]) -> None:
    url = postgresql()
    with LabelStore.open(url) as store:
        run_statements(store, "ALTER ROLE current_user SET synchronous_commit = off")
    with LabelStore.open(url) as store, write_transaction(store._engine) as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


WRITER = """
import sys
from graticule.record.events import EventDraft
from graticule.record.store import LabelStore
url, who, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
with LabelStore.open(url) as store:
    for i in range(n):
        draft = EventDraft(who, "label", f"{i:064x}", f"{i}.png", new_value="a", client_id=f"{who}-{i}")
        store.append(draft)
        if i % 3 == 0:
            store.append(draft)
"""


def test_processes_write_at_once_into_a_store_that_they_make(url: str) -> None:
    n, people = 25, ["ann", "bob", "eve", "dan"]
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, who, str(n)], stderr=subprocess.PIPE, text=True)
        for who in people
    ]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert errors == [""] * len(people)
    with LabelStore.open(url, create=False) as store:
        assert store.verify().n_events == n * len(people)
        assert {event.client_id for event in store.events()} == {f"{who}-{i}" for who in people for i in range(n)}


def test_threads_write_at_once(store: LabelStore, draft: Make) -> None:
    faults: list[LabelStoreError] = []

    def write(who: str) -> None:
        try:
            for i in range(10):
                store.append(draft(i, who))
        except LabelStoreError as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(f"p{k}",)) for k in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert store.verify().n_events == 50


def test_places_that_are_no_store(tmp_path: Path) -> None:
    with pytest.raises(LabelStoreError, match="there is no label store at"):
        LabelStore.open(str(tmp_path / "none.db"), read_only=True)
    with pytest.raises(LabelStoreError, match="is a folder"):
        LabelStore.open(str(tmp_path))
    with pytest.raises(LabelStoreError, match="there is no folder"):
        LabelStore.open(f"sqlite:///{tmp_path}/a/b.db")
    (tmp_path / "text.db").write_text("not a database, but long enough to have been one " * 40)
    with pytest.raises(LabelStoreError, match="not a database"):
        LabelStore.open(str(tmp_path / "text.db"))
    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(LabelStoreError, match="there is no label store in"):
        LabelStore.open(str(tmp_path / "empty.db"), read_only=True)
    assert list(tmp_path.glob("none*")) == []


def test_a_copy_that_cannot_be_written_is_verified(
    small: LabelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.close()
    monkeypatch.setattr("graticule.record.engine.os.access", lambda path, mode: False)
    with LabelStore.open(str(tmp_path / "small.db"), read_only=True) as copy:
        assert copy.verify().n_events == 12
        with pytest.raises(LabelStoreError, match=r"readonly|read-only"):
            copy.append(EventDraft("ann", "note", "ab" * 32, "x.png", reason="n"))


def test_nobody_writes_under_the_name_of_the_program(store: LabelStore, draft: Make) -> None:
    for who in ("graticule", "Graticule", "grati\u00adcule", "ＧＲＡＴＩＣＵＬＥ"):
        with pytest.raises(LabelStoreError, match="the program itself"):
            store.append(draft(1, who))
    store.append(draft(1, "graticule team"))
    assert store.people() == ["graticule team"]


def test_a_lock_of_another_program_ends_with_a_message(
    store: LabelStore, draft: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graticule.record.engine.BUSY_SECONDS", 0.5)
    monkeypatch.setattr("graticule.record.engine.LOCK_SECONDS", 1)
    n = store.append(draft(1)).seq
    with LabelStore.open(store.shown, create=False) as waiting, store._engine.connect() as other:
        if is_sqlite(store):
            other.execution_options(**{WRITES: True}).begin()
            assert waiting.verify().n_events == n  # who reads waits for nobody
        else:
            other.exec_driver_sql(f"LOCK TABLE {schema.TABLE} IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(LabelDatabaseError, match="locked by another program"):
                waiting.verify()
        with pytest.raises(LabelDatabaseError, match="locked by another program"):
            waiting.append(draft(50))
        other.rollback()
        assert waiting.append(draft(50)).seq == n + 1
        assert waiting.verify().sound


def test_threads_of_one_process_wait_for_each_other_with_an_end(
    store: LabelStore, draft: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graticule.record.store.BUSY_SECONDS", 0.2)
    store.append(draft(1))
    with store._turn, pytest.raises(LabelDatabaseError, match="locked"):
        store.append(draft(50))
    assert store.append(draft(50)).seq == store.head().seq
