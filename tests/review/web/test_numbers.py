"""A review of numbers: what the routes take and answer, and the page in a real browser, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.review.made_up import SIZE, numbers_of
from tests.review.web.browser import Person, axe_script, serious_findings
from tests.review.web.conftest import Opened, say

from graticule.record.events import DOUBTFUL, NOVEL
from graticule.record.numbers import number_said
from graticule.review.desk import Decision
from graticule.review.sight import Settings

Open = Callable[..., Opened]
Sit = Callable[..., Person]


def stored(opened: Opened) -> list[tuple[str, str | None]]:
    """Action and value of every event; numbers in words."""
    return [
        (event.action, said.words if (said := number_said(event.new_value)) else event.new_value)
        for event in opened.desk.store.events()
    ]


def given(n: int) -> np.ndarray[Any, Any]:
    return np.linspace(15.0, 80.0, n).round(1)


def test_a_number_goes_through_the_routes_onto_the_record(open_desk: Open) -> None:
    opened = open_desk(asked=numbers_of(12, given=given(12)))
    client = opened.client("ann")
    settings = client.get("/api/settings").json()
    assert (settings["classes"], settings["can_grid"]) == ([], False)
    assert settings["number"] == {
        "target": "size", "unit": "nm", "least": 0.0, "most": 100.0, "reach": [0.0, 100.0], "logarithmic": False,
        "level": 0.9, "predicted": True,
    }  # fmt: skip
    item = client.get("/api/queue", params={"kind": "all", "n": 1}).json()["items"][0]
    place = opened.desk.place(item["id"])
    assert item["number"]["value"] == opened.desk.items.value[place]  # type: ignore[attr-defined]
    answer = say(client, item["id"], value="41.5 nm")
    assert (answer.status_code, answer.json()["value"]) == (201, "41.5 nm")
    shown = client.get(f"/api/item/{item['id']}").json()
    assert (shown["mine"]["value"], shown["history"][0]["value"]) == ("41.5 nm", "41.5 nm")
    assert say(client, item["id"], "change", "42", reason="typed wrongly").json()["value"] == "42 nm"
    assert say(client, item["id"], "undo", None).json()["value"] == "41.5 nm"
    assert stored(opened) == [("label", "41.5 nm"), ("change", "42 nm"), ("undo", "41.5 nm")]
    event = next(iter(opened.desk.store.events()))
    assert (event.new_value, event.who) == (SIZE.text(41.5), "ann")
    assert "41.5 nm" in client.get("/record").text
    assert client.get("/export/labels.csv").text.splitlines()[0].startswith("path,size,unit,")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("many", "is no number"),
        ("nan", "is NaN"),
        ("1e400", "is infinite"),
        ("-0.1", "is not possible"),
        ("100.5", "100.5 nm is not possible"),
        ("4 µm", "has the unit"),
        ("4,5", "decimal point, not a comma"),
        (SIZE.text(5.0), "is no number"),
        ("", "is no number"),
    ],
)
def test_what_cannot_be_is_refused_with_one_message(open_desk: Open, value: str, why: str) -> None:
    opened = open_desk(asked=numbers_of(3))
    answer = say(opened.client("ann"), opened.desk.items.sha256[0], value=value)
    assert answer.status_code == 409
    assert why in answer.json()["error"]
    assert "size is a number in nm from 0 to 100" in answer.json()["error"]
    assert opened.desk.store.head().seq == 0


def test_a_blind_review_gives_no_number_away(open_desk: Open) -> None:
    opened = open_desk(asked=numbers_of(4, given=given(4)), settings=Settings(blind=True))
    client = opened.client("ann")
    for sha in opened.desk.items.sha256:
        item = client.get(f"/api/item/{sha}").json()
        assert {item[name] for name in ("number", "given", "suggested", "why", "score")} == {None}
    page = client.get("/")
    assert "size from" not in page.text
    assert say(client, opened.desk.items.sha256[0], value="12", blind=True).status_code == 201
    assert next(iter(opened.desk.store.events())).blind


def test_many_at_once_is_not_for_numbers(open_desk: Open) -> None:
    opened = open_desk(asked=numbers_of(3))
    client = opened.client("ann")
    assert "read one by one" in client.get("/grid").text
    assert client.get("/api/grid").json()["items"] == []
    body = {"value": "12 nm", "images": [{"id": opened.desk.items.sha256[0], "client_id": "1"}]}
    assert client.post("/api/bulk", json=body).status_code == 409
    assert client.get("/api/queue", params={"min": "9", "max": "1"}).status_code == 422
    assert client.get(f"/api/explanation/{opened.desk.items.sha256[0]}", params={"class": "a"}).status_code == 422


def test_the_overview_compares_persons_and_measures_the_limits(open_desk: Open) -> None:
    items = numbers_of(60)
    opened = open_desk(asked=items, control=30, settings=Settings(double=True, tolerance=1.0))
    desk = opened.desk
    for place in np.flatnonzero(desk.items.kind == "control").tolist():
        value = desk.items.value[place]  # type: ignore[attr-defined]
        for who, off in (("ann", 0.25), ("bob", -0.25)):
            desk.decide(who, Decision(desk.items.sha256[place], "label", f"{value + off:.6f}"))
    text = opened.client("ann").get("/overview").text
    assert "<bdi>ann</bdi> less <bdi>bob</bdi>" in text
    assert "0.5<span" in text  # mean difference
    assert "persons less model" in text
    assert "The limits promise 10.0 %" in text
    assert "lowest third" in text
    assert "kappa" not in text
    assert desk.disagreements().tolist() == []


def test_decisions_by_keyboard(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(asked=numbers_of(24, given=given(24)))
    ann = sit(opened)
    items = opened.desk.items
    ann.press("4")
    ann.write("1.5")
    ann.decide("Enter")
    second = ann.decide(" ")
    ann.decide("d")
    ann.decide("n")
    fifth = ann.decide("k")
    sixth = ann.shown
    ann.press("ArrowUp", "ArrowUp", "ArrowDown")
    ann.decide("Enter")
    ann.press("9", "9", "9")
    ann.press("Enter")
    ann.says("#trouble", "999 is not possible: size is a number in nm from 0 to 100")
    ann.press("Escape", "Enter")
    ann.says("#trouble", "Type a number first, or accept the prediction")
    ann.press("z")  # back at the sixth
    ann.press("7")
    ann.decide("Enter")
    ann.saved()
    place = {sha: i for i, sha in enumerate(items.sha256.tolist())}
    value = float(items.value[place[sixth]])  # type: ignore[attr-defined]
    found = stored(opened)
    assert found[:5] == [
        ("label", "41.5 nm"),
        ("label", items.opinion(place[second], blind=False)["suggested"]),
        ("doubtful", DOUBTFUL),
        ("novel", NOVEL),
        ("label", items.opinion(place[fifth], blind=False)["given"]),
    ]
    assert found[6:] == [("undo", None), ("label", "7 nm")]
    stepped = number_said(next(e.new_value for e in opened.desk.store.events() if e.seq == 6))
    assert stepped is not None
    assert 0.0 < stepped.value - value <= 1.0
    assert ann.broken() == []


def test_the_slider_sets_the_number(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(asked=numbers_of(6))
    ann = sit(opened)
    ann.tab_to("#slider")
    ann.press("Home")
    assert ann.page.input_value("#number-field") == "0"
    ann.press("PageUp")
    moved = float(ann.page.input_value("#number-field"))
    assert moved > 0
    ann.decide("Enter")
    ann.saved()
    assert stored(opened) == [("label", SIZE.words(moved))]


def test_a_disagreement_is_settled_by_the_mean_or_another_number(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(asked=numbers_of(3))
    for sha in opened.desk.items.sha256[:2].tolist():
        opened.desk.decide("ann", Decision(sha, "label", "10"))
        opened.desk.decide("bob", Decision(sha, "label", "13 nm"))
    ann = sit(opened, "/disagreements")
    ann.says("#open-count", "2 to settle")
    ann.press("m")
    ann.says("#open-count", "1 to settle")
    ann.page.fill(".open input", "12 mm")
    ann.page.press(".open input", "Enter")
    ann.says(".open .broken", "is no number that can be saved")
    ann.page.fill(".open input", "12.25")
    ann.page.press(".open input", "Enter")
    ann.says("#open-count", "There are none")
    ann.saved()
    assert stored(opened)[4:] == [("adjudicate", "11.5 nm"), ("adjudicate", "12.25 nm")]


def test_the_page_can_be_read_by_everybody(open_desk: Open, browser: Any, sit: Sit) -> None:
    opened = open_desk(asked=numbers_of(6, given=given(6)))
    ann = sit(opened, script=axe_script(), bypass_csp=True)
    assert serious_findings(ann.page, "light") == []
    assert serious_findings(ann.page, "dark") == []
