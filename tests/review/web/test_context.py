"""What the routes share: filters, persons, and an image as the page gets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from tests.review.made_up import items_of
from tests.review.web.conftest import say

from graticule.errors import OptionError
from graticule.review.sight import Settings
from graticule.review.web.bodies import Query
from graticule.review.web.context import Nearest, another_person, filters_of, person

Open = Callable[..., Any]


def test_addresses_of_kept_pictures_differ_between_reviews(open_desk: Open) -> None:
    made = [Settings(model_hash="m", run_hash="r"), Settings(model_hash="m", run_hash="s"), Settings(run_hash="r")]
    opened = [open_desk(2, settings=settings).client().get("/api/settings").json()["of"] for settings in made]
    assert len(set(opened)) == 3
    assert "immutable" in open_desk(2).client().get("/api/training/0/thumb").headers["cache-control"]


def test_a_session_without_a_name_keeps_what_a_person_sends(open_desk: Open) -> None:
    opened = open_desk(user="")
    client = opened.client()
    answer = say(client, opened.desk.items.sha256[0], who="ann")
    assert (answer.status_code, answer.json()["who"], opened.desk.store.head().seq) == (409, "", 0)


def request(who: str | None) -> Request:
    return Request({"type": "http", "who": who})


def test_a_decision_is_of_the_person_of_the_session() -> None:
    assert another_person(request("ann"), None) is None
    assert another_person(request("ann"), "ann") is None
    refusal = another_person(request("bob"), "ann")
    assert refusal is not None
    assert (refusal.status_code, json.loads(bytes(refusal.body))["who"]) == (409, "bob")
    assert b"nobody's by now" in bytes(another_person(request(None), "ann").body)  # type: ignore[union-attr]
    assert person(request("ann")) == "ann"
    with pytest.raises(OptionError, match="say who you are"):
        person(request(""))


def test_filters_of_an_address_are_checked() -> None:
    found = filters_of(Query.model_validate({"class": "a", "min": "0.2", "kind": "all"}))
    assert (found.kind, found.label, found.low, found.high) == ("all", "a", 0.2, None)
    items = items_of(20)
    assert (found.passing(items) == ((items.suggested == "a") & (items.score >= 0.2))).all()
    with pytest.raises(OptionError):
        filters_of(Query(label="x")).passing(items)


def test_training_images_that_are_not_known_are_passed_over() -> None:
    assert Nearest({"a.png": 4, "b.png": 0}, ["x"] * 5).numbers(["b.png", "gone.png", "a.png"]) == [0, 4]
