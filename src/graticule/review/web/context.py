"""What the routes share: the review, its pictures, the templates, and how a position becomes an Item for the page."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.requests import Request

from graticule.errors import ImageError, OptionError
from graticule.review.class_items import ClassItems
from graticule.review.desk import Desk
from graticule.review.items import KINDS
from graticule.review.pictures import ReviewPictures
from graticule.review.queue import Filters
from graticule.review.web.access import Gate, Sessions
from graticule.review.web.bodies import Query

_MOST_GROUPS = 200
_COMPARED = 3  # classes whose nearest training images are shown

# from a file, its escaped path and classes to the paths of the nearest training images of each
OfClasses = Callable[[Path, str, Sequence[str]], Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Nearest:
    """Training images by the paths that predictions name.

    Attributes
    ----------
    number : dict
        Position in `ReviewPictures.training` by escaped path.
    label : sequence of str
        Class of each training image.
    of_classes : function, optional
        Finds the nearest training images class by class; it may take as long as a picture.
    """

    number: dict[str, int]
    label: Sequence[str]
    of_classes: OfClasses | None = None

    def numbers(self, paths: Sequence[str]) -> list[int]:
        """Positions of those training images that are known here."""
        return [self.number[path] for path in paths if path in self.number]


@dataclass(frozen=True)
class Context:
    """Everything a route needs."""

    desk: Desk
    pictures: ReviewPictures
    nearest: Nearest
    gate: Gate
    sessions: Sessions
    templates: jinja2.Environment
    store_shown: str
    desk_user: str = ""

    def settings(self) -> dict[str, Any]:
        """How the review is held, for page and script."""
        items, settings = self.desk.items, self.desk.settings
        groups = self.desk.groups
        return {
            "blind": settings.blind,
            "double": settings.double,
            **items.asked(),
            "kinds": [[kind, items.WORDS[kind]] for kind in KINDS],
            "groups": groups if len(groups) <= _MOST_GROUPS else [],
            "n_items": len(items),
            "source": settings.source,
            "store": self.store_shown,
            "model": (settings.model_hash or "")[:12],
            # stands in the addresses of pictures, which a browser keeps: another review on this port has others
            "of": hashlib.sha256(f"{settings.model_hash} {settings.run_hash}".encode()).hexdigest()[:12],
            "can_explain": self.pictures.can_explain,
            "can_grid": items.BULK and not settings.blind,
            "can_compare": self.nearest.of_classes is not None and not settings.blind,
        }

    def page(self, request: Request, name: str, title: str, status: int = 200, **more: Any) -> HTMLResponse:
        """A page from its template."""
        text = self.templates.get_template(f"{name}.html.j2").render(
            page=name, title=title, who=request.scope["who"], settings=self.settings(), **more
        )
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)

    def item(self, place: int, who: str) -> dict[str, Any]:
        """An image as the page gets it: the opinion as far as it may be seen, and what the file tells."""
        item = self.desk.opinion(place, who) | {"width": 0, "height": 0, "pixel_size_nm": None, "bar": None}
        item["explain"] = self.pictures.can_explain and not item["blind"]
        item["nearest"] = [] if item["blind"] else self._nearest(place)
        item["problem"] = "the file has changed since it was scored" if self.pictures.is_changed(place) else None
        try:
            shown = self.pictures.shown(place)
        except ImageError as error:
            return item | {"problem": error.cause}
        height, width = shown.pixels.shape[:2]
        bar = None if shown.bar is None else {"top": shown.bar[0], "bottom": shown.bar[1]}
        return item | {"width": width, "height": height, "pixel_size_nm": shown.pixel_size_nm, "bar": bar}

    def _nearest(self, place: int) -> list[dict[str, Any]]:
        numbers = self.nearest.numbers(self.desk.items.nearest[place])
        return [{"id": number, "class": self.nearest.label[number]} for number in numbers]

    def nearest_of_classes(self, place: int) -> list[dict[str, Any]]:
        """The nearest training images of each class that an image may be of; none where it is judged blind."""
        find, items = self.nearest.of_classes, self.desk.items
        if (
            find is None
            or not isinstance(items, ClassItems)
            or self.desk.is_blind(place)
            or self.pictures.is_changed(place)
        ):
            return []
        names = items.compared(place, _COMPARED)
        found = find(self.pictures.files[place], items.path[place], names)
        return [
            {"class": name, "images": numbers}
            for name, paths in zip(names, found, strict=True)
            if (numbers := self.nearest.numbers(paths))
        ]


def filters_of(query: Query) -> Filters:
    """Filters from an address; they are checked where they are used."""
    return Filters(query.kind, query.label, query.group, query.low, query.high)


def another_person(request: Request, claimed: str | None) -> JSONResponse | None:
    """The refusal where a decision comes from a page of one person in the session of another; else None.

    It names the session's person: that tells a page to keep the decision for its own person, and to load anew.
    """
    who = request.scope["who"] or ""
    if claimed is None or claimed == who:
        return None
    error = f"this session is {who or 'nobody'}'s by now, and the decision is {claimed}'s: nothing was stored"
    return JSONResponse({"error": error, "who": who}, 409)


def person(request: Request) -> str:
    """The name of who asks."""
    who = request.scope["who"]
    if not who:
        raise OptionError("say who you are first")
    return str(who)
