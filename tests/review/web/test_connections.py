"""Requests that do not end, and connections that only wait, do not keep others out."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from graticule.review.web import app as web
from graticule.review.web.app import serving
from graticule.review.web.connections import MAX_PER_ADDRESS, bounded_protocol

Open = Callable[..., Any]
SECONDS = 0.8


@pytest.fixture
def port(open_desk: Open, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A served review whose requests must be whole within `SECONDS`; at most 8 connections."""
    monkeypatch.setattr(web, "bounded_protocol", lambda proxies: bounded_protocol(proxies, seconds=SECONDS, most=8))
    opened = open_desk()
    with serving(opened.app, opened.listening):
        yield opened.listening.port


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        yield connection


def ended(connection: socket.socket) -> bool:
    """Whether the server ends the connection, without an answer."""
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True


HEAD = b"POST /api/verify HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD, HEAD + b"Content-Type: application/json\r\n"])
def test_half_a_request_ends(port: int, sent: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(sent % port if b"%d" in sent else sent)
        start = time.monotonic()
        assert ended(connection)
        assert time.monotonic() - start >= SECONDS - 0.1


def test_more_parts_do_not_turn_the_clock_back(port: int) -> None:
    with connected(port) as connection:
        start, over = time.monotonic(), threading.Event()

        def trickle() -> None:
            while not over.wait(0.1):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

        connection.sendall(HEAD % port + b"X-Long: ")
        sender = threading.Thread(target=trickle)
        sender.start()
        assert ended(connection)
        waited = time.monotonic() - start
        over.set()
        sender.join()
        assert waited < 15


def test_half_a_body_ends_also_after_an_answer(port: int) -> None:
    # refused for want of a session before the body is there
    with connected(port) as connection:
        connection.sendall(HEAD % port + b"Content-Length: 100\r\n\r\n{")
        answer = b""
        while part := _received(connection):
            answer += part
        assert answer == b"" or answer.startswith(b"HTTP/1.1 401")


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1000)
    except ConnectionError:
        return b""


def test_a_person_who_thinks_keeps_the_connection(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(2):
        client.request("GET", "/healthz")
        assert client.getresponse().read() == b'{"status":"ok"}'
        own = client.sock
        assert own is not None
        time.sleep(1.5 * SECONDS)
        assert client.sock is own
    client.close()


def test_the_second_half_request_of_a_connection_ends_too(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\nGET /he" % port)
        answer = b""
        while part := _received(connection):
            answer += part
        assert answer.count(b"HTTP/1.1") == 1
        assert b"200" in answer


def test_connections_are_bounded_and_come_free_again(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(8)]
    with connected(port) as one_more:
        assert ended(one_more)
    for connection in held:
        assert ended(connection)
        connection.close()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", "/healthz")
    assert client.getresponse().status == 200
    client.close()


class Transport:
    """What a protocol sees of a connection from an address."""

    def __init__(self, address: str) -> None:
        self.address, self.aborted = address, False

    def get_extra_info(self, name: str) -> object:
        return {"peername": (self.address, 1), "sockname": ("192.0.2.250", 80)}.get(name)

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


def test_one_address_cannot_hold_all_connections(open_desk: Open) -> None:
    import asyncio

    async def refused() -> dict[str, int]:
        protocol = bounded_protocol(["192.0.2.7"])
        config = uvicorn.Config(open_desk().app, http=protocol, proxy_headers=False, ws="none", lifespan="off")
        config.load()
        state = uvicorn.Server(config).server_state
        found = {}
        # a stranger, a stated proxy, this machine, another person after them
        for address in ("203.0.113.1", "192.0.2.7", "127.0.0.1", "203.0.113.2"):
            transports = [Transport(address) for _ in range(MAX_PER_ADDRESS + 5)]
            for transport in transports:
                made = protocol(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
                made.connection_made(transport)  # type: ignore[arg-type]
            found[address] = sum(transport.aborted for transport in transports)
        return found

    assert asyncio.run(refused()) == {"203.0.113.1": 5, "192.0.2.7": 0, "127.0.0.1": 0, "203.0.113.2": 5}
