"""The application: errors are answers, and a socket is bound where it can be reached."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from graticule.errors import OptionError
from graticule.review.web.access import Gate
from graticule.review.web.app import Listening, listen

Open = Callable[..., Any]


def test_unknown_addresses_are_answered(open_desk: Open) -> None:
    client = open_desk().client()
    for path in ("/api/item/x", "/nothing", "/static/../app.py", "/static/app.py", "/api/image/%2e%2e%2fx"):
        answer = client.get(path)
        assert (answer.status_code, "error" in answer.json()) == (404, True)


def test_an_error_is_a_page_for_people_and_json_for_the_script(open_desk: Open) -> None:
    client = open_desk().client("ann")
    page = client.get("/record", params={"action": "none"}, headers={"accept": "text/html"})
    assert (page.status_code, "Not done" in page.text) == (422, True)
    for accept in ("text/html", "application/json"):
        answer = client.get("/api/grid", headers={"accept": accept})
        assert answer.json() == {"error": "class: choose one of a, b, c"}
    fault = client.post("/api/event", json={"client_id": ""})
    assert (fault.status_code, "client_id: " in fault.json()["error"]) == (422, True)


def test_a_port_in_use_is_refused_or_another_one_taken() -> None:
    first = listen("127.0.0.1", 0, fallback=False)
    with first.socket:
        with pytest.raises(OptionError, match=f"cannot listen on 127.0.0.1, port {first.port}"):
            listen("127.0.0.1", first.port, fallback=False)
        second = listen("127.0.0.1", first.port, fallback=True)
        with second.socket:
            assert second.port not in (0, first.port)
            assert second.gate.token != first.gate.token
    with pytest.raises(OptionError, match="cannot listen"):
        listen("127.0.0.1", 70_000, fallback=False)


def test_an_address_of_six_groups_stands_in_brackets() -> None:
    gate = Gate("token", None, frozenset(), "cookie", ())
    with socket.socket() as unbound:
        assert Listening(unbound, "::1", 81, gate).url == "http://[::1]:81/?token=token"
        asked = replace(gate, password="long enough for it")
        assert Listening(unbound, "h", 81, asked).url == "http://h:81/login"
        assert "token" not in Listening(unbound, "h", 81, gate).address
