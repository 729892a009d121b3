"""A review reached from outside: behind a proxy with encryption, under half-sent requests, under guessed passwords.

    python benchmarks/review_outside.py

A small TLS proxy on this machine hands requests on, once with the host kept and once rewritten, as common proxies do.
Then half-sent requests are held open while a person works, and passwords are tried from several addresses of this
machine (127.0.0.0/8). Needs the command openssl for a certificate.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from graticule.images.preprocess import Preprocessing
from graticule.images.shown import shown_as_model_reads
from graticule.record.store import LabelStore
from graticule.review.desk import Desk
from graticule.review.pictures import ReviewPictures
from graticule.review.sight import Settings
from graticule.review.web.app import Listening, create_app, listen, serving
from graticule.review.web.connections import REQUEST_SECONDS
from graticule.review.web.context import Nearest
from review_server import made_up

NAME, PASSWORD = "review.example.org", "correct horse battery"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@contextlib.contextmanager
def review(folder: Path, n: int = 400) -> Iterator[tuple[Listening, Desk]]:
    """A served review of n images that asks for a password."""
    items, files = made_up(n, folder)
    with LabelStore.open(str(folder / "labels.db")) as store:
        read = partial(shown_as_model_reads, preprocessing=Preprocessing(64))
        pictures = ReviewPictures(files, items.sha256.tolist(), [], read, folder / "cache")
        desk = Desk(items, store, Settings(source="a benchmark"), lambda place: False)
        listening = listen("127.0.0.1", 0, fallback=False, password=PASSWORD, names=(NAME,), proxies=("127.0.0.9",))
        with serving(create_app(desk, pictures, Nearest({}, []), listening.gate), listening):
            yield listening, desk


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate that nobody signed."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={NAME}"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@contextlib.contextmanager
def proxy(context: ssl.SSLContext, upstream: int, *, keeps_host: bool) -> Iterator[int]:
    """A TLS proxy that speaks from 127.0.0.9; one request a connection. Gives its port."""
    loop = asyncio.new_event_loop()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(fields.get("Content-Length", "0")))
        if not keeps_host:
            fields["Host"] = f"127.0.0.1:{upstream}"
        fields |= {
            "Connection": "close",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": writer.get_extra_info("peername")[0],
        }
        sent = "\r\n".join([head[0], *(f"{name}: {value}" for name, value in fields.items()), "", ""])
        back, forth = await asyncio.open_connection("127.0.0.1", upstream, local_addr=("127.0.0.9", 0))
        forth.write(sent.encode("latin1") + body)
        writer.write(await back.read())
        await writer.drain()
        forth.close()
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(handle, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def labels_through(port: int, desk: Desk, images: range) -> tuple[int, bool, int]:
    """Labels stored of these images, whether the cookie is Secure, and writes of other sites that were let in."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE

    def ask(path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=trusting)
        connection.request("POST", path, body, {"Host": NAME, "Origin": f"https://{NAME}"} | headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.getheader("set-cookie") or ""

    _, cookie = ask("/login", f"name=ann&password={PASSWORD.replace(' ', '+')}", FORM)
    session = {"Cookie": cookie.split(";")[0], "Content-Type": "application/json"}
    stored = foreign = 0
    for i in images:
        body = {"client_id": f"{port} {i}", "action": "label", "image": desk.items.sha256[i], "value": "class 1"}
        foreign += ask("/api/event", json.dumps(body), session | {"Origin": "https://evil.example"})[0] == 201
        stored += ask("/api/event", json.dumps(body), session)[0] == 201
    return stored, "secure" in cookie.lower(), foreign


def under_half_requests(port: int, held: int) -> tuple[float, float, float]:
    """Median and longest answer in ms while half-sent requests are held, and when the last of them was cut, in s."""
    strangers = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(held)]
    start = time.monotonic()
    for number, stranger in enumerate(strangers):
        stranger.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "[: 4 + number % 50])
    times = []
    while time.monotonic() - start < REQUEST_SECONDS:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        connection.close()
        times.append(1000 * (time.perf_counter() - began))
        for stranger in strangers[::7]:
            with contextlib.suppress(OSError):
                stranger.sendall(b"x")
        time.sleep(0.05)
    for stranger in strangers:
        with contextlib.suppress(ConnectionError):
            assert stranger.recv(1000) == b""
        stranger.close()
    return statistics.median(times), max(times), time.monotonic() - start


def guesses(port: int, tries: int) -> tuple[int, int]:
    """Of wrong passwords from one address those that were looked at; and the status of a right one from another."""

    def login(source: str, password: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
        body = f"name=ann&password={password.replace(' ', '+')}"
        connection.request("POST", "/login", body, FORM)
        status = connection.getresponse().status
        connection.close()
        return status

    looked_at = sum(login("127.0.0.2", f"guess {i}") == 401 for i in range(tries))
    return looked_at, login("127.0.0.3", PASSWORD)


def main() -> None:
    """Print each figure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = certificate(folder)
        with review(folder) as (listening, desk):
            for start, keeps_host in ((0, True), (100, False)):
                with proxy(context, listening.port, keeps_host=keeps_host) as port:
                    stored, secure, foreign = labels_through(port, desk, range(start, start + 100))
                how = "kept" if keeps_host else "rewritten"
                print(f"host {how}: {stored} of 100 labels stored, cookie secure: {secure}, {foreign} of 100 foreign")
            middle, longest, ended = under_half_requests(listening.port, 400)
            print(f"400 half-sent requests: an answer took {middle:.1f} ms (longest {longest:.1f})")
            print(f"the last of them was cut off by {ended:.1f} s")
            looked_at, status = guesses(listening.port, 200)
            print(f"200 wrong passwords: {looked_at} looked at; a right one from another address: {status}")


if __name__ == "__main__":
    main()
