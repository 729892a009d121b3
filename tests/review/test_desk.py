"""What a person may see and do: blind images, bulk labels, disagreements, signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.review.made_up import items_of

from graticule.errors import LabelStoreError, OptionError
from graticule.record.store import LabelStore
from graticule.review.desk import Decision, Desk
from graticule.review.items import draw_control
from graticule.review.queue import Filters
from graticule.review.sight import Settings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(str(tmp_path / "labels.db")) as store:
        yield store


def _with_control(n: int = 100) -> object:
    items = items_of(n)
    return replace(items, sampling_prob=draw_control(items, 30, 0))


def _opinion_is_withheld(shown: dict[str, object]) -> bool:
    scores = [c["score"] for c in shown["classes"]] + [c["in_set"] for c in shown["classes"]]  # type: ignore[attr-defined]
    return all(shown[k] is None for k in ("why", "given", "suggested", "score")) and set(scores) == {None}


def test_control_images_are_always_blind_and_carry_their_chance(store: LabelStore) -> None:
    desk = Desk(_with_control(), store)  # type: ignore[arg-type]
    control = np.flatnonzero(desk.items.kind == "control")
    other = np.flatnonzero(desk.items.kind == "unsure")
    assert all(_opinion_is_withheld(desk.opinion(int(p), "ann")) for p in control)
    assert not any(_opinion_is_withheld(desk.opinion(int(p), "ann")) for p in other)
    blind = desk.decide("ann", Decision(desk.items.sha256[control[0]], "label", "a"))
    seen = desk.decide("ann", Decision(desk.items.sha256[other[0]], "label", "a"))
    assert (blind.blind, blind.queue_reason) == (True, "control")
    assert blind.sampling_prob == desk.items.sampling_prob[control[0]]
    assert (seen.blind, seen.sampling_prob, seen.queue_reason) == (False, None, "unsure")


def test_a_person_who_saw_the_opinion_is_not_blind(store: LabelStore) -> None:
    desk = Desk(items_of(5), store, Settings(blind=True, model_hash="m", run_hash="r"))
    assert _opinion_is_withheld(desk.opinion(0, "ann"))
    event = desk.decide("ann", Decision(desk.items.sha256[0], "label", "a", saw_opinion=True))
    assert (event.blind, event.model_hash, event.run_hash) == (False, "m", "r")
    assert desk.decide("ann", Decision(desk.items.sha256[1], "label", "a")).blind


def test_readers_of_a_double_reading_do_not_see_each_other(store: LabelStore) -> None:
    desk = Desk(items_of(3), store, Settings(double=True))
    first = desk.decide("ann", Decision(desk.items.sha256[0], "label", "a"))
    assert desk.opinion(0, "bob")["history"] == []
    second = desk.decide("bob", Decision(desk.items.sha256[0], "label", "b"))
    assert (first.slot, second.slot) == (1, 2)
    assert [e["who"] for e in desk.opinion(0, "bob")["history"]] == ["ann", "bob"]
    assert desk.disagreements().tolist() == [0]
    desk.decide("cyd", Decision(desk.items.sha256[0], "adjudicate", "b"))
    assert desk.disagreements().tolist() == []


def test_bulk_labels_are_marked_sent_twice_stored_once_and_spare_the_control_sample(store: LabelStore) -> None:
    desk = Desk(_with_control(), store)  # type: ignore[arg-type]
    control = int(np.flatnonzero(desk.items.kind == "control")[0])
    places = desk.grid(Filters("all", "a"), "ann")
    assert not (desk.items.kind[places] == "control").any()
    assert (np.diff(desk.items.score[places]) <= 0).all()
    wanted = [(desk.items.sha256[p], f"id {p}") for p in [*places[:6].tolist(), control]]
    assert [sha for sha, _ in desk.accept_all("ann", "a", wanted)] == [desk.items.sha256[control]]
    assert [sha for sha, _ in desk.accept_all("ann", "a", wanted)] == [desk.items.sha256[control]]
    events = list(store.events())
    assert len(events) == 6
    assert all(e.bulk and not e.blind and e.sampling_prob is None for e in events)
    refused = desk.accept_all("ann", "b", [(desk.items.sha256[places[0]], "another id"), ("f" * 64, "x")])
    assert ["decided on it already" in refused[0][1], "no image" in refused[1][1]] == [True, True]


def test_no_bulk_where_the_opinion_is_withheld(store: LabelStore) -> None:
    desk = Desk(items_of(20), store, Settings(blind=True))
    assert len(desk.grid(Filters("all", "a"), "ann")) == 0
    with pytest.raises(LabelStoreError, match="withheld"):
        desk.accept_all("ann", "a", [(desk.items.sha256[0], "1")])


def test_a_file_that_changed_is_not_labelled(store: LabelStore) -> None:
    desk = Desk(items_of(5), store, is_changed=lambda place: place == 2)
    with pytest.raises(LabelStoreError, match="no longer the file"):
        desk.decide("ann", Decision(desk.items.sha256[2], "label", "a"))
    assert desk.decide("ann", Decision(desk.items.sha256[1], "label", "a")).seq == 1


@pytest.mark.parametrize(
    ("decision", "error", "said"),
    [
        (Decision("f" * 64, "label", "a"), OptionError, "no image"),
        (Decision("first", "label", "zebra"), LabelStoreError, "allowed are a, b, c"),
        (Decision("first", "sign", "a"), LabelStoreError, "allowed are label"),
        (Decision("first", "undo"), LabelStoreError, "nothing to undo"),
        (Decision("first", "change", "a", "because"), LabelStoreError, "nothing to change"),
    ],
)
def test_faulty_decisions_store_nothing(
    store: LabelStore, decision: Decision, error: type[Exception], said: str
) -> None:
    desk = Desk(items_of(5), store)
    image = desk.items.sha256[0] if decision.image == "first" else decision.image
    with pytest.raises(error, match=said):
        desk.decide("ann", replace(decision, image=image))
    assert store.head().seq == 0


def test_undo_returns_the_image_to_the_queue(store: LabelStore) -> None:
    desk = Desk(items_of(5), store)
    image = desk.items.sha256[0]
    desk.decide("ann", Decision(image, "label", "a"))
    desk.decide("ann", Decision(image, "change", "b", "a spot on the lens"))
    assert desk.opinion(0, "ann")["mine"]["value"] == "b"
    assert desk.decide("ann", Decision(image, "undo")).new_value == "a"
    assert desk.decide("ann", Decision(image, "undo")).new_value is None
    assert desk.take("bob", Filters("all"), 1) == [0]


def test_signatures_cover_the_scope_that_was_asked_for(store: LabelStore) -> None:
    desk = Desk(_with_control(), store)  # type: ignore[arg-type]
    with pytest.raises(LabelStoreError, match="nothing to sign"):
        desk.sign("ann", "batch 1", "reviewed", "mine")
    control = np.flatnonzero(desk.items.kind == "control")[:2]
    unsure = np.flatnonzero(desk.items.kind == "unsure")[:3]
    for place in [*control.tolist(), *unsure.tolist()]:
        desk.decide("ann", Decision(desk.items.sha256[place], "label", "a"))
    desk.decide("bob", Decision(desk.items.sha256[np.flatnonzero(desk.items.kind == "novel")[0]], "novel"))
    signed = {scope: desk.sign("ann", scope, "reviewed", scope).n_images for scope in ("mine", "all", "control")}
    assert signed == {"mine": 5, "all": 6, "control": 2}
    with pytest.raises(LabelStoreError, match="allowed are mine"):
        desk.sign("ann", "batch", "reviewed", "theirs")
