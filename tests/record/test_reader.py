"""Reading a store: one moment, searched, counted and verified."""

from __future__ import annotations

from collections.abc import Callable

from tests.label_store import run_statements

from graticule.record.events import EventDraft
from graticule.record.store import LabelStore
from graticule.record.trail import ChainEnd

Make = Callable[..., EventDraft]


def test_a_reader_sees_one_moment(store: LabelStore, draft: Make) -> None:
    store.append_all([draft(i) for i in range(5)])
    rows = store.rows()
    first = next(rows)
    store.append(draft(5))
    assert first["seq"] == 1
    assert [row["seq"] for row in rows] == [2, 3, 4, 5]
    assert [event.seq for event in store.events(up_to=2)] == [1, 2]


def test_a_search_counts_all_matches_and_gives_the_newest_first(small: LabelStore, draft: Make) -> None:
    small.append(draft(0, "bob", "doubtful", None))
    small.append(draft(1, "bob", value="100% b_c"))
    found, total = small.search(who="ann", limit=3)
    assert ([event.seq for event in found], total) == ([12, 11, 10], 12)
    found, total = small.search(who="ann", limit=3, before=10)
    assert ([event.seq for event in found], total) == ([9, 8, 7], 12)
    assert [event.action for event in small.search(action="doubtful")[0]] == ["doubtful"]
    image = draft(0).image_sha256 or ""
    assert [event.seq for event in small.search(image=image[:12])[0]] == [13, 1]
    assert small.search(image="img/11")[1] == 1
    assert small.search(image="%")[1] == small.search(image="_")[1] == 0


def test_people_and_classes_are_those_of_the_events(small: LabelStore, draft: Make) -> None:
    small.append_all([draft(0, "bob", "novel", None), draft(1, "bob", value="b"), draft(1, "bob", "undo", None)])
    assert small.people() == ["ann", "bob"]
    assert small.classes() == ["a", "b"]
    assert small.known("no such id") is None
    last = small.events_of(draft(1).image_sha256 or "")[-1]
    assert small.known(last.client_id) == last
    assert small.head() == ChainEnd(15, last.hash)


def test_a_walk_says_how_far_it_is_sound(small: LabelStore) -> None:
    head = small.head()
    assert small.verify(head).sound
    run_statements(
        small, "DROP TRIGGER label_events_no_update", "UPDATE label_events SET new_value = 'x' WHERE seq = 7"
    )
    found = small.verify(head)
    assert (found.sound, found.n_events, found.first_bad) == (False, 6, 7)
    assert small.missing_guards() == ("label_events_no_update",)
    assert small.foreign_rules() == ()
