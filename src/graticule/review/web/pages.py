"""The pages themselves, how one is let in, and the downloads."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Query as InAddress
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.datastructures import QueryParams

from graticule.errors import OptionError
from graticule.names import name_key, written_otherwise
from graticule.record.events import ACTIONS, MAX_NAME, Event
from graticule.record.exports import (
    APART_COLUMNS,
    OPEN_COLUMNS,
    Collected,
    EventFiles,
    label_columns,
    labels_by_kind,
    with_numbers,
    write_rows,
)
from graticule.record.people import PROGRAM, is_program
from graticule.record.signature import signatures
from graticule.review.progress import overview
from graticule.review.record_view import EventFilter, read_record
from graticule.review.web.access import matches
from graticule.review.web.context import Context

# numbers of events are those that the database can hold
Before = Annotated[int | None, InAddress(ge=1, le=2**62)]
_FOLDER = Path(__file__).parent / "static"
_STATIC = {"review.css": "text/css", "review.js": "text/javascript", "number.js": "text/javascript"}
_TAKEN = f"“{PROGRAM}” is the name under which the program itself writes: give your own."
_DOWNLOADS = {".csv": "text/csv; charset=utf-8", ".parquet": "application/vnd.apache.parquet"}


def page_routes(context: Context) -> APIRouter:
    """Routes that give pages, files and downloads."""
    routes = APIRouter()
    _entrance(routes, context)
    _pages(routes, context)
    _downloads(routes, context)
    return routes


def _entrance(routes: APIRouter, context: Context) -> None:
    gate, sessions = context.gate, context.sessions

    def enter(request: Request, name: str) -> Response:
        answer = RedirectResponse("/" if name else "/who", status_code=303)
        encrypted = request.scope["scheme"] == "https"
        answer.set_cookie(
            gate.cookie, sessions.open(name), httponly=True, samesite="strict", path="/", secure=encrypted
        )
        return answer

    @routes.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/")
    def start(request: Request, token: str | None = None) -> Response:
        if token is not None:
            if gate.password is not None or not matches(token, gate.token):
                return JSONResponse({"error": "the token is not the one that was printed at start"}, 401)
            return enter(request, _person(context, context.desk_user))
        if not request.scope["who"]:
            return RedirectResponse("/who", status_code=303)
        return context.page(request, "image", "Review")

    @routes.get("/login.css")
    def login_style() -> Response:
        return _file("login.css", "text/css")

    @routes.get("/login")
    def login_page(request: Request) -> Response:
        if gate.password is None:
            return RedirectResponse("/", status_code=303)
        return HTMLResponse(_login(""))

    @routes.post("/login")
    async def login(request: Request) -> Response:
        fields = await _form(request)
        address = request.client.host if request.client is not None else ""
        if gate.password is None or not sessions.may_try(address):
            return HTMLResponse(_login("Too many wrong passwords: wait a minute."), 429)
        if not matches(fields.get("password", ""), gate.password):
            sessions.failed(address)
            return HTMLResponse(_login("That is not the password."), 401)
        name = _person(context, fields.get("name", ""))
        if is_program(name):
            return HTMLResponse(_login(_TAKEN), 422)
        return enter(request, name)

    @routes.get("/who")
    def who_page(request: Request) -> Response:
        return context.page(request, "who", "Who is reviewing?")

    @routes.post("/who")
    async def who(request: Request) -> Response:
        name = _person(context, (await _form(request)).get("name", ""))
        if not name or is_program(name):
            return context.page(request, "who", "Who is reviewing?", 422, problem=_TAKEN if name else "")
        context.desk.queue.release(request.scope["who"] or "")
        sessions.rename(request.scope["session_id"], name)
        return RedirectResponse("/", status_code=303)


def _pages(routes: APIRouter, context: Context) -> None:
    desk = context.desk

    @routes.get("/favicon.ico")
    def no_icon() -> Response:
        return Response(status_code=204)

    @routes.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _STATIC:
            return JSONResponse({"error": "there is no such file"}, 404)
        return _file(name, _STATIC[name])

    @routes.get("/grid")
    def grid(request: Request) -> HTMLResponse:
        return context.page(request, "grid", "Many at once")

    @routes.get("/overview")
    def overview_page(request: Request) -> HTMLResponse:
        return context.page(request, "overview", "Overview", overview=overview(desk))

    @routes.get("/disagreements")
    def disagreements(request: Request) -> HTMLResponse:
        return context.page(request, "disagreements", "Disagreements")

    @routes.get("/record")
    def record(
        request: Request, who: str = "", action: str = "", image: str = "", before: Before = None
    ) -> HTMLResponse:
        if action and action not in ACTIONS:
            raise OptionError(f"action {action!r}: allowed are {', '.join(ACTIONS)}")
        asked = EventFilter(who, action, image, before)
        signed, _ = desk.store.search(action="sign", limit=50)
        head = desk.store.head()
        content: dict[str, Any] = {
            "page": read_record(desk, request.scope["who"] or "", asked),
            "filters": asked,
            "people": desk.store.people(),
            "actions": list(ACTIONS),
            "head": {"seq": head.seq, "hash": head.hash},
            "signatures": signatures(signed),
        }
        return context.page(request, "record", "Record", record=content)


def _downloads(routes: APIRouter, context: Context) -> None:
    @routes.get("/export/{name}")
    def export(name: str, min_people: Annotated[int, InAddress(ge=1)] = 1) -> Response:
        part, _, suffix = name.rpartition(".")
        if part not in ("labels", "doubtful", "novel", "open", "record") or f".{suffix}" not in _DOWNLOADS:
            return JSONResponse({"error": "there is no such export"}, 404)
        with tempfile.TemporaryDirectory(prefix="graticule-export-") as scratch:
            file = Path(scratch) / name
            _write(context, part, file, min_people)
            data = file.read_bytes()
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type=_DOWNLOADS[f".{suffix}"], headers=headers)


def _write(context: Context, part: str, file: Path, min_people: int) -> None:
    """One of the files of `graticule labels export`."""
    if part == "record":
        with EventFiles(file.with_suffix(".csv"), file.with_suffix(".parquet")) as log:
            for row in context.desk.store.rows():
                log.add(row)
        return
    collected = Collected()
    for event in context.desk.store.events():
        collected.add(Event.of(event.row()))
    rows, unagreed = collected.rows(min_people, context.desk.settings.tolerance)
    if part == "open":
        write_rows(file, OPEN_COLUMNS, unagreed)
        return
    found = labels_by_kind(rows)[part]
    if part == "labels":
        write_rows(file, label_columns(collected.quantity), with_numbers(found, collected.quantity))
    else:
        write_rows(file, APART_COLUMNS, found)


def _file(name: str, kind: str) -> Response:
    """A file of ours."""
    return Response((_FOLDER / name).read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})


async def _form(request: Request) -> dict[str, str]:
    """Fields of a posted form, which has the encoding of an address."""
    return dict(QueryParams((await request.body()).decode("utf-8", "replace")))


def _person(context: Context, text: str) -> str:
    """Who enters: someone of the record or of an open session, however the name is typed this time; else as typed.

    Two spellings of one person would be two readers of an image, who agree with each other.
    """
    name = _name(text)
    known = (*context.desk.store.people(), *context.sessions.people())
    return (written_otherwise(name, known) or name) if name_key(name) else ""


def _name(text: str) -> str:
    """A person's name on one line, "" where there is none."""
    return " ".join("".join(c for c in text if c.isprintable()).split())[:MAX_NAME]


def _login(message: str) -> str:
    """A form that needs no script; `message` is one of our own."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width"><title>Graticule review</title>'
        '<link rel="stylesheet" href="/login.css"></head><body><main><h1>Graticule review</h1>'
        "<p>The name that you give here stands on the record, with every decision of yours.</p>"
        f'<p role="alert">{message}</p><form method="post" action="/login">'
        '<p><label>Your name <input name="name" autocomplete="username" required maxlength="200" autofocus></label></p>'
        '<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
        "</p><button>Open</button></form></main></body></html>"
    )
