"""The overview: error among accepted with planted truth, pace, override rate, agreement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.review.made_up import event_of, items_of

from graticule.record.store import LabelStore
from graticule.review.desk import Decision, Desk
from graticule.review.items import CONTROL, draw_control
from graticule.review.progress import overview, work_of
from graticule.review.sight import Settings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(str(tmp_path / "labels.db")) as store:
        yield store


def test_pace_leaves_pauses_out() -> None:
    def at(seconds: int) -> str:
        return f"2026-01-01T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.000000Z"

    times = [0, 10, 20, 30, 3600, 3610, 3620]
    events = [event_of(i + 1, f"{i}", "a", time=at(t), seconds=9.0) for i, t in enumerate(times)]
    events.append(event_of(9, "x", "a", time=at(3621), bulk=True))
    events.append(event_of(10, "y", "a", time=at(3622), action="import"))
    work = work_of(events)["ann"]
    assert work.labels == 7
    assert work.hours * 3600 == pytest.approx(50 + 2 * 9.0)
    assert work.median_seconds == 9.0


def test_overview_of_a_planted_review(store: LabelStore) -> None:
    items = items_of(300, seed=1)
    items = replace(items, sampling_prob=draw_control(items, 60, 0))
    desk = Desk(items, store, Settings(double=True))
    kind = items.kind
    for place in range(300):
        sha, guess = items.sha256[place], items.suggested[place]
        if kind[place] == CONTROL:
            wrong = "b" if guess != "b" else "a"
            for who in ("ann", "bob"):
                differs = who == "bob" and place % 7 == 0
                desk.decide(who, Decision(sha, "label", wrong if differs else guess, seconds=4.0))
        elif kind[place] == "unsure" and place % 2:
            desk.decide("ann", Decision(sha, "label", "c", seconds=2.0))
    found = overview(desk)
    n_control = int((kind == CONTROL).sum())
    n_differ = sum(1 for p in np.flatnonzero(kind == CONTROL) if p % 7 == 0)
    ann = next(row for row in found["people"] if row["who"] == "ann")
    overridden = sum(items.suggested[p] != "c" for p in range(300) if kind[p] == "unsure" and p % 2)
    read_once = sum(1 for p in range(300) if kind[p] == "unsure" and p % 2)
    assert ann["overrides"] == overridden
    assert ann["override_rate"]["value"] == pytest.approx(overridden / read_once)
    assert ann["blind"] == n_control
    assert found["n_disagreements"] == n_differ
    assert found["agreement"]["cohen"][0]["observed"] == pytest.approx(1 - n_differ / n_control)
    assert found["control"]["n_decided"] == n_control - n_differ
    assert found["control"]["error"]["value"] == 0.0
    assert found["n_left"] == int((kind != "other").sum()) - n_control
    by_kind = {row["kind"]: row for row in found["by_kind"]}
    assert by_kind["control"] == {"kind": "control", "total": n_control, "decided": n_control}
    assert sum(row["total"] for row in found["by_kind"]) == 300


def test_overview_of_an_empty_review_says_what_is_not_known(store: LabelStore) -> None:
    found = overview(Desk(items_of(20), store))
    assert found["minutes_left"] is None
    assert found["control"]["error"] is None
    assert "no control sample" in found["control"]["words"]
    assert found["agreement"] == {"cohen": [], "fleiss": None, "model": None}
