"""The tables of the record: guards, revisions, and rules of others."""

from __future__ import annotations

from collections.abc import Callable

from tests.label_store import is_sqlite, run_statements

from graticule.record import schema
from graticule.record.engine import write_transaction
from graticule.record.events import EventDraft
from graticule.record.store import LabelStore

Make = Callable[..., EventDraft]


def test_an_altered_guard_is_missing(small: LabelStore) -> None:
    run_statements(
        small,
        "DROP TRIGGER label_events_no_update",
        "CREATE TRIGGER label_events_no_update BEFORE UPDATE ON label_events BEGIN SELECT 1; END",
    )
    assert small.missing_guards() == ("label_events_no_update",)


def test_the_migrations_make_the_tables_that_the_program_uses(store: LabelStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD_REVISION
    with write_transaction(store._engine) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        differences = compare_metadata(context, schema.label_events.metadata)
    assert [d for d in differences if d[0] != "remove_index"] == []


def test_foreign_triggers_and_rules_are_named(store: LabelStore, draft: Make) -> None:
    table = schema.TABLE
    store.append(draft(1))
    assert store.foreign_rules() == ()
    if is_sqlite(store):
        run_statements(store, f"CREATE TRIGGER copycat AFTER INSERT ON {table} BEGIN SELECT 1; END")
        assert store.foreign_rules() == ("trigger copycat",)
    else:
        run_statements(
            store,
            "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
            f"CREATE TRIGGER copycat BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION nothing()",
            f"CREATE RULE swallow AS ON UPDATE TO {schema.VERSION_TABLE} DO INSTEAD NOTHING",
            f"CREATE POLICY hide ON {table} USING (seq < 2)",
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        )
        found = ("trigger copycat", "rule swallow", "row policy hide", f"row security on {table}")
        assert store.foreign_rules() == found
    assert store.missing_guards() == ()
    assert store.verify().sound
