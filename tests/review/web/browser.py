"""A person at the keyboard of a real browser: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = Path("/usr/bin/chromium")
WAIT_MS = 20_000
# said when no image is left; before that the same place says that one is on the way
_END = "document.querySelector('#empty:not([hidden])')?.textContent.startsWith('Nothing')"
# counts what would have run, and what the Content Security Policy had to stop
_WATCH = """
window.fired = () => { window.firedCount = (window.firedCount ?? 0) + 1; };
window.stopped = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.stopped.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
# elements and attributes that only an injected string could have made
FOREIGN = """
[...document.querySelectorAll("script, iframe, svg, object, embed, base, meta, link, style, math, video, audio, form")]
  .filter((e) => !(e.matches("[src='/static/review.js'], [href='/static/review.css'], meta[charset], meta[name], form")
    && ![...e.attributes].some((a) => /javascript:|^on/i.test(a.name + a.value))))
  .map((e) => e.outerHTML.slice(0, 200))
"""
_CLOCK = """
() => {
  window.took = [];
  let pressed = 0, last = document.body.dataset.shown;
  addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
  new MutationObserver(async () => {
    // set again for the image that stands already, when more of the queue has come
    if (document.body.dataset.shown === last) return;
    last = document.body.dataset.shown;
    const began = pressed, image = document.getElementById("image");
    if (!image.complete) await new Promise((done) => image.addEventListener("load", done, { once: true }));
    requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - began)));
  }).observe(document.body, { attributeFilter: ["data-shown"] });
}
"""


def missing() -> str:
    """What these tests lack on this machine, and what to install; "" when nothing."""
    for module, package in (("playwright", "playwright"), ("axe_playwright_python", "axe-playwright-python")):
        if importlib.util.find_spec(module) is None:
            return f"no {package}: pip install {package}"
    return "" if CHROMIUM.exists() else f"no {CHROMIUM}: apt-get install chromium"


def launch() -> Iterator[Browser]:
    """A browser, closed at the end; skips the test where there is none."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Person:
    """One person in front of one page; nothing here uses a pointer."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context = context
        self.base = base
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.page: Page = self.new_page()

    def new_page(self) -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

        def answered(dialog: Any) -> None:
            # leaving a page with unsent decisions asks too; that one is wanted
            if dialog.type != "beforeunload":
                self.dialogs.append(dialog.message)
            dialog.accept()

        page.on("dialog", answered)
        return page

    def open(self, address: str = "/") -> None:
        """Go to a page of the review; of the image page it is waited until an image, or that none is left, is shown."""
        self.page.goto(self.base + address)
        if self.page.locator("body[data-page=image]").count():
            self.page.wait_for_function("() => document.body.dataset.shown || " + _END)

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type into what has the focus."""
        self.page.keyboard.type(text)

    @property
    def shown(self) -> str:
        """Hash of the image in sight."""
        return str(self.page.evaluate("document.body.dataset.shown"))

    def decide(self, *keys: str) -> str:
        """Press keys, wait for the next image (or for the end), and return the hash of the one they were meant for."""
        before = self.shown
        self.press(*keys)
        self.page.wait_for_function("before => document.body.dataset.shown !== before || " + _END, arg=before)
        return before

    def saved(self) -> None:
        """Wait until everything is stored."""
        self.says("#state", "all saved")

    def says(self, selector: str, text: str) -> None:
        """Wait until an element holds a text."""
        self.page.wait_for_function(
            "([where, text]) => document.querySelector(where)?.textContent.includes(text)", arg=[selector, text]
        )

    def tab_to(self, selector: str, most: int = 120) -> None:
        """Reach an element with the tabulator key alone."""
        for _ in range(most):
            if self.page.evaluate("where => document.activeElement.matches(where)", selector):
                return
            self.press("Tab")
        raise AssertionError(f"{selector} cannot be reached with {most} tabs")

    def text(self, selector: str) -> str:
        """Text of an element."""
        return self.page.locator(selector).inner_text()

    def kept(self) -> int:
        """Decisions that wait in this browser."""
        return int(self.page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('graticule outbox')).length"))

    def cut_off(self) -> None:
        """From now on no decision reaches the server."""
        self.context.route("**/api/event", lambda route: route.abort())

    def connect(self) -> None:
        """Decisions reach it again, and the page learns that at once."""
        self.context.unroute("**/api/event")
        self.page.evaluate("dispatchEvent(new Event('online'))")

    def broken(self) -> list[str]:
        """Errors of the script, and what the Content Security Policy stopped."""
        return self.errors + list(self.page.evaluate("window.stopped"))


@contextmanager
def at_desk(browser: Browser, url: str, base: str, script: str = "", **options: Any) -> Iterator[Person]:
    """A person who opened the printed address, in a profile of their own; the page's script must not fail.

    `script` runs in every page before the page's own.
    """
    context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    context.add_init_script(_WATCH + script)
    try:
        context.request.get(url)  # takes the cookie; the page is opened by the test
        person = Person(context, base)
        yield person
        assert person.errors == []
    finally:
        context.close()


def key_to_image(person: Person, n: int) -> list[float]:
    """Milliseconds from each of n key presses until the next image stands painted, as the page's own clock tells."""
    person.page.evaluate(_CLOCK)
    for k in range(n):
        person.press("1")
        person.page.wait_for_function("n => window.took.length > n", arg=k)
    return [float(ms) for ms in person.page.evaluate("window.took")]


def axe_script() -> str:
    """The source of axe-core, for `at_desk`."""
    from axe_playwright_python.base import AXE_SCRIPT

    return str(AXE_SCRIPT)


def serious_findings(page: Page, scheme: Literal["light", "dark"]) -> list[tuple[str, list[str]]]:
    """What axe-core calls serious or critical: rule and places. In the dark only the contrast can differ."""
    page.emulate_media(color_scheme=scheme)
    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
    run = "async options => (await axe.run(document, options)).violations"
    found = page.evaluate(
        run, {"resultTypes": ["violations"], "elementRef": False, "preload": False, "iframes": False} | rules
    )
    return [
        (one["id"], [str(node["target"]) for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def hostile() -> list[str]:
    """300 different strings that would run as a script wherever one is pasted into HTML, an attribute or a script."""
    calls = ("fired()", "alert(1)", "window.fired()", "fired`1`", "(fired)(1)", "top['fired']()")
    wraps = (
        "<script>{}</script>", "<ScRiPt >{}</sCrIpT>", "<img src=x onerror={}>", "<svg onload={}>",
        "<body onload={}>", "<iframe srcdoc='<script>parent.{}</script>'>", "<details open ontoggle={}>x",
        "<input autofocus onfocus={}>", "<video><source onerror={}>", "<a href='javascript:{}'>x</a>",
        "\"><script>{}</script>", "'><img src=x onerror={}>", "\" autofocus onfocus={} x=\"", "' onmouseover={} x='",
        "</title><script>{}</script>", "</textarea><svg onload={}>", "--><script>{}</script>",
        "</script><script>{}</script>", "javascript:{}", "\\\";{};x=\\\"", "';{};x='", "${{{}}}", "`;{};`",
        "{{{{constructor.constructor('{}')()}}}}", "{{% raw %}}<b onclick={}>", "<math><mtext><img src=x onerror={}>",
        "<form action=javascript:{}><button>x", "<object data=javascript:{}>", "<embed src=javascript:{}>",
        "<style>@import 'javascript:{}'</style>", "<link rel=stylesheet href=javascript:{}>",
        "<base href=javascript:{}>",
        "<meta http-equiv=refresh content=0;url=javascript:{}>", "<svg><script>{}</script></svg>",
        "<svg><a xlink:href=javascript:{}><text>x", "<table background=javascript:{}>", "<marquee onstart={}>",
        "<audio src onloadstart={}>", "<template><script>{}</script></template>", "&lt;script&gt;{}&lt;/script&gt;",
        "&#60;script&#62;{}&#60;/script&#62;", "%3Cscript%3E{}%3C/script%3E",
        "\\u003cscript\\u003e{}\\u003c/script\\u003e",
        "<img src=x onerror=\u200b{}>", "\u202e<script>{}</script>", "<x onclick={} tabindex=1>",
        "<dialog open onclose={}>",
        "<button formaction=javascript:{}>", "<select autofocus onfocus={}>",
        "<noscript><p title='</noscript><img onerror={} src=x>'>",
    )  # fmt: skip
    return [wrap.format(call) for wrap in wraps for call in calls]
