"""The routes that the script calls: what they answer, and what they store."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from tests.review.web.conftest import say

from graticule.review.sight import Settings

Open = Callable[..., Any]


def test_queue_hands_out_images_and_counts(open_desk: Open) -> None:
    opened = open_desk(24)
    client = opened.client("ann")
    first = client.get("/api/queue", params={"kind": "all", "n": 3}).json()
    assert [len(first["items"]), first["total"], first["done"], first["left"]] == [3, 24, 0, 24]
    held = ",".join(item["id"] for item in first["items"])
    more = client.get("/api/queue", params={"kind": "all", "n": 2, "skip": held}).json()
    assert not {i["id"] for i in more["items"]} & {i["id"] for i in first["items"]}
    assert say(client, first["items"][0]["id"]).status_code == 201
    after = client.get("/api/queue", params={"kind": "all", "n": 0}).json()
    assert (after["done"], after["left"]) == (1, 23)


def test_item_tells_what_file_and_model_say(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client()
    item = client.get(f"/api/item/{opened.desk.items.sha256[0]}").json()
    assert (item["width"], item["height"], item["bar"], item["problem"]) == (64, 48, None, None)
    assert item["nearest"] == [{"id": 0, "class": "a"}, {"id": 1, "class": "b"}]
    assert [c["name"] for c in item["classes"]] == ["a", "b", "c"]
    assert item["score"] == pytest.approx(max(c["score"] for c in item["classes"]))
    assert item["explain"]


def test_the_nearest_training_images_of_the_likeliest_classes(open_desk: Open) -> None:
    asked = []

    def of_classes(file: Path, path: str, classes: list[str]) -> list[list[str]]:
        asked.append((file.name, path, classes))
        return [["near/1.png", "near/0.png"], [], ["near/1.png", "gone.png"], []][: len(classes)]

    opened = open_desk(60, of_classes=of_classes, control=8)
    client, items = opened.client(), opened.desk.items
    control = int(np.flatnonzero(items.kind == "control")[0])
    place = int(np.flatnonzero(items.kind == "unsure")[0])
    answer = client.get(f"/api/nearest/{items.sha256[place]}").json()
    names = [items.classes[k] for k in np.argsort(-items.proba[place])]
    assert asked == [(opened.pictures.files[place].name, items.path[place], names)]
    assert answer == {"classes": [{"class": names[0], "images": [1, 0]}, {"class": names[2], "images": [1]}]}
    assert client.get("/api/settings").json()["can_compare"]
    assert client.get(f"/api/nearest/{items.sha256[control]}").json() == {"classes": []}
    assert client.get(f"/api/nearest/{'f' * 64}").status_code == 404
    assert len(asked) == 1
    PIL.Image.new("RGB", (9, 9)).save(opened.pictures.files[place])
    assert client.get(f"/api/nearest/{items.sha256[place]}").json() == {"classes": []}


def test_blind_reviews_compare_with_no_training_image(open_desk: Open) -> None:
    opened = open_desk(settings=Settings(blind=True), of_classes=lambda *_: [["near/0.png"]] * 3)
    client = opened.client()
    assert not client.get("/api/settings").json()["can_compare"]
    assert client.get(f"/api/nearest/{opened.desk.items.sha256[0]}").json() == {"classes": []}


def test_a_decision_of_another_person_than_the_session_s_is_not_stored(open_desk: Open) -> None:
    opened = open_desk()
    bob = opened.client("bob")
    image = opened.desk.items.sha256[0]
    sign = {"batch": "Monday", "meaning": "reviewed", "scope": "mine"}
    bulk = {"value": "a", "images": [{"id": image, "client_id": "1"}]}
    for answer in (
        say(bob, image, who="ann"), bob.post("/api/bulk", json=bulk | {"who": "ann"}),
        bob.post("/api/sign", json=sign | {"who": "ann"}),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["who"]) == (409, "bob")
        assert "nothing was stored" in answer.json()["error"]
    assert opened.desk.store.head().seq == 0
    assert say(bob, image, who="bob").status_code == 201
    assert say(bob, opened.desk.items.sha256[1]).status_code == 201  # other clients need not say it
    assert {event.who for event in opened.desk.store.events()} == {"bob"}


def test_pictures_are_made_anew(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client()
    image = opened.desk.items.sha256[0]
    whole = client.get(f"/api/image/{image}")
    stored = opened.pictures.files[0].read_bytes()
    assert whole.content != stored
    assert np.array_equal(
        np.asarray(PIL.Image.open(io.BytesIO(whole.content))), np.asarray(PIL.Image.open(io.BytesIO(stored)))
    )
    assert PIL.Image.open(io.BytesIO(client.get(f"/api/image/{image}?side=20").content)).size == (20, 15)
    thumb = client.get(f"/api/thumb/{image}")
    assert (thumb.headers["content-type"], PIL.Image.open(io.BytesIO(thumb.content)).size) == ("image/jpeg", (64, 48))
    map_ = PIL.Image.open(io.BytesIO(client.get(f"/api/explanation/{image}", params={"class": "a"}).content))
    assert (map_.mode, map_.size) == ("RGBA", (64, 48))
    assert client.get("/api/training/1/thumb").status_code == 200
    assert client.get("/api/training/99/thumb").status_code == 404
    assert client.get(f"/api/explanation/{image}", params={"class": "x"}).status_code == 422


def test_the_same_keystroke_sent_twice_is_stored_once(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client()
    image = opened.desk.items.sha256[0]
    one = say(client, image, client_id="key 1")
    two = say(client, image, client_id="key 1")
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.json() == two.json()
    assert opened.desk.store.head().seq == 1


def test_what_does_not_fit_is_a_conflict_and_what_is_faulty_is_said(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client()
    image = opened.desk.items.sha256[0]
    assert say(client, image, "undo", None).status_code == 409
    assert say(client, image).status_code == 201
    again = say(client, image, value="b")
    assert (again.status_code, "with a reason" in again.json()["error"]) == (409, True)
    assert say(client, image, "change", "b", reason="seen from the side").status_code == 201
    assert say(client, image, value="zebra").status_code == 409
    assert say(client, "f" * 64).status_code == 404
    assert say(client, "not a hash").status_code == 422
    assert say(client, image, "sign").status_code == 422
    assert say(client, image, seconds=-1).status_code == 422
    assert say(client, image, more="than allowed").status_code == 422
    assert client.post("/api/event", content=b"{", headers={"content-type": "application/json"}).status_code == 422
    assert opened.desk.store.head().seq == 2


def test_blind_images_give_nothing_away_on_any_route(open_desk: Open) -> None:
    opened = open_desk(settings=Settings(blind=True))
    client = opened.client()
    shown = client.get("/api/queue", params={"kind": "all", "n": 8}).json()["items"]
    for item in shown:
        assert item["blind"]
        assert [item["why"], item["score"], item["suggested"], item["nearest"]] == [None, None, None, []]
        assert {c["score"] for c in item["classes"]} == {None}
        assert client.get(f"/api/explanation/{item['id']}", params={"class": "a"}).status_code == 404
    assert client.get("/api/grid", params={"class": "a", "kind": "all"}).json()["items"] == []


def test_grid_bulk_and_refusals(open_desk: Open) -> None:
    opened = open_desk(60)
    client = opened.client()
    grid = client.get("/api/grid", params={"class": "a", "kind": "all"}).json()
    scores = [item["score"] for item in grid["items"]]
    assert scores == sorted(scores, reverse=True)
    images = [{"id": item["id"], "client_id": str(i)} for i, item in enumerate(grid["items"])]
    answer = client.post("/api/bulk", json={"value": "a", "images": [*images, {"id": "f" * 64, "client_id": "x"}]})
    assert answer.json()["stored"] == len(images)
    assert len(answer.json()["refused"]) == 1
    assert client.get("/api/grid", params={"class": "a", "kind": "all"}).json()["total"] == 0
    assert client.get("/api/grid").status_code == 422
    assert client.post("/api/bulk", json={"value": "a", "images": images * 100}).status_code == 422


def test_disagreements_are_listed_and_settled(open_desk: Open) -> None:
    opened = open_desk(settings=Settings(double=True))
    ann, bob = opened.client("ann"), opened.client("bob")
    image = opened.desk.items.sha256[4]
    assert say(ann, image, value="a").status_code == say(bob, image, value="b").status_code == 201
    listed = ann.get("/api/disagreements").json()
    assert listed["total"] == 1
    assert [(r["who"], r["value"]) for r in listed["items"][0]["readings"]] == [("ann", "a"), ("bob", "b")]
    assert say(ann, image, "adjudicate", "b").status_code == 201
    assert ann.get("/api/disagreements").json()["total"] == 0


def test_verify_and_sign(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client("ann")
    body = {"batch": "Monday", "meaning": "reviewed", "scope": "mine"}
    assert client.post("/api/sign", json=body).status_code == 409
    say(client, opened.desk.items.sha256[0])
    signed = client.post("/api/sign", json=body)
    assert (signed.status_code, signed.json()["n_images"], signed.json()["who"]) == (201, 1, "ann")
    head = signed.json()["head"]
    say(client, opened.desk.items.sha256[1])
    found = client.post("/api/verify", json={"head": head}).json()
    assert (found["sound"], found["n_events"]) == (True, 3)
    assert "1 events are newer" in found["tail"]
    assert client.post("/api/verify", json={"head": None}).json()["tail"].startswith("unproven")
    assert not client.post("/api/verify", json={"head": "2:" + "0" * 64}).json()["sound"]
    assert client.post("/api/verify", json={"head": "nonsense"}).status_code in (409, 422)


def test_a_replaced_file_is_shown_as_such_and_not_labelled(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client()
    image = opened.desk.items.sha256[0]
    PIL.Image.new("RGB", (10, 10)).save(opened.pictures.files[0])
    assert "changed" in client.get(f"/api/item/{image}").json()["problem"]
    assert say(client, image).status_code == 409
    opened.pictures.files[1].unlink()
    gone = opened.desk.items.sha256[1]
    assert client.get(f"/api/item/{gone}").json()["problem"]
    assert client.get(f"/api/image/{gone}").status_code == 404
