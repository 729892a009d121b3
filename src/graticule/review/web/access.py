"""Who may speak to the review server: host, origin, session, size of a request, and what an answer tells the browser.

Against DNS rebinding the Host header must be one of ours; against requests from other sites the cookie is
SameSite=Strict and Origin and Sec-Fetch-Site of a write must be our own; against injected content the Content Security
Policy allows no inline script or style and nothing from elsewhere. Behind a proxy that was named at start, the scheme
and the address that it forwards are the request's (`uvicorn.middleware.proxy_headers`); else they count nothing.
"""

import html
import ipaddress
import json
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_000_000
MAX_SESSIONS = 1000
_MAX_FAILURES, _FAILURE_SECONDS, _MAX_ADDRESSES = 10, 60.0, 10_000
_SAFE = ("GET", "HEAD", "OPTIONS")
_OPEN = ("/healthz", "/login", "/login.css")
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # not "no-referrer": Chromium would then send forms with "Origin: null"
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Gate:
    """What opens the server.

    Attributes
    ----------
    token : str
        In the address that is printed at start.
    password : str or None
        Asked for instead, where the server can be reached from other machines.
    hosts : collection of str
        Allowed values of the Host header and hosts of an Origin, lower case, with port unless it is the scheme's own.
    cookie : str
        Name of the session's cookie; it holds the port, since browsers send cookies to all ports of a host.
    proxies : tuple of str
        Addresses or networks whose forwarded scheme and client address count.
    """

    token: str
    password: str | None
    hosts: Collection[str]
    cookie: str
    proxies: tuple[str, ...] = ()


class Sessions:
    """Open sessions and the name of each one's person. Safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._names: OrderedDict[str, str] = OrderedDict()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def open(self, name: str) -> str:
        """A new session; the oldest one ends when there are too many."""
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._names[session] = name
            while len(self._names) > MAX_SESSIONS:
                self._names.popitem(last=False)
        return session

    def name(self, session: str) -> str | None:
        """The person of a session; None when it is unknown."""
        with self._lock:
            return self._names.get(session)

    def people(self) -> list[str]:
        """Names of those who are here."""
        with self._lock:
            return sorted({name for name in self._names.values() if name})

    def rename(self, session: str, name: str) -> None:
        """Another person goes on in the session."""
        with self._lock:
            if session in self._names:
                self._names[session] = name

    def may_try(self, address: str) -> bool:
        """Whether another password may be tried now from an address; other addresses' failures do not count."""
        with self._lock:
            failures = self._failures.get(_line_of(address), deque())
            while failures and self._clock() - failures[0] >= _FAILURE_SECONDS:
                failures.popleft()
            return len(failures) < _MAX_FAILURES

    def failed(self, address: str) -> None:
        """A wrong password was given from an address."""
        line = _line_of(address)
        with self._lock:
            self._failures.setdefault(line, deque(maxlen=_MAX_FAILURES)).append(self._clock())
            self._failures.move_to_end(line)
            while len(self._failures) > _MAX_ADDRESSES:
                self._failures.popitem(last=False)


def _line_of(address: str) -> str:
    """What failures are counted by: one address of IPv4; of IPv6 the network of 64 bits that one line is given."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found.ipv4_mapped or found) if found.version == 6 else str(found)


def matches(given: str, secret: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode("utf-8", "surrogatepass"))


class Guard:
    """ASGI middleware: refuses what does not come from a person who opened the printed address."""

    def __init__(self, app: ASGIApp, gate: Gate, sessions: Sessions) -> None:
        self._app, self._gate, self._sessions = app, gate, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        answer = _with_headers(send)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, headers, answer, *refusal, by_password=self._gate.password is not None)
            return
        await self._app(scope, _limited(receive), answer)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Status and reason for a request that is not let in; puts session and person into the scope."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._gate.hosts:
            return 421, "this server does not answer under that host name"
        if scope["method"] not in _SAFE:
            if not self._own_page(headers, scope["scheme"]):
                return 403, "the request came from another site"
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MAX_BODY:
                return 413, f"a request may have up to {MAX_BODY:,} bytes"
        session = session_of(headers, self._gate.cookie)
        name = self._sessions.name(session)
        scope["session_id"], scope["who"] = (session, name) if name is not None else ("", None)
        if name is None and scope["path"] not in _OPEN and not self._opens(scope):
            if self._gate.password is not None:
                return 401, "this review is open to those who have its password"
            return 401, "open the address that `graticule review` printed when it started"
        return None

    def _own_page(self, headers: Headers, scheme: str) -> bool:
        """Whether a write comes from a page of this server, or from no browser at all.

        A proxy may have rewritten the host, so any name of ours is one of our pages; with encryption, encrypted ones.
        """
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in (None, "same-origin"):
            return False
        if origin is None:
            return True
        used, _, host = origin.lower().partition("://")
        return used in (("https",) if scheme == "https" else ("http", "https")) and host in self._gate.hosts

    def _opens(self, scope: Scope) -> bool:
        """Whether a request asks to be let in: the page itself with a token."""
        return scope["method"] == "GET" and scope["path"] == "/" and b"token=" in scope["query_string"]


def session_of(headers: Headers, cookie: str) -> str:
    """The session's id in a request's cookies, "" where there is none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[cookie].value if cookie in jar else ""


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return answer


def _limited(receive: Receive) -> Receive:
    """Requests in pieces have no length beforehand: they end when they grow too long."""
    total = 0

    async def limited() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_BODY:
            return {"type": "http.disconnect"}
        return message

    return limited


async def _refuse(scope: Scope, headers: Headers, send: Send, status: int, reason: str, *, by_password: bool) -> None:
    as_page = "text/html" in headers.get("accept", "") and not scope["path"].startswith("/api/")
    body: Any = _page(status, reason, by_password) if as_page else json.dumps({"error": reason})
    kind = b"text/html; charset=utf-8" if as_page else b"application/json"
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body.encode()})


def _page(status: int, reason: str, by_password: bool) -> str:
    """A page without script for someone who is not let in.

    The link matters: a browser keeps a strict cookie back on the first step from another site, such as a chat in which
    the address was posted, and sends it when the link is followed.
    """
    more = ""
    if status == 401:
        enter = '<p><a href="/login">Give your name and the password</a>.</p>' if by_password else ""
        more = (
            f'{enter}<p>If you have just opened it: <a href="/">go on to the review</a>.</p><p>Labels that were not '
            "sent yet are kept in this browser and are sent when the review is open again.</p>"
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width"><title>Graticule review</title>'
        '<link rel="stylesheet" href="/login.css"></head>'
        f"<body><main><h1>Not open</h1><p>{html.escape(reason[:1].upper() + reason[1:])}.</p>{more}</main></body>"
        "</html>"
    )
