"""The application: errors are answers, and a socket is bound where it can be reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]


def test_unknown_addresses_are_answered(open_desk: Open) -> None:
    client = open_desk().client()
    for path in ("/api/item/x", "/nothing", "/static/../app.py", "/static/app.py", "/api/image/%2e%2e%2fx"):
        answer = client.get(path)
        assert (answer.status_code, "error" in answer.json()) == (404, True)
