"""The review page in a real browser: nothing pressed is lost or doubled, nothing written runs, everybody can use it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.review.web.browser import FOREIGN, Person, at_desk, axe_script, hostile, serious_findings
from tests.review.web.conftest import Opened

from graticule.record.events import EventDraft
from graticule.review.desk import Decision
from graticule.review.sight import Settings
from graticule.review.web.app import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Open = Callable[..., Opened]
Sit = Callable[..., Person]
# requests for decisions wait before they are sent, answers of the queue before they are read
_GATES = """
() => {
  const real = window.fetch, gates = {};
  window.underWay = 0;
  window.shut = (name) => { let open; gates[name] = new Promise((done) => { open = done; }); gates[name].open = open; };
  window.open_gate = (name) => gates[name].open();
  window.fetch = async (address, options) => {
    if (address.startsWith("/api/event")) await gates.event;
    window.underWay += 1;
    const answer = await real(address, options).finally(() => { window.underWay -= 1; });
    if (address.startsWith("/api/queue")) await gates.queue;
    return answer;
  };
}
"""
# what a browser withholds from a page that comes from another machine without encryption
_NOT_ENCRYPTED = """
delete Crypto.prototype.randomUUID;
Object.defineProperty(navigator, "locks", { value: undefined });
Object.defineProperty(navigator, "clipboard", { value: undefined });
"""


def test_what_is_pressed_offline_is_kept_and_stored_once(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(24)
    ann = sit(opened)
    ann.decide("1")
    ann.saved()
    ann.cut_off()
    pressed = [ann.decide(key) for key in ("1", "2", "3")]
    ann.says("#state", "3 kept in this browser")
    assert ann.kept() == 3
    assert opened.desk.store.head().seq == 1
    ann.open("/?kind=all")  # a reload loses nothing, and does not show them again
    assert ann.shown not in pressed
    ann.says("#state", "3 kept in this browser")
    ann.connect()
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
    ann.page.wait_for_function("() => window.underWay === 0")  # three images are held ahead again
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


def test_nobody_sends_what_another_person_pressed(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(24, user="ann bo")
    ann = sit(opened)

    def goes_on(name: str) -> None:
        ann.context.request.post(opened.base + "/who", form={"name": name})

    ann.cut_off()
    pressed = [ann.decide("1"), ann.decide("2")]
    ann.says("#state", "2 kept in this browser")
    goes_on("ann")  # elsewhere: this page does not know
    ann.connect()
    ann.says("#refused", "2 decisions of ann bo are kept in this browser")
    assert ann.text(".who").endswith("ann")
    ann.saved()
    assert (opened.desk.store.head().seq, ann.kept()) == (0, 2)
    own = ann.decide("3")
    ann.saved()
    goes_on("ann bo")
    ann.open("/?kind=all")
    ann.says(".who", "ann bo")
    ann.saved()
    assert ann.kept() == 0
    events = [(e.who, e.image_sha256, e.new_value) for e in opened.desk.store.events()]
    assert events == [("ann", own, "c"), ("ann bo", pressed[0], "a"), ("ann bo", pressed[1], "b")]


def test_it_works_on_another_host_without_encryption(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(24)
    ann = sit(opened, script=_NOT_ENCRYPTED)
    pressed = [ann.decide("1"), ann.decide("2")]
    ann.saved()
    assert [e.image_sha256 for e in opened.desk.store.events()] == pressed


def test_no_serious_finding_of_axe(open_desk: Open, sit: Sit) -> None:
    opened = open_desk(30, settings=Settings(double=True), control=6, of_classes=lambda *_: [["near/0.png"]] * 3)
    for image in opened.desk.items.sha256[:4]:
        opened.desk.decide("ann", Decision(str(image), "label", "a"))
        opened.desk.decide("bob", Decision(str(image), "label", "b"))
        opened.desk.decide("bob", Decision(str(image), "note", reason="two nuclei"))
    opened.desk.decide("bob", Decision(str(opened.desk.items.sha256[5]), "novel"))  # withheld from Ann
    opened.desk.sign("ann", "Monday", "reviewed", "mine")
    guarded = open_desk(2, password="a secret")
    ann = sit(opened, script=axe_script())
    found, checked = [], []

    def check(state: str) -> None:
        for scheme in ("light", "dark"):
            checked.append(state)
            found.extend((state, scheme, *one) for one in serious_findings(ann.page, scheme))

    near = "() => document.querySelector('#near-list img')"
    shown, count = "() => document.body.dataset.shown", "() => document.querySelector('#open-count').textContent"
    ready = {"/?kind=unsure": near, "/?kind=control": shown, "/disagreements": count, "/overview": "", "/record": ""}
    ready |= {"/grid?kind=all": "() => document.querySelector('#grid button')", "/who": "", "/record?action=odd": ""}
    for address, condition in ready.items():
        ann.open(address)
        ann.page.wait_for_function(condition or "() => true")
        check(address)
    ann.open("/?kind=all")
    ann.press("?")
    check("help")
    ann.press("Escape")
    ann.decide("1")
    ann.press("ArrowLeft", "2")
    ann.page.wait_for_selector("#ask[open]")
    check("change")
    ann.press("Escape")
    ann.cut_off()
    ann.press("n")
    ann.write("none")
    ann.press("Enter")
    ann.says("#state", "kept in this browser")
    check("offline")
    ann.connect()
    ann.saved()
    with serving(guarded.app, guarded.listening):
        for address in ("/login", "/overview"):  # the door, and a page behind it without the password
            ann.page.goto(guarded.base + address)
            check(f"guarded {address}")
    assert found == []
    assert len(checked) == 2 * len(set(checked)) == 2 * (len(ready) + 5)


def test_script_strings_are_text(open_desk: Open, sit: Sit) -> None:
    strings = hostile()
    assert len(set(strings)) == len(strings) == 300
    classes = tuple(f"class {text.replace('/', '|')}" for text in strings)  # a class is no path
    opened = open_desk(300, names=[f"file {text}" for text in strings], classes=classes)
    items, drafts = opened.desk.items, []
    for k, (sha, path, text, name) in enumerate(zip(items.sha256, items.path, strings, classes, strict=True)):
        action, value = ("label", name) if k >= 40 else ("note", None)
        drafts.append(EventDraft(f"user {text}", action, sha, path, value, f"note {text}"))
    opened.desk.store.append_all(drafts)
    opened.desk.ledger.refresh()
    ann = sit(opened, "/overview")
    texts, foreign, stopped = [], [], []

    def look() -> None:
        texts.append(ann.page.locator("body").text_content() or "")
        foreign.extend(ann.page.evaluate(FOREIGN))
        stopped.extend(ann.page.evaluate("window.stopped"))
        assert not ann.page.evaluate("window.firedCount")

    look()
    for before in ("", "201", "101"):
        ann.open(f"/record?before={before}" if before else "/record")
        look()
    for address in (f"/?id={items.sha256[40]}", "/?kind=all"):  # made by the script: a label's history, then notes
        ann.open(address)
        ann.page.wait_for_function("() => document.querySelector('#history li b, #history li bdi')")
        look()
    for _ in range(10):
        ann.decide("d")
        look()
    written = "\n".join(texts)
    placed = [*(f"{place} {text}" for place in ("user", "note", "file") for text in strings), *classes]
    shown = [text.replace("\u202e", "\\u202e") for text in placed]  # turns no name around
    assert [text for text in shown if text not in written] == []
    assert (foreign, stopped, ann.dialogs) == ([], [], [])
    by_script = "\n".join(texts[-10:])
    names = [str(path).replace("\u202e", "\\u202e") for path in items.path[1:11]]
    assert [name for name in names if name not in by_script] == []
    ann.open(f"/grid?kind=all&class={quote(items.suggested[39])}")
    ann.page.wait_for_selector("#grid button")
    look()
    assert (foreign, stopped, ann.dialogs) == ([], [], [])
