"""What one person sees of an image: the model's opinion and others' decisions, or that they are withheld."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.review.made_up import items_of

from graticule.arrays import object_array
from graticule.errors import OptionError
from graticule.record.events import EventDraft
from graticule.record.store import LabelStore
from graticule.review.items import draw_control
from graticule.review.queue import Filters
from graticule.review.sight import Settings, Sight


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(str(tmp_path / "labels.db")) as opened:
        yield opened


def say(sight: Sight, place: int, who: str, value: str = "a") -> None:
    items = sight.items
    draft = EventDraft(who, "label", items.sha256[place], items.path[place], new_value=value)
    sight.ledger.add(sight.store.append(draft))


def test_the_opinion_is_the_model_s_and_a_blind_one_is_empty(store: LabelStore) -> None:
    items = items_of(20)
    seen = Sight(items, store).opinion(3, "ann")
    assert (seen["name"], seen["group"], seen["suggested"]) == (items.path[3], items.group[3], items.suggested[3])
    assert [one["score"] for one in seen["classes"]] == items.proba[3].tolist()
    assert [one["name"] for one in seen["classes"] if one["in_set"]] == list(items.sets[3])
    blind = Sight(items, store, Settings(blind=True)).opinion(3, "ann")
    assert [blind[name] for name in ("why", "given", "suggested", "score")] == [None] * 4
    assert {one["score"] for one in blind["classes"]} == {one["in_set"] for one in blind["classes"]} == {None}
    assert items.path[3] not in blind["name"]


def test_the_control_sample_is_blind_in_an_open_review(store: LabelStore) -> None:
    items = items_of(100)
    items = replace(items, sampling_prob=draw_control(items, 10))
    sight = Sight(items, store)
    blind = np.array([sight.is_blind(place) for place in range(100)])
    assert blind.tolist() == (items.kind == "control").tolist()
    assert 10 <= blind.sum() < 60
    grid = sight.grid(Filters("all"), "ann")
    assert not blind[grid].any()
    assert (np.diff(sight.score[grid]) <= 0).all()
    assert len(Sight(items, store, Settings(blind=True)).grid(Filters("all"), "ann")) == 0


def test_a_second_reader_learns_of_the_first_after_deciding(store: LabelStore) -> None:
    sight = Sight(items_of(6), store, Settings(double=True))
    say(sight, 2, "ann", "a")
    assert sight.opinion(2, "bob")["history"] == []
    assert sight.withheld("bob").tolist() == [False, False, True, False, False, False]
    assert (sight.slot(2, "ann"), sight.slot(2, "bob"), sight.withheld("ann").any()) == (1, 2, False)
    say(sight, 2, "bob", "b")
    assert [event["who"] for event in sight.opinion(2, "bob")["history"]] == ["ann", "bob"]
    assert not sight.withheld("eve").any()
    assert sight.disagreements().tolist() == [2]


def test_a_suspect_says_what_it_is_and_what_it_looks_like(store: LabelStore) -> None:
    n = 4
    columns = {"given": object_array(["c"] * n), "suggested": object_array(["a"] * n), "suspicion": np.full(n, 0.9)}
    assert Sight(items_of(n, **columns), store).opinion(0, "ann")["why"] == "labelled c, looks like a"


def test_an_image_of_another_review_is_named(store: LabelStore) -> None:
    sight = Sight(items_of(3), store)
    assert sight.place(sight.items.sha256[2]) == 2
    with pytest.raises(OptionError, match="there is no image 'ffff"):
        sight.place("f" * 64)


def test_a_grid_loses_what_was_decided(store: LabelStore) -> None:
    sight = Sight(items_of(12), store)
    before = sight.grid(Filters("all", "a"), "ann").tolist()
    say(sight, before[0], "bob")
    assert sight.grid(Filters("all", "a"), "ann").tolist() == before[1:]
