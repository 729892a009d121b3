"""The record as one person may read it: nothing of what others said of an image that is still to be judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.review.made_up import items_of

from graticule.record.store import LabelStore
from graticule.review.desk import Decision, Desk
from graticule.review.items import draw_control
from graticule.review.record_view import EventFilter, Lines, read_record
from graticule.review.sight import Settings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(str(tmp_path / "labels.db")) as store:
        yield store


def _withheld(page: Lines) -> list[int]:
    return [line.event.seq for line in page.lines if line.withheld]


def _seqs(page: Lines) -> list[int]:
    return [line.event.seq for line in page.lines]


def test_a_second_reader_sees_the_others_decisions_when_the_own_one_stands(store: LabelStore) -> None:
    desk = Desk(items_of(6), store, Settings(double=True))
    images = desk.items.sha256.tolist()
    desk.decide("ann", Decision(images[0], "label", "a"))
    desk.decide("ann", Decision(images[1], "novel"))
    desk.decide("bob", Decision(images[0], "label", "b"))
    desk.decide("ann", Decision(images[2], "note", reason="looks like c"))
    assert _withheld(read_record(desk, "ann", EventFilter())) == []
    assert _withheld(read_record(desk, "bob", EventFilter())) == [4, 2]
    assert _seqs(read_record(desk, "bob", EventFilter())) == [4, 3, 2, 1]
    # two have read the first one, so that a third may settle it
    assert _withheld(read_record(desk, "cyd", EventFilter())) == [4, 2]
    desk.decide("bob", Decision(images[1], "label", "a"))
    assert _withheld(read_record(desk, "bob", EventFilter())) == [4]
    desk.decide("cyd", Decision(images[2], "adjudicate", "c"))
    assert _withheld(read_record(desk, "bob", EventFilter())) == []


def test_what_is_taken_back_is_to_be_read_again(store: LabelStore) -> None:
    desk = Desk(items_of(3), store, Settings(double=True))
    image = desk.items.sha256[0]
    desk.decide("ann", Decision(image, "label", "a"))
    desk.decide("bob", Decision(image, "label", "b"))
    desk.decide("bob", Decision(image, "undo"))
    assert _withheld(read_record(desk, "bob", EventFilter())) == [1]


def test_filters_do_not_tell_what_is_withheld(store: LabelStore) -> None:
    desk = Desk(items_of(6), store, Settings(double=True))
    images = desk.items.sha256.tolist()
    desk.decide("ann", Decision(images[0], "novel"))
    desk.decide("bob", Decision(images[1], "novel"))
    for asked in (EventFilter(action="novel"), EventFilter(image="img/"), EventFilter(image=desk.items.path[0])):
        page = read_record(desk, "bob", asked)
        assert (1 not in _seqs(page), page.total) == (True, None)
    assert _seqs(read_record(desk, "bob", EventFilter(action="novel"))) == [2]
    assert _seqs(read_record(desk, "bob", EventFilter(action="label"))) == []
    # by its hash an image is found, which tells nothing
    by_hash = read_record(desk, "bob", EventFilter(image=images[0][:12]))
    assert (_seqs(by_hash), _withheld(by_hash)) == ([1], [1])
    assert (_seqs(read_record(desk, "ann", EventFilter(action="novel"))), _withheld(by_hash)) == ([1], [1])


def test_pages_follow_on_each_other_over_many_withheld_events(store: LabelStore) -> None:
    desk = Desk(items_of(40), store, Settings(double=True))
    for k, image in enumerate(desk.items.sha256.tolist()):
        desk.decide("ann" if k % 4 else "bob", Decision(image, "label", "a"))
    seen, before = [], None
    while True:
        page = read_record(desk, "bob", EventFilter(action="label", before=before), limit=3)
        seen += _seqs(page)
        before = page.before
        if before is None:
            break
    assert seen == [k + 1 for k in range(39, -1, -1) if k % 4 == 0]


def test_reviews_in_the_open_withhold_nothing_and_count_all(store: LabelStore) -> None:
    desk = Desk(items_of(8), store)
    for image in desk.items.sha256.tolist():
        desk.decide("ann", Decision(image, "label", "a"))
    page = read_record(desk, "bob", EventFilter(action="label"), limit=5)
    assert (_seqs(page), page.total, page.before) == ([8, 7, 6, 5, 4], 8, 4)
    assert _withheld(page) == []


def test_a_note_on_an_undecided_control_image_is_withheld(store: LabelStore) -> None:
    items = items_of(100)
    desk = Desk(replace(items, sampling_prob=draw_control(items, 30)), store)
    control, open_one = (int(np.flatnonzero(desk.items.kind == kind)[0]) for kind in ("control", "unsure"))
    for place in (control, open_one):
        desk.decide("ann", Decision(desk.items.sha256[place], "note", reason="looks like c"))
    assert _withheld(read_record(desk, "bob", EventFilter())) == [1]


@pytest.mark.parametrize("settings", [Settings(blind=True), Settings(blind=True, double=True)])
def test_who_could_know_of_another_decision_did_not_judge_blind(store: LabelStore, settings: Settings) -> None:
    desk = Desk(items_of(3), store, settings)
    image = desk.items.sha256[0]
    assert desk.decide("ann", Decision(image, "label", "a")).blind
    assert desk.decide("ann", Decision(image, "change", "b", "the nucleus")).blind
    second = desk.decide("bob", Decision(image, "label", "c"))
    assert second.blind == settings.double  # without double reading the record showed Ann's decision
    later = desk.decide("ann", Decision(image, "change", "c", "as Bob says"))
    assert not later.blind
