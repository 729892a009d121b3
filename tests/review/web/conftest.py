"""A review with real files, served: over a client in this process, or by a server on a port of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from tests.review.made_up import items_of, with_files
from tests.review.web.browser import Person, at_desk, launch

from graticule.images.preprocess import Preprocessing
from graticule.images.shown import shown_as_model_reads
from graticule.record.store import LabelStore
from graticule.review.desk import Desk
from graticule.review.items import Items, draw_control, in_order
from graticule.review.pictures import ReviewPictures
from graticule.review.sight import Settings
from graticule.review.web.app import Listening, create_app, listen, serving
from graticule.review.web.context import Nearest, OfClasses

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOST = "127.0.0.1"


@dataclass
class Opened:
    """A review with its application, a socket it may be served on, and a client that is let in."""

    desk: Desk
    pictures: ReviewPictures
    app: ASGIApp
    listening: Listening

    @property
    def base(self) -> str:
        return f"http://{HOST}:{self.listening.port}"

    def client(self, user: str | None = None, **headers: str) -> TestClient:
        """A client with a session."""
        client = self.stranger(**headers)
        client.get("/", params={"token": self.listening.gate.token}, follow_redirects=False)
        if user is not None:
            client.post("/who", data={"name": user}, follow_redirects=False)
        return client

    def stranger(self, **headers: str) -> TestClient:
        """A client without a session."""
        return TestClient(self.app, base_url=self.base, headers=headers, raise_server_exceptions=True)


def map_of(_file: Path, _label: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A made-up map of evidence: a gradient of transparency."""
    column = np.arange(64, dtype=np.uint8)[None, :, None].repeat(48, axis=0)
    return np.concatenate([column.repeat(3, axis=2), column * 2], axis=2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file."""
    yield from launch()


@pytest.fixture
def sit(browser: Browser) -> Iterator[Callable[..., Person]]:
    """A function that serves a review and seats a person at it."""
    with ExitStack() as stack:

        def down(opened: Opened, address: str = "/?kind=all", **options: Any) -> Person:
            stack.enter_context(serving(opened.app, opened.listening))
            person = stack.enter_context(at_desk(browser, opened.listening.url, opened.base, **options))
            person.open(address)
            return person

        yield down


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """A function that opens a review of n images with files; options are those of `Settings`, and columns of items."""
    with ExitStack() as stack:

        def make(
            n: int = 24,
            *,
            settings: Settings | None = None,
            names: list[str] | None = None,
            classes: tuple[str, ...] = ("a", "b", "c"),
            control: int = 0,
            user: str = "ann",
            password: str | None = None,
            names_of_host: tuple[str, ...] = (),
            proxies: tuple[str, ...] = (),
            labels: str = "",
            port: int = 0,
            of_classes: OfClasses | None = None,
            asked: Items | None = None,
            **columns: Any,
        ) -> Opened:
            items: Items = items_of(n, classes=classes, **columns) if asked is None else asked
            n = len(items)
            items, files = with_files(items, tmp_path / "images", names)
            items = in_order(replace(items, sampling_prob=draw_control(items, control)))
            training = files[:3]
            items = replace(items, nearest=(("near/0.png", "near/1.png", "gone.png"),) * n)
            place = {file.relative_to(tmp_path / "images").as_posix(): file for file in files}
            store = stack.enter_context(LabelStore.open(labels or str(tmp_path / "labels.db")))
            ordered = [place[path] for path in items.path]
            read = partial(shown_as_model_reads, preprocessing=Preprocessing(64))
            pictures = ReviewPictures(ordered, items.sha256.tolist(), training, read, tmp_path / "cache", map_of)
            desk = Desk(items, store, settings or Settings(source="a test"), pictures.is_changed)
            listening = listen(HOST, port, fallback=False, password=password, names=names_of_host, proxies=proxies)
            stack.callback(listening.socket.close)
            nearest = Nearest({"near/0.png": 0, "near/1.png": 1}, [classes[0], classes[1], classes[0]], of_classes)
            return Opened(desk, pictures, create_app(desk, pictures, nearest, listening.gate, user), listening)

        yield make


def say(client: TestClient, image: str, action: str = "label", value: str | None = "a", **more: Any) -> Any:
    body = {"client_id": str(uuid.uuid4()), "action": action, "image": image, "value": value, "blind": False} | more
    return client.post("/api/event", json=body)
