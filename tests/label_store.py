"""A store on SQLite and on PostgreSQL, where its server is installed, and drafts to put into it."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

from graticule.record import schema
from graticule.record.engine import write_transaction
from graticule.record.events import EventDraft
from graticule.record.store import LabelStore

UNPRIVILEGED = "postgres"  # the server refuses to run as root


def _image(number: int) -> str:
    return hashlib.sha256(b"image %d" % number).hexdigest()


def _draft(number: int, who: str = "ann", action: str = "label", value: str | None = "a", **more: object) -> EventDraft:
    return EventDraft(who, action, _image(number), f"img/{number}.png", new_value=value, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def image() -> Callable[[int], str]:
    """SHA-256 of an image that is not there, by number."""
    return _image


@pytest.fixture(scope="session")
def draft() -> Callable[..., EventDraft]:
    """Draft of a decision on image `number`, a label by default."""
    return _draft


def _server_folder() -> Path | None:
    found = shutil.which("initdb")
    # Debian keeps them off the PATH
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or ([Path(found).parent] if found else [])
    return folders[-1] if folders and (folders[-1] / "pg_ctl").exists() else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """A server of its own on a free port of this machine; the function makes a role with a schema and gives its URL."""
    pytest.importorskip("pg8000")
    binaries = _server_folder()
    if binaries is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    as_user: dict[str, Any] = {"user": UNPRIVILEGED} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="graticule-pg-"))
    if as_user:
        shutil.chown(folder, UNPRIVILEGED)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def command(*words: str) -> None:
        # no pipes: the server that pg_ctl starts would hold them open
        subprocess.run(
            words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, timeout=120, **as_user
        )

    data, log = str(folder / "data"), str(folder / "log")
    command(
        str(binaries / "initdb"), "-D", data, "-E", "UTF8", "--locale=C", "-A", "trust", "-U", "tester", "--no-sync"
    )
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    command(str(binaries / "pg_ctl"), "-D", data, "-l", log, "-o", options, "-w", "start")
    server = f"postgresql+pg8000://tester@127.0.0.1:{port}/postgres"
    maintenance = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    made = 0

    def new_place() -> str:
        nonlocal made
        made += 1
        with maintenance.connect() as connection:
            connection.execute(text(f"CREATE ROLE person{made} LOGIN SUPERUSER"))
            connection.execute(text(f"CREATE SCHEMA person{made} AUTHORIZATION person{made}"))
        return f"postgresql+pg8000://person{made}@127.0.0.1:{port}/postgres"

    yield new_place
    command(str(binaries / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store can be made: a file, and a database of a server."""
    if request.param == "sqlite":
        return str(tmp_path / "labels.db")
    return str(request.getfixturevalue("postgresql")())


@pytest.fixture
def store(url: str) -> Iterator[LabelStore]:
    """An empty store."""
    with LabelStore.open(url) as opened:
        yield opened


@pytest.fixture
def small(tmp_path: Path) -> Iterator[LabelStore]:
    """A store on SQLite with 12 labels."""
    with LabelStore.open(str(tmp_path / "small.db")) as opened:
        opened.append_all([_draft(i, seconds=1.5, sampling_prob=0.25, slot=1, reason="é\n") for i in range(12)])
        yield opened


def run_statements(store: LabelStore, *statements: str) -> None:
    """Statements as an attacker would run them."""
    with write_transaction(store._engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def is_sqlite(store: LabelStore) -> bool:
    """Whether the store is a file."""
    return store.shown.endswith(".db")


def drop_guards(store: LabelStore) -> None:
    """Take the triggers that forbid changes out of a store, as a forger would."""
    on_table = "" if store.shown.endswith(".db") else f" ON {schema.TABLE}"
    with write_transaction(store._engine) as connection:
        connection.execute(text(f"DROP TRIGGER {schema.TABLE}_no_update{on_table}"))
        connection.execute(text(f"DROP TRIGGER {schema.TABLE}_no_delete{on_table}"))
        connection.execute(text(f"DROP TRIGGER {schema.TABLE}_next{on_table}"))
