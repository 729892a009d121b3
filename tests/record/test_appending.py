"""Appending: an id is stored once, all of several or none, and what the database did not keep is not acknowledged."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.label_store import is_sqlite, run_statements

from graticule.errors import LabelStoreError
from graticule.record import schema
from graticule.record.events import EventDraft
from graticule.record.store import LabelStore
from graticule.record.trail import START, ChainEnd

Make = Callable[..., EventDraft]


def test_a_client_id_is_stored_once(store: LabelStore, draft: Make) -> None:
    first = store.append(draft(1, client_id="k1"))
    store.append(draft(2, client_id="k2"))
    assert store.append(draft(1, client_id="k1")) == first
    assert [e.seq for e in store.append_all([draft(3, client_id="k3"), draft(3, client_id="k3")])] == [3, 3]
    with pytest.raises(LabelStoreError, match="used for event 1, which differs in image_sha256, path"):
        store.append(draft(2, client_id="k1"))
    assert store.head().seq == 3


def test_all_of_several_or_none(store: LabelStore, draft: Make) -> None:
    with pytest.raises(LabelStoreError, match="already, as 'a'"):
        store.append_all([draft(1), draft(2), draft(1, value="b")])
    assert store.head() == ChainEnd(0, START)
    store.append_all([draft(1), draft(1, action="change", value="b", reason="r"), draft(1, action="undo", value=None)])
    state = store.state_of(draft(1).image_sha256 or "").of("ann")
    assert state is not None
    assert state.new_value == "a"


def _meddle(store: LabelStore, act: str) -> None:
    """A trigger that changes or drops what is stored, past the guards."""
    table = schema.TABLE
    if act == "drops":
        if is_sqlite(store):
            run_statements(store, f"CREATE TRIGGER meddler BEFORE INSERT ON {table} BEGIN SELECT RAISE(IGNORE); END")
        else:
            run_statements(store, f"CREATE RULE meddler AS ON INSERT TO {table} WHERE NEW.seq > 3 DO INSTEAD NOTHING")
        return
    if is_sqlite(store):
        # SQLite's triggers cannot change the row on its way: it is changed afterwards, with the guard taken away
        run_statements(
            store,
            f"DROP TRIGGER {table}_no_update",
            f"CREATE TRIGGER meddler AFTER INSERT ON {table} BEGIN UPDATE {table} SET new_value = 'b' "
            "WHERE seq = NEW.seq; END",
        )
        return
    change, late = ("NEW.new_value := 'b'", "") if act == "alters" else ("NULL", "DEFERRABLE INITIALLY DEFERRED")
    body = f"BEGIN {change}; RETURN NEW; END"
    if act == "alters late":
        run_statements(store, f"DROP TRIGGER {table}_no_update ON {table}")
        body = f"BEGIN UPDATE {table} SET new_value = 'b' WHERE seq = NEW.seq; RETURN NEW; END"
    kind = "CONSTRAINT TRIGGER meddler AFTER" if late else "TRIGGER meddler BEFORE"
    run_statements(
        store,
        f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"CREATE {kind} INSERT ON {table} {late} FOR EACH ROW EXECUTE FUNCTION meddle()",
    )


@pytest.mark.parametrize("act", ["drops", "alters", "alters late"])
def test_what_the_database_does_not_keep_as_sent_is_not_acknowledged(store: LabelStore, draft: Make, act: str) -> None:
    before = [store.append(draft(number)).seq for number in range(1, 4)]
    _meddle(store, act)
    with pytest.raises(LabelStoreError, match=r"did not keep what it was sent.*meddler"):
        store.append_all([draft(50), draft(51)])
    assert [event.seq for event in store.events()] == before
    assert store.verify().sound
