"""Connections to the label store's database: SQLite by default, PostgreSQL by URL."""

import contextlib
import importlib.util
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from graticule.errors import LabelDatabaseError, LabelStoreError, OptionError

# longest wait for another writer; SQLite lets waiting processes in by chance, PostgreSQL in their order
BUSY_SECONDS = 120.0
LOCK_SECONDS = 30
WRITES = "graticule_writes"
# what the databases say when the wait for a lock is over: PostgreSQL's code of the error, SQLite's number
_LOCK_TIMEOUT = "55P03"
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# one lock for all writers of a database; the number has no meaning
_ADVISORY_LOCK = 7_406_119_325_482_016
_ALLOWED = "allowed are a file (labels.db), sqlite:///FILE and postgresql+pg8000://USER@HOST/DATABASE"


@dataclass(frozen=True)
class StorePlace:
    """Where a label store is.

    Attributes
    ----------
    shown : str
        For messages, without a password.
    file : Path or None
        The SQLite file.
    url : str or None
        The URL of a PostgreSQL database.
    """

    shown: str
    file: Path | None = None
    url: str | None = None


def parse_place(labels: str) -> StorePlace:
    """Where `--labels` points.

    Raises
    ------
    OptionError
        For another kind of database, or when its driver is not installed.
    """
    if "://" not in labels:
        if not labels:
            raise OptionError(f"--labels is empty: {_ALLOWED}")
        return StorePlace(labels, file=Path(labels))
    try:
        url = make_url(labels)
    except ArgumentError as error:
        raise OptionError(f"--labels {labels!r} is no URL of a database: {_ALLOWED}") from error
    shown = url.render_as_string(hide_password=True)
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        if not url.database or url.database == ":memory:" or url.query:
            raise OptionError(f"--labels {shown}: a label store is a file, as in sqlite:///labels.db")
        return StorePlace(shown, file=Path(url.database))
    if url.drivername not in ("postgresql", "postgres", "postgresql+pg8000"):
        raise OptionError(f"--labels {shown}: {_ALLOWED}")
    if importlib.util.find_spec("pg8000") is None:
        raise OptionError(f"--labels {shown} needs the package pg8000: pip install 'graticule[postgres]'")
    url = url.set(drivername="postgresql+pg8000")
    if url.password is None and os.environ.get("PGPASSWORD"):
        url = url.set(password=os.environ["PGPASSWORD"])
    return StorePlace(shown, url=url.render_as_string(hide_password=False))


def open_engine(place: StorePlace, *, read_only: bool) -> Engine:
    """An engine whose transactions are durable when they are committed; it connects when first used."""
    if place.url is not None:
        engine = create_engine(place.url, pool_pre_ping=True)
        event.listen(engine, "connect", _prepare_postgresql_reader if read_only else _prepare_postgresql)
        return engine
    assert place.file is not None
    file = place.file.absolute()

    def connect() -> sqlite3.Connection:
        return _connect_sqlite(file, read_only=read_only)

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=QueuePool)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_sqlite(file: Path, *, read_only: bool) -> sqlite3.Connection:
    target, uri = str(file), False
    if read_only and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        # a copy on a medium that cannot be written: no place for WAL's index, and nobody who could write meanwhile
        target, uri = f"{file.as_uri()}?mode=ro&immutable=1", True
    # isolation_level None: the driver begins no transaction of its own
    connection = sqlite3.connect(target, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri)
    connection.text_factory = _decoded
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return connection
    _switch_to_wal(connection, file)
    connection.execute("PRAGMA synchronous = FULL")
    # macOS: fsync alone leaves data in the drive's cache
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    return connection


def _decoded(raw: bytes) -> str:
    """Text that is not UTF-8 must not end a verification: it becomes surrogates, which no event may hold."""
    return raw.decode("utf-8", "surrogateescape")


def _switch_to_wal(connection: sqlite3.Connection, file: Path) -> None:
    """The switch answers "locked" at once while another process makes it, without regard to the timeout."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _LOCKED:
                raise
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise LabelStoreError(
                f"{file} cannot be used by several processes (SQLite's journal mode stays {mode}): put the label store "
                "on a local disk, or use PostgreSQL"
            )
        return


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the write lock at once: one that read first could be refused it later."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql_reader(connection: object, _record: object) -> None:
    """Refuse a database whose text is not Unicode; wait for locks with an end."""
    if _shown(connection, "server_encoding") != "UTF8":
        raise LabelStoreError("the database's encoding is not UTF8: create one with ENCODING 'UTF8'")
    # a wait without an end would look like a program that hangs
    _execute(connection, f"SET lock_timeout = '{LOCK_SECONDS}s'")


def _prepare_postgresql(connection: object, record: object) -> None:
    """Refuse a server that does not sync; have this session wait for the sync."""
    _prepare_postgresql_reader(connection, record)
    if _shown(connection, "fsync") != "on":
        raise LabelStoreError(
            "the PostgreSQL server runs with fsync = off, so that a crash could lose labels: set it on"
        )
    if _shown(connection, "synchronous_commit") == "off":
        _execute(connection, "SET synchronous_commit = on")


def _shown(connection: object, setting: str) -> str:
    return str(_execute(connection, f"SHOW {setting}"))


def _execute(connection: object, statement: str) -> object:
    """First value of a statement on a driver's connection, committed: a SET would be taken back by a rollback."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    try:
        cursor.execute(statement)
        value = cursor.fetchone()[0] if cursor.description else None
        connection.commit()  # type: ignore[attr-defined]
    finally:
        cursor.close()
    return value


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, the only one at its time; committed and synced at its end, or taken back."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        yield connection


@contextlib.contextmanager
def told(place: StorePlace) -> Iterator[None]:
    """Turn an error of the database into one message."""
    try:
        yield
    except SQLAlchemyError as error:
        if is_locked(error):
            raise locked(place) from error
        raise LabelDatabaseError(f"the label store {place.shown}: {cause(error)}") from error
    except sqlite3.Error as error:
        raise LabelDatabaseError(f"the label store {place.shown}: {error}") from error


def locked(place: StorePlace) -> LabelDatabaseError:
    """The message for a lock that was waited for in vain."""
    seconds = BUSY_SECONDS if place.url is None else LOCK_SECONDS
    return LabelDatabaseError(
        f"the label store {place.shown} is locked by another program for {seconds:.0f} s or more; this was not done. "
        "End what holds it (a backup, a maintenance task, an open transaction), then try again"
    )


def is_locked(error: SQLAlchemyError) -> bool:
    """Whether the wait for a lock that another program holds was given up."""
    original = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(original, sqlite3.OperationalError):
        return getattr(original, "sqlite_errorcode", 0) & 0xFF in _LOCKED
    fields = original.args[0] if original is not None and original.args else None
    return isinstance(fields, dict) and fields.get("C") == _LOCK_TIMEOUT


def cause(error: SQLAlchemyError) -> str:
    """The database's own words, in one line."""
    original = error.orig if isinstance(error, DBAPIError) else error
    first = original.args[0] if original is not None and original.args else original
    if isinstance(first, dict):  # pg8000: fields of the server's message
        first = first.get("M", first)
    return " ".join(str(first).split())
