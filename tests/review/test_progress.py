"""The overview: error among accepted with planted truth, pace, override rate, agreement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.review.made_up import items_of

from graticule.arrays import object_array
from graticule.decide.decisions import ACCEPT
from graticule.record.current import ImageState
from graticule.record.events import Event
from graticule.record.store import LabelStore
from graticule.review.desk import Decision, Desk
from graticule.review.items import CONTROL, Items, draw_control
from graticule.review.progress import error_among_accepted, overview, work_of
from graticule.review.sight import Settings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(str(tmp_path / "labels.db")) as store:
        yield store


def _event(seq: int, image: str | None, value: str | None, who: str = "ann", **more: object) -> Event:
    row: dict[str, object] = dict.fromkeys(Event.__dataclass_fields__)
    row |= {"seq": seq, "format": 1, "time": "2026-01-01T00:00:00.000000Z", "who": who, "action": "label",
            "image_sha256": image, "new_value": value, "blind": True, "bulk": False}  # fmt: skip
    return Event(**row | more)  # type: ignore[arg-type]


def _judged(items: Items, truth: np.ndarray) -> dict[str, ImageState]:
    states = {}
    for place in np.flatnonzero(items.kind == CONTROL).tolist():
        states[items.sha256[place]] = ImageState({"ann": [_event(place + 1, items.sha256[place], truth[place])]})
    return states


def test_error_among_accepted_is_found_again_and_its_interval_holds() -> None:
    items = items_of(6000, seed=3)
    # a rare class errs ten times as often as the others
    suggested = np.array(["c" if i % 40 == 0 else "a" for i in range(6000)], dtype=object)
    items = replace(items, suggested=suggested)
    rng = np.random.default_rng(0)
    held, values, true = 0, [], []
    for seed in range(150):
        wrong = rng.random(6000) < np.where(suggested == "c", 0.3, 0.03)
        truth = object_array(["b" if w else s for w, s in zip(wrong, suggested, strict=True)])
        drawn = replace(items, sampling_prob=draw_control(items, 250, seed))
        found = error_among_accepted(drawn, _judged(drawn, truth))
        share = wrong[items.decision == ACCEPT].mean()
        held += found.low <= share <= found.high
        values.append(found.value)
        true.append(share)
    assert np.mean(values) == pytest.approx(np.mean(true), abs=0.003)
    assert held >= 0.91 * 150


def test_error_counts_blind_decisions_and_adjudications_alone() -> None:
    items = items_of(400)
    items = replace(items, sampling_prob=draw_control(items, 60, 0))
    control = [items.sha256[p] for p in np.flatnonzero(items.kind == CONTROL)]
    model = dict(zip(items.sha256.tolist(), items.suggested.tolist(), strict=True))
    other = {sha: next(c for c in items.classes if c != model[sha]) for sha in control}
    seen = {sha: ImageState({"ann": [_event(1, sha, other[sha], blind=False)]}) for sha in control}
    assert error_among_accepted(items, seen).n == 0
    doubtful = {sha: ImageState({"ann": [_event(1, sha, "/doubtful", action="doubtful")]}) for sha in control}
    assert error_among_accepted(items, doubtful).n == 0
    novel = {sha: ImageState({"ann": [_event(1, sha, "/novel", action="novel")]}) for sha in control}
    assert error_among_accepted(items, novel).value == 1.0
    settled = {sha: ImageState({}, [_event(2, sha, model[sha], action="adjudicate", blind=False)]) for sha in control}
    assert error_among_accepted(items, settled).value == 0.0
    found = error_among_accepted(items, {control[0]: settled[control[0]]})
    assert len(found.missing) == 2
    assert found.high > 0.5


def test_pace_leaves_pauses_out() -> None:
    def at(seconds: int) -> str:
        return f"2026-01-01T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.000000Z"

    times = [0, 10, 20, 30, 3600, 3610, 3620]
    events = [_event(i + 1, f"{i}", "a", time=at(t), seconds=9.0) for i, t in enumerate(times)]
    events.append(_event(9, "x", "a", time=at(3621), bulk=True))
    events.append(_event(10, "y", "a", time=at(3622), action="import"))
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
