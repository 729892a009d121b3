"""The review page as an application: routes behind the guard, errors as answers, and a server on one socket."""

import contextlib
import re
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from graticule.errors import GraticuleError, ImageError, LabelDatabaseError, LabelStoreError, OptionError
from graticule.record.numbers import in_words
from graticule.report.page import environment
from graticule.review.desk import Desk
from graticule.review.pictures import ReviewPictures
from graticule.review.web.access import Gate, Guard, Sessions
from graticule.review.web.connections import bounded_protocol
from graticule.review.web.context import Context, Nearest
from graticule.review.web.data_routes import data_routes
from graticule.review.web.pages import page_routes

_PORT = re.compile(r":[0-9]+$")


def create_app(desk: Desk, pictures: ReviewPictures, nearest: Nearest, gate: Gate, user: str = "") -> ASGIApp:
    """The application.

    Parameters
    ----------
    desk : Desk
    pictures : ReviewPictures
    nearest : Nearest
    gate : Gate
        What opens it.
    user : str
        The person by default; "": asked for.
    """
    templates = environment("graticule.review.web")
    templates.filters["in_words"] = in_words
    sessions = Sessions()
    context = Context(desk, pictures, nearest, gate, sessions, templates, desk.store.shown, user)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.include_router(page_routes(context))
    app.include_router(data_routes(context))
    _answer_errors(app, context)
    # uvicorn's own use of it trusts whoever connects from this machine; here only what was named
    return ProxyHeadersMiddleware(Guard(app, gate, sessions), list(gate.proxies))  # type: ignore[arg-type, return-value]


def _answer_errors(app: FastAPI, context: Context) -> None:
    def answer(request: Request, status: int, message: str) -> Response:
        as_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        if as_page and request.scope.get("who"):
            return context.page(
                request, "error", "Not done", status, message=message, what_to_do="Go back and try again."
            )
        return JSONResponse({"error": message}, status)

    @app.exception_handler(GraticuleError)
    def refused(request: Request, error: GraticuleError) -> Response:
        if isinstance(error, LabelDatabaseError):
            return answer(request, 503, str(error))
        if isinstance(error, LabelStoreError):
            return answer(request, 409, str(error))
        missing = isinstance(error, ImageError) or str(error).startswith("there is no ")
        return answer(request, 404 if missing else 422, str(error))

    @app.exception_handler(RequestValidationError)
    def faulty(request: Request, error: RequestValidationError) -> Response:
        faults = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()]
        return answer(request, 422, "; ".join(faults))

    @app.exception_handler(HTTPException)
    def unknown(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, str(error.detail))


@dataclass(frozen=True)
class Listening:
    """A socket that is bound, and what a browser opens."""

    socket: socket.socket
    host: str
    port: int
    gate: Gate

    @property
    def address(self) -> str:
        """Without the token, to be shown in messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    @property
    def url(self) -> str:
        """What lets its reader in: with the token, or the page that asks for the password."""
        return self.address + ("login" if self.gate.password is not None else f"?token={self.gate.token}")


def listen(
    host: str,
    port: int,
    *,
    fallback: bool,
    password: str | None = None,
    names: Sequence[str] = (),
    proxies: Sequence[str] = (),
) -> Listening:
    """Bind a port.

    Parameters
    ----------
    host : str
        An address of this machine.
    port : int
        0 for any free one.
    fallback : bool
        Take any free port where this one is in use.
    password : str, optional
        Asked for instead of the token.
    names : sequence of str
        Further host names under which the server may be addressed, such as a proxy's: HOST or HOST:PORT.
    proxies : sequence of str
        Addresses or networks of proxies whose X-Forwarded-Proto and X-Forwarded-For count.

    Raises
    ------
    OptionError
        When the port is in use or the host is none of this machine's.
    """
    try:
        bound = _bind(host, port, fallback)
    except (OSError, OverflowError) as error:
        raise OptionError(f"cannot listen on {host}, port {port}: {error}; choose another --port or --host") from error
    port = bound.getsockname()[1]
    own = {host, "localhost", "127.0.0.1", "[::1]"}
    if ":" in host:
        own.add(f"[{host}]")
    hosts = frozenset(name.lower() if port == 80 else f"{name}:{port}".lower() for name in own)
    # a browser leaves out the port of the scheme, 443 before a proxy with encryption
    more = {name.lower() for name in names} | {f"{name}:{port}".lower() for name in names if not _PORT.search(name)}
    gate = Gate(secrets.token_urlsafe(32), password, hosts | more, f"graticule_review_{port}", tuple(proxies))
    return Listening(bound, host, port, gate)


def _bind(host: str, port: int, fallback: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named so that asyncio switches Nagle's algorithm off, else answers wait for an acknowledgement
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(bound.close)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError:
            if not fallback:
                raise
            bound.bind((host, 0))
        bound.listen(128)
        on_failure.pop_all()
    return bound


def server_of(app: ASGIApp, proxies: Sequence[str] = ()) -> uvicorn.Server:
    """A server for an application, silent but for failures; it waits for no request without an end."""
    config = uvicorn.Config(
        app,
        http=bounded_protocol(proxies),
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_keep_alive=75,  # longer than a person looks at most images
    )
    return uvicorn.Server(config)


def serve_page(app: ASGIApp, listening: Listening, pictures: ReviewPictures) -> None:
    """Answer until Ctrl-C; thumbnails are made meanwhile."""
    stop = threading.Event()
    maker = threading.Thread(target=pictures.prepare_thumbnails, args=(stop,), daemon=True)
    maker.start()
    try:
        server_of(app, listening.gate.proxies).run(sockets=[listening.socket])
    finally:
        stop.set()
        maker.join(timeout=1.0)


@contextlib.contextmanager
def serving(app: ASGIApp, listening: Listening) -> Iterator[Listening]:
    """A server in a thread of its own, for a notebook or a test."""
    server = server_of(app, listening.gate.proxies)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening.socket]}, daemon=True)
    thread.start()
    try:
        yield listening
    finally:
        server.should_exit = True
        thread.join(timeout=10.0)
