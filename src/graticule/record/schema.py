"""The table of label events, and the guards by which the database itself refuses to change it."""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Double, Integer, MetaData, Table, Text, inspect, text
from sqlalchemy.types import TypeEngine

from graticule.errors import LabelStoreError
from graticule.record.events import COLUMNS, FLOATS, INTEGERS, REQUIRED
from graticule.record.trail import START

TABLE = "label_events"
VERSION_TABLE = "label_events_version"
HEAD_REVISION = "0002"
MIGRATIONS = Path(__file__).with_name("migrations")


def _column(name: str) -> Column[Any]:
    kind: TypeEngine[Any] = Text()
    if name in INTEGERS:
        kind = BigInteger().with_variant(Integer(), "sqlite")
    elif name in FLOATS:
        kind = Double()
    options = {"primary_key": True, "autoincrement": False} if name == "seq" else {"unique": name == "client_id"}
    return Column(name, kind, nullable=name not in REQUIRED, **options)  # type: ignore[arg-type]


label_events = Table(TABLE, MetaData(), *(_column(name) for name in COLUMNS))

# "INSERT OR REPLACE" deletes a row without asking a delete trigger; the insert trigger refuses it, since a number in
# use is not the next one.
_REFUSED = "label events are append-only"
_NOT_NEXT = "a label event must follow the last one"
_NOT_NEXT_SQL = (
    f"NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM {TABLE}) "
    f"OR NEW.prev_hash IS NOT COALESCE((SELECT hash FROM {TABLE} ORDER BY seq DESC LIMIT 1), '{START}') "
    f"OR EXISTS (SELECT 1 FROM {TABLE} WHERE client_id = NEW.client_id)"
)
_SQLITE = {
    f"{TABLE}_no_update": f"BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    f"{TABLE}_no_delete": f"BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
    f"{TABLE}_next": (f"BEFORE INSERT ON {TABLE} WHEN {_NOT_NEXT_SQL} BEGIN SELECT RAISE(ABORT, '{_NOT_NEXT}'); END"),
}
_POSTGRESQL = {
    f"{TABLE}_no_update": f"BEFORE UPDATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
    f"{TABLE}_no_delete": f"BEFORE DELETE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
    f"{TABLE}_no_truncate": f"BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
    f"{TABLE}_next": f"BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {TABLE}_check_next()",
}
_FUNCTIONS = {
    f"{TABLE}_refuse": f"BEGIN RAISE EXCEPTION '{_REFUSED}'; END",
    f"{TABLE}_check_next": (
        f"BEGIN IF {_NOT_NEXT_SQL.replace('IS NOT', 'IS DISTINCT FROM')} "
        f"THEN RAISE EXCEPTION '{_NOT_NEXT}'; END IF; RETURN NEW; END"
    ),
}


def create_guards(connection: Connection) -> None:
    """Create the guards, in place of any that are there under their names."""
    if connection.dialect.name == "sqlite":
        for name, body in _SQLITE.items():
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
            connection.execute(text(f"CREATE TRIGGER {name} {body}"))
        return
    for name, body in _FUNCTIONS.items():
        connection.execute(
            text(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
                f"SET search_path FROM CURRENT AS $body$ {body} $body$"
            )
        )
    for name, body in _POSTGRESQL.items():
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {TABLE}"))
        connection.execute(text(f"CREATE TRIGGER {name} {body}"))
        # ALWAYS: also for a session that plays a replica, where ordinary triggers rest
        connection.execute(text(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}"))


def missing_guards(connection: Connection) -> tuple[str, ...]:
    """Names of guards that are not there, are switched off, or do not say what they should."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        there = {name: _squeezed(sql) for name, sql in rows}
        return tuple(name for name, body in _SQLITE.items() if there.get(name) != f"CREATE TRIGGER {name} {body}")
    rows = connection.execute(
        text(
            "SELECT t.tgname, t.tgenabled::text, p.proname, p.prosrc, pg_get_triggerdef(t.oid) FROM pg_trigger t "
            f"JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = to_regclass('{TABLE}')".replace("::", r"\:\:")
        )
    )
    found = {
        name
        for name, enabled, function, source, definition in rows
        if enabled == "A"
        and _squeezed(source) == _FUNCTIONS.get(function)
        and name in _POSTGRESQL
        and _POSTGRESQL[name].split(" ON ")[0] in definition
        and f"EXECUTE FUNCTION {_POSTGRESQL[name].rpartition(' ')[2]}"
        in re.sub(r"FUNCTION \w+\.", "FUNCTION ", definition)
    }
    return tuple(name for name in _POSTGRESQL if name not in found)


def foreign_rules(connection: Connection) -> tuple[str, ...]:
    """What acts on the tables beside our guards, by kind and name: triggers, and in PostgreSQL rules and row policies.

    Any of them can change, hide or drop an event on its way into the table or out of it.
    """
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"))
        return tuple(f"trigger {name}" for (name,) in rows if name not in _SQLITE)
    ours = f"to_regclass('{TABLE}')", f"to_regclass('{VERSION_TABLE}')"
    found: list[str] = []
    for kind, query in (
        ("trigger", "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN ({})"),
        ("rule", "SELECT rulename FROM pg_rewrite WHERE ev_class IN ({})"),
        ("row policy", "SELECT polname FROM pg_policy WHERE polrelid IN ({})"),
        ("row security on", "SELECT relname FROM pg_class WHERE relrowsecurity AND oid IN ({})"),
    ):
        names = connection.execute(text(query.format(", ".join(ours)) + " ORDER BY 1")).scalars()
        found += [f"{kind} {name}" for name in names if name not in _POSTGRESQL]
    return tuple(found)


def _squeezed(sql: str) -> str:
    return " ".join(sql.split())


def revision(connection: Connection) -> str | None:
    """The revision of the tables, None where there are none yet.

    Raises
    ------
    LabelStoreError
        When the tables were made by a newer version of the program.
    """
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if found is not None and str(found) > HEAD_REVISION:
        raise LabelStoreError(
            f"the label store is of revision {found}, this version of graticule knows up to {HEAD_REVISION}: update it"
        )
    return None if found is None else str(found)


def upgrade(connection: Connection, target: str = "head") -> None:
    """Bring the tables to a revision, within the transaction that is open; the guards are created anew at its end."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
