"""The review page in a real browser, by keyboard alone; what stands in the store afterwards is asserted."""

from __future__ import annotations

import csv
import statistics
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.review.web.browser import Person, key_to_image
from tests.review.web.conftest import Opened

from graticule.record.events import DOUBTFUL, NOVEL
from graticule.review.desk import Decision
from graticule.review.sight import Settings

Open = Callable[..., Opened]
Sit = Callable[..., Person]
MEDIAN_MS = 300.0


def said(opened: Opened) -> list[tuple[str, str | None, str | None]]:
    """(action, value, reason) of every event."""
    return [(event.action, event.new_value, event.reason) for event in opened.desk.store.events()]


def torn(opened: Opened, n: int) -> list[str]:
    """n images on which two persons differ."""
    images = [str(sha) for sha in opened.desk.items.sha256[:n]]
    for image in images:
        opened.desk.decide("ann", Decision(image, "label", "a"))
        opened.desk.decide("bob", Decision(image, "label", "b"))
    return images


def test_decisions_of_every_kind(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(24)
    ann = sit(opened)
    suggested = dict(zip(opened.desk.items.sha256, opened.desk.items.suggested, strict=True))
    first = ann.decide("1")
    second = ann.decide(" ")
    third = ann.decide("n")
    fourth = ann.decide("d")
    ann.decide("2")
    ann.press("z")  # back at the fifth image, which is open again
    fifth = ann.decide("3")
    ann.press("m")
    ann.write("two nuclei")
    sixth = ann.shown
    ann.press("Enter")
    ann.press("/")
    ann.write("B")
    assert ann.decide("Enter") == sixth
    ann.saved()
    assert said(opened) == [
        ("label", "a", None), ("label", suggested[second], None), ("novel", NOVEL, None), ("doubtful", DOUBTFUL, None),
        ("label", "b", None), ("undo", None, "undo of event 5"), ("label", "c", None), ("note", None, "two nuclei"),
        ("label", "b", None),
    ]  # fmt: skip
    events = list(opened.desk.store.events())
    assert [e.image_sha256 for e in events] == [first, second, third, fourth, fifth, fifth, fifth, sixth, sixth]
    assert {e.who for e in events} == {"ann"}
    assert all(e.seconds is not None for e in events if e.action in ("label", "novel", "doubtful"))


def test_a_change_needs_a_reason(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(12)
    ann = sit(opened)
    image = ann.decide("1")
    ann.press("ArrowLeft")
    assert ann.shown == image
    ann.press("2")
    ann.page.wait_for_selector("#ask[open]")
    ann.press("Enter")  # without a reason it does not go on
    assert ann.page.locator("#ask[open]").count() == 1
    ann.press("Escape")
    ann.page.wait_for_selector("#ask:not([open])", state="attached")
    ann.press("2")
    ann.page.wait_for_selector("#ask[open]")
    ann.write("the nucleus is round")
    ann.decide("Enter")
    ann.saved()
    assert said(opened) == [("label", "a", None), ("change", "b", "the nucleus is round")]


def test_filters_pick_images(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(30)
    ann = sit(opened, "/")
    ann.tab_to("select[name=kind]")
    ann.write("new")
    ann.tab_to("select[name=group]")
    ann.write("g1")
    with ann.page.expect_navigation():
        ann.tab_to(".filters button")
        ann.press("Enter")
    ann.page.wait_for_function("() => document.body.dataset.shown")
    items = opened.desk.items
    wanted = {
        str(s) for s, kind, g in zip(items.sha256, items.kind, items.group, strict=True) if (kind, g) == ("novel", "g1")
    }
    seen = set()
    for _ in wanted:
        seen.add(ann.decide("n"))
    ann.saved()
    assert seen == wanted
    assert ann.page.locator("#empty").is_visible()
    assert {e.image_sha256 for e in opened.desk.store.events()} == wanted


def test_passed_images_have_their_turn_when_no_other_is_left(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(12)
    ann = sit(opened)
    passed = [ann.decide("ArrowRight"), ann.decide("ArrowRight")]
    decided = [ann.decide("1") for _ in range(10)]
    assert not set(decided) & set(passed)
    ann.page.wait_for_function("first => document.body.dataset.shown === first", arg=passed[0])
    again = [ann.decide("2"), ann.decide("2")]
    ann.saved()
    ann.says("#empty", "Nothing is left here")
    assert again == passed
    assert [event.image_sha256 for event in opened.desk.store.events()] == decided + passed


def test_many_at_once(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(60)
    ann = sit(opened, "/grid?class=a&kind=all")
    ann.page.wait_for_selector("#grid button")
    ids = ann.page.eval_on_selector_all("#grid button", "all => all.map(one => one.dataset.id)")
    ann.press("ArrowRight", "x", "ArrowDown", "ArrowLeft", "x", "x")  # the last mark is taken back
    assert ann.page.locator("#grid button[aria-pressed=true]").count() == 1
    ann.press("a")
    ann.page.wait_for_selector("#ask[open]")
    ann.tab_to("#ask button[value=yes]")
    ann.press("Enter")
    ann.saved()
    ann.page.wait_for_function("() => document.querySelectorAll('#grid button').length === 1")
    events = list(opened.desk.store.events())
    assert {e.image_sha256 for e in events} == set(ids) - {ids[1]}
    assert {(e.action, e.new_value, e.bulk) for e in events} == {("label", "a", True)}


def test_blind_mode_shows_nothing_of_the_model(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(12, settings=Settings(blind=True))
    ann = sit(opened)
    for _ in range(3):
        assert ann.page.locator("meter:visible, .suggested, #near:visible, #map:visible").count() == 0
        assert "".join(ann.page.locator(".score").all_inner_texts()) == ""
        assert "withheld" in ann.text("#why")
        ann.press("e", " ")  # neither evidence nor acceptance
        assert opened.desk.store.head().seq == 0 or not ann.page.locator("#map:visible").count()
        ann.decide("2")
    ann.saved()
    assert said(opened) == [("label", "b", None)] * 3
    assert all(event.blind for event in opened.desk.store.events())
    ann.open("/grid")
    assert ann.page.locator("#grid").count() == 0


def test_disagreements_are_settled(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(12, settings=Settings(double=True))
    images = torn(opened, 3)
    cleo = sit(opened, "/disagreements")
    cleo.says("#open-count", "3 to settle")
    cleo.press("ArrowDown", "2")
    cleo.says("#open-count", "2 to settle")
    cleo.press("n")  # the next one has the focus
    cleo.says("#open-count", "1 to settle")
    cleo.saved()
    verdicts = [e for e in opened.desk.store.events() if e.action == "adjudicate"]
    assert [(v.image_sha256, v.new_value) for v in verdicts] == [(images[1], "b"), (images[2], NOVEL)]
    assert len(opened.desk.disagreements()) == 1


def test_a_verdict_given_offline_is_kept_and_stored_once(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(12, settings=Settings(double=True))
    images = torn(opened, 2)
    cleo = sit(opened, "/disagreements")
    cleo.says("#open-count", "2 to settle")
    cleo.cut_off()
    cleo.press("1")
    cleo.says("#open-count", "1 to settle")
    cleo.says("#state", "1 kept in this browser")
    cleo.open("/disagreements")  # a reload loses nothing, and does not ask for it again
    cleo.says("#open-count", "1 to settle")
    assert opened.desk.store.head().seq == 4
    cleo.connect()
    cleo.saved()
    assert [(e.action, e.image_sha256, e.new_value) for e in opened.desk.store.events()][4:] == [
        ("adjudicate", images[0], "a")
    ]


def test_another_verdict_is_replaced_with_a_reason_alone(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(12, settings=Settings(double=True))
    images = torn(opened, 2)
    cleo = sit(opened, "/disagreements")
    cleo.says("#open-count", "2 to settle")
    for image in images:
        opened.desk.decide("dora", Decision(image, "adjudicate", "c"))
    cleo.press("1")
    cleo.page.wait_for_selector("#ask[open]")
    cleo.write("the slide was turned")
    cleo.press("Enter")
    cleo.page.wait_for_selector("#ask:not([open])", state="attached")
    cleo.page.locator("#open article").focus()
    cleo.press("2")
    cleo.page.wait_for_selector("#ask[open]")
    cleo.press("Escape")
    cleo.says("#refused", "It was not settled anew")
    cleo.saved()
    assert said(opened)[6:] == [("adjudicate", "a", "the slide was turned")]


def test_record_is_verified_signed_and_taken_along(open_desk: Open, sit: Sit, tmp_path: Path) -> None:
    opened = open_desk(12)
    for image in opened.desk.items.sha256[:5]:
        opened.desk.decide("ann", Decision(str(image), "label", "a"))
    ann = sit(opened, "/record", accept_downloads=True)
    head = opened.desk.store.head()
    ann.tab_to("#given")
    ann.write(f"{head.seq}:{head.hash}")
    ann.press("Enter")
    ann.says("#verified", "Sound: 5 events")
    ann.tab_to("#batch")
    ann.write("Monday")
    ann.tab_to("#sign button")
    ann.press("Enter")
    ann.tab_to("#ask button[value=yes]")
    ann.press("Enter")
    ann.says("#signed", "Signed: 5 images")
    assert [e.action for e in opened.desk.store.events()][-1] == "sign"
    ann.tab_to("a[href='/export/labels.csv']")
    with ann.page.expect_download() as download:
        ann.press("Enter")
    download.value.save_as(tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"a"}
    assert len(rows) == 5


def test_training_images_to_compare_with_come_class_by_class_and_never_hold_a_key_up(open_desk: Open, sit: Sit) -> None:
    asked, go_on = [], threading.Event()

    def of_classes(_file: Path, path: str, classes: list[str]) -> list[list[str]]:
        asked.append(path)
        go_on.wait(20)
        return [["near/0.png", "near/1.png"], ["near/1.png"], []][: len(classes)]

    opened = open_desk(60, of_classes=of_classes, control=12)
    ann = sit(opened, "/?kind=unsure")
    ann.page.wait_for_selector("#near-list .coming")
    ann.decide("1")
    ann.decide("2")
    ann.saved()  # all that while no answer has come
    assert ann.page.locator("#near-list img").count() == 0
    go_on.set()
    ann.page.wait_for_selector("#near-list img")
    items = opened.desk.items
    place = items.sha256.tolist().index(ann.shown)
    names = [items.classes[k] for k in np.argsort(-items.proba[place])][:2]
    assert ann.page.locator("#near-list li > bdi").all_inner_texts() == names
    alternatives = ann.page.eval_on_selector_all("#near-list img", "all => all.map(one => one.alt)")
    assert alternatives == [f"training image of {names[k]}" for k in (0, 0, 1)]
    ann.open("/?kind=control")
    ann.page.wait_for_timeout(400)
    control = {path for path, kind in zip(items.path, items.kind, strict=True) if kind == "control"}
    assert ann.page.locator("#near:visible").count() == 0
    assert not control & set(asked)


def test_help_is_a_key_away_and_holds_the_others(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(12)
    ann = sit(opened)
    image = ann.shown
    ann.press("?")
    assert ann.page.locator("#help[open]").count() == 1
    ann.press("1", "n")
    assert (ann.shown, opened.desk.store.head().seq, ann.kept()) == (image, 0, 0)
    ann.press("Escape")
    assert ann.page.locator("#help[open]").count() == 0
    ann.decide("1")
    ann.saved()
    assert opened.desk.store.head().seq == 1


def test_the_next_image_is_there_at_once(open_desk: Open, sit: Sit, capsys: pytest.CaptureFixture[str]) -> None:
    opened = open_desk(60)
    ann = sit(opened)
    times = key_to_image(ann, 40)
    ann.saved()
    with capsys.disabled():
        print(f"\nkey press to next image: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms")
    assert len(times) == 40
    assert opened.desk.store.head().seq == 40
    assert statistics.median(times) < MEDIAN_MS
