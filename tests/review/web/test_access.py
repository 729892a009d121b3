"""Nobody is let in without the printed address: tokens, hosts, origins, paths, sizes, passwords."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from graticule.errors import OptionError
from graticule.jobs.review import listen_for
from graticule.review.web.access import MAX_BODY, Sessions

Open = Callable[..., Any]
READS = ("/", "/grid", "/overview", "/disagreements", "/record", "/who", "/static/review.css", "/static/review.js",
         "/export/labels.csv", "/export/record.parquet", "/api/settings", "/api/queue", "/api/item/{image}",
         "/api/image/{image}", "/api/thumb/{image}", "/api/explanation/{image}?class=a", "/api/training/0/thumb",
         "/api/grid?class=a", "/api/disagreements")  # fmt: skip
WRITES = ("/who", "/api/event", "/api/bulk", "/api/verify", "/api/sign")


def test_only_the_health_check_answers_strangers(open_desk: Open) -> None:
    opened = open_desk()
    stranger = opened.stranger()
    image = opened.desk.items.sha256[0]
    assert stranger.get("/healthz").json() == {"status": "ok"}
    for path in READS:
        assert stranger.get(path.format(image=image), follow_redirects=False).status_code == 401
    for path in WRITES:
        assert stranger.post(path, json={}).status_code == 401
    for token in ("", "x", opened.listening.gate.token[:-1], opened.listening.gate.token + "x", "\udcff"):
        answer = stranger.get("/", params={"token": token.encode("utf-8", "replace")}, follow_redirects=False)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert stranger.get("/login", follow_redirects=False).headers["location"] == "/"
    assert stranger.get("/", headers={"accept": "text/html"}).text.startswith("<!doctype html>")


def test_the_cookie_is_strict_and_the_address_is_left_at_once(open_desk: Open) -> None:
    opened = open_desk()
    answer = opened.stranger().get("/", params={"token": opened.listening.gate.token}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert str(opened.listening.port) in cookie.split("=")[0]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "localhost.evil.example:{port}", ""]
)
def test_other_host_names_are_refused(open_desk: Open, host: str) -> None:
    opened = open_desk()
    client = opened.client()
    for path in ("/", "/api/settings", "/healthz"):
        answer = client.get(path, headers={"host": host.format(port=opened.listening.port)})
        assert answer.status_code == 421


def test_own_host_names_are_answered(open_desk: Open) -> None:
    opened = open_desk()
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        answer = opened.stranger().get("/healthz", headers={"host": f"{host}:{opened.listening.port}"})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "{base}", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_writes_from_other_sites_are_refused(open_desk: Open, headers: dict[str, str]) -> None:
    opened = open_desk()
    client = opened.client()
    sent = {name: value.format(base=opened.base) for name, value in headers.items()}
    for path in (*WRITES, "/login"):
        assert client.post(path, json={}, headers=sent).status_code == 403
    body = {"client_id": "1", "action": "label", "image": opened.desk.items.sha256[0], "value": "a"}
    own = {"origin": opened.base, "sec-fetch-site": "same-origin"}
    assert client.post("/api/event", json=body, headers=own).status_code == 201


def test_two_thousand_paths_let_nobody_out_of_the_review(open_desk: Open, tmp_path: Any) -> None:
    opened = open_desk()
    client, stranger = opened.client(), opened.stranger()
    (tmp_path / "secret.txt").write_text("the secret")
    rng = random.Random(0)
    parts = ["..", ".", "%2e%2e", "%2f", "%5c", "..;", "etc", "passwd", "secret.txt", "images", "%00", "\\", "//",
             "labels.db", "static", "api", "image", "thumb", "export", "~", "C:", "%c0%ae", "a" * 300]  # fmt: skip
    prefixes = ["/", "/static/", "/api/image/", "/api/thumb/", "/api/item/", "/api/training/", "/export/",
                "/api/explanation/", "/record?image="]  # fmt: skip
    for i in range(2000):
        made = rng.choice(["/", "%2f", ""]).join(rng.choice(parts) for _ in range(rng.randint(1, 7)))
        made += "".join(rng.choice(string.printable[:94]) for _ in range(i % 5)).replace("#", "")
        path = rng.choice(prefixes) + made
        address = opened.base + path
        refused = stranger.get(address, follow_redirects=False)
        assert refused.status_code in (401, 421) or path.split("?")[0].strip("/") in ("healthz", "login")
        if not path.startswith("/record"):
            answer = client.get(address, follow_redirects=False)
            # "/." and the like are the page itself
            own_page = answer.status_code == 200 and answer.content.startswith(b"<!doctype html>")
            assert own_page or answer.status_code in (303, 404, 405, 422)
            assert b"the secret" not in answer.content
            assert b"SQLite" not in answer.content


def test_answers_forbid_scripts_from_elsewhere(open_desk: Open) -> None:
    opened = open_desk()
    for client in (opened.client(), opened.stranger()):
        for path in ("/healthz", "/api/settings", "/nothing"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"


def test_requests_have_a_size(open_desk: Open) -> None:
    client = open_desk().client()
    long = b'{"batch": "' + b"x" * MAX_BODY + b'"}'
    assert client.post("/api/sign", content=long).status_code == 413
    assert client.post("/api/sign", json={"batch": "x" * 300, "meaning": "m", "scope": "mine"}).status_code == 422


def test_names_are_one_clean_line(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client()
    client.post("/who", data={"name": "  Ann\u202e\n\x00  Bo  "}, follow_redirects=False)
    assert client.get("/api/settings").json()["who"] == "Ann Bo"


def test_password_instead_of_token(open_desk: Open) -> None:
    opened = open_desk(password="open sesame")
    client = opened.stranger()
    assert opened.listening.url.endswith("/login")
    assert client.get("/", params={"token": opened.listening.gate.token}, follow_redirects=False).status_code == 401
    assert "password" in client.get("/login").text
    assert client.get("/login.css").headers["content-type"].startswith("text/css")
    outside = client.get("/overview", headers={"accept": "text/html"})
    assert (outside.status_code, 'href="/login"' in outside.text) == (401, True)
    wrong = client.post("/login", data={"name": "bob", "password": "open"})
    assert wrong.status_code == 401
    right = client.post("/login", data={"name": "bob", "password": "open sesame"}, follow_redirects=False)
    assert right.status_code == 303
    assert client.get("/api/settings").json()["who"] == "bob"
    stranger = opened.stranger()
    tried = [stranger.post("/login", data={"password": str(i)}).status_code for i in range(12)]
    assert tried[-1] == 429


def test_wrong_passwords_are_forgiven_after_a_minute() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    for _ in range(10):
        sessions.failed()
    assert not sessions.may_try()
    now[0] = 61.0
    assert sessions.may_try()


def test_other_hosts_need_a_password() -> None:
    with pytest.raises(OptionError, match="GRATICULE_PASSWORD"):
        listen_for("0.0.0.0", 0, None)
    with pytest.raises(OptionError, match="cannot listen"):
        listen_for("192.0.2.1", 0, "secret")
    listening = listen_for("127.0.0.1", 0, None)
    with pytest.raises(OptionError, match="cannot listen"):
        listen_for("127.0.0.1", listening.port, None)
    assert listening.url == f"http://127.0.0.1:{listening.port}/?token={listening.gate.token}"
    listening.socket.close()


def test_sessions_end_when_there_are_too_many(open_desk: Open) -> None:
    opened = open_desk()
    first: TestClient = opened.client()
    for _ in range(1000):
        opened.stranger().get("/", params={"token": opened.listening.gate.token}, follow_redirects=False)
    assert first.get("/api/settings").status_code == 401
