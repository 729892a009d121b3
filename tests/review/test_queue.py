"""The queue: filters, claims, double reading, and what holds after a restart."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.review.made_up import items_of

from graticule.errors import OptionError
from graticule.record.store import LabelStore
from graticule.review.desk import Decision, Desk
from graticule.review.items import KINDS, Items
from graticule.review.ledger import Ledger
from graticule.review.queue import CLAIM_SECONDS, Filters, Queue
from graticule.review.sight import Settings

ALL = Filters("all")


class _Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    with LabelStore.open(str(tmp_path / "labels.db")) as store:
        yield store  # type: ignore[misc]


def _queue(store: LabelStore, items: Items, readings: int = 1) -> tuple[Queue, _Clock]:
    clock = _Clock()
    return Queue(items, Ledger(store, items.sha256.tolist()), readings, clock), clock


def test_two_persons_never_hold_the_same_image(store: LabelStore) -> None:
    queue, _ = _queue(store, items_of(40))
    held: dict[str, list[int]] = {"ann": [], "bob": []}
    for _ in range(10):
        for who, own in held.items():
            own += queue.take(who, ALL, 2, skip=own)
    assert sorted(held["ann"] + held["bob"]) == list(range(40))
    assert len(held["ann"]) == 20
    assert queue.take("ann", ALL, 1, skip=held["ann"]) == []


def test_a_page_that_is_loaded_anew_gets_the_same_image(store: LabelStore) -> None:
    queue, _ = _queue(store, items_of(10))
    assert queue.take("ann", ALL, 2) == queue.take("ann", ALL, 2) == [0, 1]


def test_images_held_are_not_handed_out_again_and_come_back_when_given_up(store: LabelStore) -> None:
    queue, clock = _queue(store, items_of(5))
    held = queue.take("ann", ALL, 3)
    assert queue.take("ann", ALL, 5, skip=held) == [3, 4]
    assert queue.take("bob", ALL, 5) == []
    queue.release("ann", 1)
    assert queue.take("bob", ALL, 5) == [1]
    clock.now = CLAIM_SECONDS + 1.0
    assert queue.take("bob", ALL, 5) == [0, 1, 2, 3, 4]


def test_holding_renews_a_claim(store: LabelStore) -> None:
    queue, clock = _queue(store, items_of(1))
    queue.take("ann", ALL)
    for _ in range(4):
        clock.now += 0.6 * CLAIM_SECONDS
        queue.take("ann", ALL, 1, skip=[0])
        assert queue.take("bob", ALL) == []


def test_double_reading_gives_each_image_to_two_persons_and_no_third(store: LabelStore) -> None:
    desk = Desk(items_of(30), store, Settings(double=True))
    given: Counter[int] = Counter()
    for who in ("ann", "bob", "cyd"):
        while places := desk.take(who, ALL, 1):
            given[places[0]] += 1
            desk.decide(who, Decision(desk.items.sha256[places[0]], "label", "a"))
    assert set(given.values()) == {2}
    assert len(given) == 30


def test_filters(store: LabelStore) -> None:
    items = items_of(300)
    queue, _ = _queue(store, items)
    every = queue.wanted(ALL)
    assert every.all()
    by_kind = sum(queue.wanted(Filters(kind)).astype(int) for kind in KINDS)
    assert (by_kind == 1).all()
    some = queue.wanted(Filters("all", "b", "g2", 0.5, 0.9))
    expected = (items.suggested == "b") & (items.group == "g2") & (items.score >= 0.5) & (items.score <= 0.9)
    assert some.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (Filters("odd"), "allowed are needed, all"),
        (Filters(label="x"), "the model's classes are a, b, c"),
        (Filters(low=0.9, high=0.1), "0 to 1"),
        (Filters(low=float("nan")), "0 to 1"),
    ],
)
def test_faulty_filters_are_refused(store: LabelStore, filters: Filters, said: str) -> None:
    queue, _ = _queue(store, items_of(5))
    with pytest.raises(OptionError, match=said):
        queue.take("ann", filters)


def test_what_was_decided_is_not_shown_again_after_a_restart(tmp_path: Path) -> None:
    items = items_of(20)
    with LabelStore.open(str(tmp_path / "labels.db")) as store:
        desk = Desk(items, store)
        for place in desk.take("ann", ALL, 7):
            desk.decide("ann", Decision(items.sha256[place], "label", "a"))
    with LabelStore.open(str(tmp_path / "labels.db")) as store:
        desk = Desk(items, store)
        assert desk.take("bob", ALL, 20) == list(range(7, 20))
        desk.decide("ann", Decision(items.sha256[3], "undo"))
        assert 3 in desk.take("ann", ALL, 20)


def test_what_another_program_stores_is_taken_in(tmp_path: Path, draft: Callable[..., object]) -> None:
    items = items_of(6)
    place = str(tmp_path / "labels.db")
    with LabelStore.open(place) as one, LabelStore.open(place) as two:
        desk, other = Desk(items, one), Desk(items, two)
        other.decide("bob", Decision(items.sha256[0], "label", "a"))
        other.decide("bob", Decision(items.sha256[1], "label", "b"))
        desk.decide("ann", Decision(items.sha256[2], "label", "c"))  # number 3: the two before it are read
        assert desk.ledger.decided.tolist() == [True, True, True, False, False, False]
        assert desk.take("ann", ALL, 6) == [3, 4, 5]


def test_eight_threads_share_the_queue_without_loss_or_double(store: LabelStore) -> None:
    desk = Desk(items_of(160), store)
    done: list[int] = []

    def work(who: str) -> None:
        while places := desk.take(who, ALL, 2):
            for place in places:
                desk.decide(who, Decision(desk.items.sha256[place], "label", "a"))
                done.append(place)

    threads = [threading.Thread(target=work, args=(f"person {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(160))
    assert store.head().seq == 160
    assert store.verify().sound


def test_an_image_decided_while_another_person_is_served_is_not_handed_out(store: LabelStore) -> None:
    desk = Desk(items_of(3), store)
    desk.take("ann", ALL, 1)
    listed = desk.queue.open_for

    def decided_in_between(who: str, filters: Filters) -> object:
        found = listed(who, filters)
        if who == "bob":
            desk.decide("ann", Decision(desk.items.sha256[0], "label", "a"))
        return found

    desk.queue.open_for = decided_in_between  # type: ignore[method-assign, assignment]
    assert desk.take("bob", ALL, 1) == [1]
