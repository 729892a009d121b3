"""The review page in a real browser, by keyboard alone; what stands in the store afterwards is asserted."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.review.web.browser import FOREIGN, Person, at_desk, hostile, key_to_image, launch, serious_findings
from tests.review.web.conftest import Opened

from graticule.review.desk import Decision, Settings
from graticule.review.events import DOUBTFUL, NOVEL
from graticule.review.web.app import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Open = Callable[..., Opened]
Sit = Callable[..., Person]
MEDIAN_MS = 300.0
# requests for decisions wait before they are sent, answers of the queue before they are read
_GATES = """
() => {
  const real = window.fetch, gates = {};
  window.shut = (name) => { let open; gates[name] = new Promise((done) => { open = done; }); gates[name].open = open; };
  window.open_gate = (name) => gates[name].open();
  window.fetch = async (address, options) => {
    if (address.startsWith("/api/event")) await gates.event;
    const answer = await real(address, options);
    if (address.startsWith("/api/queue")) await gates.queue;
    return answer;
  };
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    yield from launch()


@pytest.fixture
def sit(browser: Browser) -> Iterator[Sit]:
    """A function that serves a review and seats a person at it."""
    with ExitStack() as stack:

        def down(opened: Opened, address: str = "/?kind=all", **options: Any) -> Person:
            stack.enter_context(serving(opened.app, opened.listening))
            person = stack.enter_context(at_desk(browser, opened.listening.url, opened.base, **options))
            person.open(address)
            return person

        yield down


def said(opened: Opened) -> list[tuple[str, str | None, str | None]]:
    """(action, value, reason) of every event."""
    return [(event.action, event.new_value, event.reason) for event in opened.desk.store.events()]


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
    images = [str(sha) for sha in opened.desk.items.sha256[:3]]
    for image in images:
        opened.desk.decide("ann", Decision(image, "label", "a"))
        opened.desk.decide("bob", Decision(image, "label", "b"))
    cleo = sit(opened, "/disagreements")
    cleo.says("#open-count", "3 to settle")
    cleo.press("ArrowDown", "2")
    cleo.says("#open-count", "2 to settle")
    cleo.press("n")
    cleo.says("#open-count", "1 to settle")
    verdicts = [e for e in opened.desk.store.events() if e.action == "adjudicate"]
    assert [v.new_value for v in verdicts] == ["b", NOVEL]
    assert verdicts[0].image_sha256 == images[1]
    assert len(opened.desk.disagreements()) == 1


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


def test_no_serious_finding_of_axe(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(80, settings=Settings(double=True), control=6)
    for image in opened.desk.items.sha256[:4]:
        opened.desk.decide("ann", Decision(str(image), "label", "a"))
        opened.desk.decide("bob", Decision(str(image), "label", "b"))
    opened.desk.sign("ann", "Monday", "reviewed", "mine")
    ann = sit(opened)
    found, checked = [], 0
    shown = "() => document.body.dataset.shown"
    ready = {"/": shown, "/?kind=control": shown, "/grid?kind=all": "() => document.querySelector('#grid button')"}
    ready["/disagreements"] = "() => document.querySelector('#open article')"
    addresses = [*ready, "/overview", "/record", "/who", "/record?action=nonsense"]
    for address in addresses:
        ann.open(address)
        ann.page.wait_for_function(ready.get(address, "() => true"))
        for keys in ((), ("?",)) if address == "/" else ((),):
            ann.press(*keys)
            for scheme in ("light", "dark"):
                checked += 1
                found += [(address, keys, scheme, *one) for one in serious_findings(ann.page, scheme)]
    assert found == []
    assert checked == 2 * len(addresses) + 2


def test_what_is_pressed_offline_is_kept_and_stored_once(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(24)
    ann = sit(opened)
    ann.decide("1")
    ann.saved()
    ann.context.route("**/api/event", lambda route: route.abort())
    pressed = [ann.decide(key) for key in ("1", "2", "3")]
    ann.says("#state", "3 kept in this browser")
    assert ann.kept() == 3
    assert opened.desk.store.head().seq == 1
    ann.open("/?kind=all")  # a reload loses nothing, and does not show them again
    assert ann.shown not in pressed
    ann.says("#state", "3 kept in this browser")
    ann.context.unroute("**/api/event")
    ann.saved()
    assert ann.kept() == 0
    events = list(opened.desk.store.events())[1:]
    assert [(e.image_sha256, e.new_value) for e in events] == list(zip(pressed, "abc", strict=True))


def test_a_lost_answer_does_not_double_a_decision(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(24)
    ann = sit(opened)
    lost = []

    def swallow(route: Any) -> None:
        if not lost:  # it reaches the server, and its answer does not come back
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    ann.context.route("**/api/event", swallow)
    pressed = [ann.decide("1"), ann.decide("2")]
    ann.saved()
    assert lost == [201]
    assert [(e.image_sha256, e.new_value) for e in opened.desk.store.events()] == list(zip(pressed, "ab", strict=True))


def test_what_is_decided_while_the_queue_answers_is_not_shown_again(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(24)
    ann = sit(opened)
    ann.page.evaluate(_GATES)
    ann.page.evaluate("window.shut('event')")
    pressed = [ann.decide("1") for _ in range(9)]
    ann.page.evaluate("window.shut('queue')")
    pressed += [ann.decide("1")]  # the queue is asked now, and answers when more has been decided and stored
    ann.page.evaluate("window.open_gate('event')")
    pressed += [ann.decide("1") for _ in range(2)]
    ann.saved()
    ann.page.evaluate("window.open_gate('queue')")
    while len(pressed) < 24:
        pressed.append(ann.decide("1"))
    ann.saved()
    ann.says("#empty", "Nothing is left here")
    assert not ann.page.locator("#refused").is_visible()
    assert len(set(pressed)) == 24
    assert [e.image_sha256 for e in opened.desk.store.events()] == pressed


def test_a_server_that_starts_anew_gets_what_was_kept(open_desk: Open, browser: Browser) -> None:
    first = open_desk(24)
    server = ExitStack()
    server.enter_context(serving(first.app, first.listening))
    with server, at_desk(browser, first.listening.url, first.base) as ann:
        ann.open("/?kind=all")
        ann.decide("1")
        ann.saved()
        port = first.listening.port
        server.close()
        pressed = [ann.decide("2"), ann.decide("3")]
        ann.says("#state", "2 kept in this browser: no connection")
        second = open_desk(24, port=port)
        with serving(second.app, second.listening):
            ann.says("#state", "open the address that the new start")
            assert ann.kept() == 2
            tab = ann.new_page()
            tab.goto(second.listening.url)
            ann.saved()
            assert ann.kept() == 0
            events = list(second.desk.store.events())
    assert [(e.image_sha256, e.new_value) for e in events[1:]] == list(zip(pressed, "bc", strict=True))


def test_script_strings_are_text(open_desk: Open, sit: Sit) -> None:
    strings = hostile()
    assert len(set(strings)) == len(strings) == 300
    classes = tuple(f"class {text.replace('/', '|')}" for text in strings)  # a class is no path
    opened = open_desk(300, names=[f"file {text}" for text in strings], classes=classes)
    for sha, text, name in zip(opened.desk.items.sha256.tolist(), strings, classes, strict=True):
        opened.desk.decide(f"user {text}", Decision(sha, "label", name))
        opened.desk.decide(f"user {text}", Decision(sha, "note", reason=f"note {text}"))
    ann = sit(opened, "/overview")
    texts, foreign, stopped = [], [], []

    def look() -> None:
        texts.append(ann.page.locator("body").text_content() or "")
        foreign.extend(ann.page.evaluate(FOREIGN))
        stopped.extend(ann.page.evaluate("window.stopped"))
        assert not ann.page.evaluate("window.firedCount")

    look()
    for before in ("", "501", "401", "301", "201", "101"):
        ann.open(f"/record?before={before}" if before else "/record")
        look()
    for sha in opened.desk.items.sha256[::30]:
        ann.open(f"/?id={sha}")
        ann.page.wait_for_function("() => document.querySelector('#history li b, #history li bdi')")
        look()
    written = "\n".join(texts)
    placed = [f"{place} {text}" for place in ("user", "note") for text in strings]
    placed += [f"file {text}".replace("\u202e", "⟨U+202E⟩") for text in strings]  # turns no name around
    assert [text for text in (*placed, *classes) if text not in written] == []
    assert (foreign, stopped, ann.dialogs) == ([], [], [])


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
