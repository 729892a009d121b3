"""What the routes share: filters, persons, and an image as the page gets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.review.web.conftest import say

from graticule.review.sight import Settings

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
