"""The routes that the page's script calls: images, decisions, verification, signatures."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Query as InAddress
from fastapi.responses import JSONResponse

from graticule.errors import ImageError, OptionError
from graticule.record.numbers import in_words
from graticule.record.trail import parse_head
from graticule.review.class_items import ClassItems
from graticule.review.desk import Decision
from graticule.review.web.bodies import BulkBody, EventBody, Query, SignBody, VerifyBody
from graticule.review.web.context import Context, another_person, filters_of, person

_GRID_PAGE = 60
_DISAGREEMENTS_PAGE = 20
_MOST_AHEAD = 8
_MOST_SKIPPED = 220  # images held, and decisions of theirs that the browser has not sent yet
_KEEP = {"cache-control": "private, max-age=86400, immutable"}
Asked = Annotated[Query, InAddress()]


def data_routes(context: Context) -> APIRouter:
    """Routes under /api."""
    routes = APIRouter(prefix="/api")
    _looking(routes, context)
    _pictures(routes, context)
    _deciding(routes, context)
    return routes


def _looking(routes: APIRouter, context: Context) -> None:
    desk = context.desk

    @routes.get("/settings")
    def settings(request: Request) -> dict[str, Any]:
        return context.settings() | {"who": request.scope["who"]}

    @routes.get("/queue")
    def queue(request: Request, asked: Asked, n: int = 1, skip: str = "") -> dict[str, Any]:
        who, filters = person(request), filters_of(asked)
        held = [place for sha in skip.split(",") if (place := desk.ledger.place(sha)) is not None]
        taken = desk.take(who, filters, max(0, min(n, _MOST_AHEAD)), held[:_MOST_SKIPPED])
        total, done, left = desk.queue.counts(who, filters)
        return {"items": [context.item(p, who) for p in taken], "total": total, "done": done, "left": left}

    @routes.get("/item/{image}")
    def item(request: Request, image: str) -> dict[str, Any]:
        return context.item(desk.place(image), person(request))

    @routes.get("/grid")
    def grid(request: Request, asked: Asked, page: int = 0) -> dict[str, Any]:
        filters = filters_of(asked)
        if not filters.label and isinstance(desk.items, ClassItems):
            raise OptionError(f"class: choose one of {', '.join(desk.items.classes)}")
        places = desk.grid(filters, person(request))
        pages = -(-len(places) // _GRID_PAGE)
        page = max(0, min(page, pages - 1))
        items, score = desk.items, desk.score
        shown = places[page * _GRID_PAGE : (page + 1) * _GRID_PAGE].tolist()
        return {
            "items": [{"id": items.sha256[p], "name": items.path[p], "score": float(score[p])} for p in shown],
            "page": page,
            "pages": pages,
            "total": len(places),
            "class": filters.label,
        }

    @routes.get("/disagreements")
    def disagreements(request: Request, page: int = 0) -> dict[str, Any]:
        desk.ledger.refresh()
        places = desk.disagreements()
        start = max(0, page) * _DISAGREEMENTS_PAGE
        found = []
        for place in places[start : start + _DISAGREEMENTS_PAGE].tolist():
            decisions = desk.ledger.state(desk.items.sha256[place]).decisions()
            readings = [
                {"who": e.who, "value": in_words(e.new_value), "time": e.time, "reason": e.reason, "blind": e.blind}
                for e in decisions
            ]
            found.append(context.item(place, person(request)) | {"readings": readings, "verdict": None})
        return {"items": found, "page": max(0, page), "total": len(places)}


def _pictures(routes: APIRouter, context: Context) -> None:
    desk, pictures = context.desk, context.pictures

    @routes.get("/image/{image}")
    def image_bytes(image: str, side: int = 0) -> Response:
        data, kind = pictures.image(desk.place(image), max(0, side))
        return Response(data, media_type=kind, headers=_KEEP)

    @routes.get("/thumb/{image}")
    def thumbnail(image: str) -> Response:
        return Response(pictures.thumbnail(desk.place(image)), media_type="image/jpeg", headers=_KEEP)

    @routes.get("/training/{number}/thumb")
    def training(number: int) -> Response:
        if not 0 <= number < len(pictures.training):
            raise OptionError(f"there is no training image {number}")
        try:
            data = pictures.training_thumbnail(number)
        except OSError as error:
            raise ImageError(f"training image {number}", error.strerror or str(error)) from error
        return Response(data, media_type="image/jpeg", headers=_KEEP)

    @routes.get("/nearest/{image}")
    def nearest(image: str) -> Response:
        return JSONResponse({"classes": context.nearest_of_classes(desk.place(image))})

    @routes.get("/explanation/{image}")
    def explanation(image: str, label: Annotated[str, InAddress(alias="class")]) -> Response:
        place = desk.place(image)
        if not isinstance(desk.items, ClassItems) or label not in desk.items.classes:
            raise OptionError(f"class {label!r} is not known")
        found = None if desk.is_blind(place) else pictures.explanation(place, label)
        if found is None:
            return JSONResponse({"error": "this image cannot be explained"}, 404)
        return Response(found, media_type="image/png", headers=_KEEP)


def _deciding(routes: APIRouter, context: Context) -> None:
    desk = context.desk

    @routes.post("/event", status_code=201, response_model=None)
    def event(request: Request, body: EventBody) -> dict[str, Any] | Response:
        if refusal := another_person(request, body.who):
            return refusal
        decision = Decision(
            image=body.image,
            action=body.action,
            value=body.value,
            reason=body.reason,
            seconds=body.seconds,
            client_id=body.client_id,
            saw_opinion=not body.blind,
        )
        stored = desk.decide(person(request), decision)
        return {
            "seq": stored.seq,
            "hash": stored.hash,
            "time": stored.time,
            "value": in_words(stored.new_value) or None,
            "action": stored.action,
        }

    @routes.post("/bulk", status_code=201, response_model=None)
    def bulk(request: Request, body: BulkBody) -> dict[str, Any] | Response:
        if refusal := another_person(request, body.who):
            return refusal
        images = [(one.id, one.client_id) for one in body.images]
        refused = desk.accept_all(person(request), body.value, images)
        return {
            "stored": len(images) - len(refused),
            "refused": [{"id": image, "error": error} for image, error in refused],
        }

    @routes.post("/verify")
    def verify(body: VerifyBody) -> dict[str, Any]:
        given = parse_head(body.head) if body.head else None
        found, missing, foreign = desk.store.verify(given), desk.store.missing_guards(), desk.store.foreign_rules()
        return {
            "sound": found.sound and not missing and not foreign,
            "n_events": found.n_events,
            "head": {"seq": found.head.seq, "hash": found.head.hash},
            "first_bad": found.first_bad,
            "problem": found.problem,
            "tail": found.tail,
            "missing_guards": list(missing),
            "foreign_rules": list(foreign),
        }

    @routes.post("/sign", status_code=201, response_model=None)
    def sign(request: Request, body: SignBody) -> dict[str, Any] | Response:
        if refusal := another_person(request, body.who):
            return refusal
        return desk.sign(person(request), body.batch, body.meaning, body.scope).document()
