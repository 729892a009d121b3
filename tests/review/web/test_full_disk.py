"""A database that cannot grow any more: nothing acknowledged is lost, and what was refused can be sent again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from graticule.record.store import LabelStore

MANY = 2_000_000_000


def limit(store: LabelStore, pages: int) -> None:
    """Let SQLite's file have that many pages more than now."""
    with store._engine.connect() as connection:
        now = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {min(now + pages, MANY)}")


def test_a_full_disk_is_said_and_loses_nothing(open_desk: Callable[..., Any]) -> None:
    opened = open_desk(24)
    client, store = opened.client("ann"), opened.desk.store
    limit(store, 3)
    acknowledged, refused = [], None
    for number in range(400):
        image = opened.desk.items.sha256[number % 24]
        event = {"client_id": str(uuid.uuid4()), "action": "note", "image": image, "value": None,
                 "reason": "x" * 500, "blind": False}  # fmt: skip
        answer = client.post("/api/event", json=event)
        if answer.status_code != 201:
            refused = event
            break
        acknowledged.append((event["client_id"], answer.json()["seq"]))
    assert refused is not None
    assert (answer.status_code, "full" in answer.json()["error"]) == (503, True)
    assert client.post("/api/event", json=refused).status_code == 503
    assert client.get("/api/queue", params={"kind": "all"}).status_code == 200
    assert [(event.client_id, event.seq) for event in store.events()] == acknowledged
    assert store.verify().sound
    limit(store, MANY)
    for _ in range(2):
        assert client.post("/api/event", json=refused).json()["seq"] == len(acknowledged) + 1
    assert store.verify().n_events == len(acknowledged) + 1
