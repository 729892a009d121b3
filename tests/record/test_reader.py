"""Reading a store: one moment, searched, counted and verified."""

from __future__ import annotations

from collections.abc import Callable

from graticule.record.events import EventDraft
from graticule.record.store import LabelStore

Make = Callable[..., EventDraft]


def test_a_reader_sees_one_moment(store: LabelStore, draft: Make) -> None:
    store.append_all([draft(i) for i in range(5)])
    rows = store.rows()
    first = next(rows)
    store.append(draft(5))
    assert first["seq"] == 1
    assert [row["seq"] for row in rows] == [2, 3, 4, 5]
    assert [event.seq for event in store.events(up_to=2)] == [1, 2]
