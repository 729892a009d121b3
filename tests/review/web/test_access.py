"""Nobody is let in without the printed address: tokens, hosts, origins, paths, sizes, passwords."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from graticule.errors import OptionError
from graticule.review.sharing import Sharing, listen_for
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
        sessions.failed("192.0.2.1")
    assert not sessions.may_try("192.0.2.1")
    now[0] = 61.0
    assert sessions.may_try("192.0.2.1")


def test_a_stranger_locks_out_nobody_else() -> None:
    sessions = Sessions(lambda: 0.0)
    for i in range(200):
        sessions.failed(f"2001:db8:1:2::{i:x}")  # one line has billions of addresses
        sessions.failed("::ffff:192.0.2.1")
    assert not sessions.may_try("2001:db8:1:2:ffff::1")
    assert not sessions.may_try("192.0.2.1")
    for address in ("192.0.2.2", "2001:db8:1:3::1", "127.0.0.1", "", "testclient"):
        assert sessions.may_try(address)


def test_failures_of_many_addresses_are_forgotten_in_order() -> None:
    sessions = Sessions(lambda: 0.0)
    for _ in range(10):
        sessions.failed("192.0.2.1")
    for i in range(20_000):
        sessions.failed(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
    assert len(sessions._failures) <= 10_000
    assert sessions.may_try("192.0.2.1")


def test_logins_are_limited_by_the_address_that_a_stated_proxy_forwards(open_desk: Open) -> None:
    opened = open_desk(password="open sesame please", proxies=("testclient",))
    stranger = opened.stranger(**{"x-forwarded-for": "203.0.113.9"})
    tried = [stranger.post("/login", data={"password": str(i)}).status_code for i in range(12)]
    assert tried == [401] * 10 + [429] * 2
    # what a client writes there itself stands before what the proxy adds
    forged = opened.stranger(**{"x-forwarded-for": "198.51.100.1, 203.0.113.9"})
    assert forged.post("/login", data={"password": "x"}).status_code == 429
    friend = opened.stranger(**{"x-forwarded-for": "203.0.113.10"})
    right = {"name": "bob", "password": "open sesame please"}
    assert friend.post("/login", data=right, follow_redirects=False).status_code == 303


def test_forwarded_addresses_of_others_do_not_count(open_desk: Open) -> None:
    opened = open_desk(password="open sesame please")
    tried = [
        opened.stranger(**{"x-forwarded-for": f"203.0.113.{i}", "x-forwarded-proto": "https"})
        .post("/login", data={"password": "x"})
        .status_code
        for i in range(12)
    ]
    assert tried[-1] == 429


@pytest.mark.parametrize("kept", [True, False])
def test_a_proxy_with_encryption_may_keep_or_rewrite_the_host(open_desk: Open, kept: bool) -> None:
    opened = open_desk(password="open sesame please", names_of_host=("Review.Example.org",), proxies=("testclient",))
    host = "review.example.org" if kept else f"127.0.0.1:{opened.listening.port}"
    client = opened.stranger(host=host, origin="https://review.example.org", **{"x-forwarded-proto": "https"})
    client.headers["sec-fetch-site"] = "same-origin"
    entered = client.post("/login", data={"name": "bob", "password": "open sesame please"}, follow_redirects=False)
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"]
    assert "secure" in cookie.lower()
    body = {"client_id": "1", "action": "label", "image": opened.desk.items.sha256[0], "value": "a"}
    session = {"cookie": cookie.split(";")[0]}
    assert client.post("/api/event", json=body, headers=session).status_code == 201
    for origin in ("https://evil.example", "http://review.example.org", "https://review.example.org:9", "null"):
        assert client.post("/api/event", json=body, headers=session | {"origin": origin}).status_code == 403


def test_without_encryption_the_cookie_is_sent_all_the_same(open_desk: Open) -> None:
    opened = open_desk(proxies=("192.0.2.1",))
    token = {"token": opened.listening.gate.token}
    answer = opened.stranger(**{"x-forwarded-proto": "https"}).get("/", params=token, follow_redirects=False)
    assert answer.status_code == 303
    assert "secure" not in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("names", "allowed", "refused"),
    [
        (("r.example.org",), ("r.example.org", "R.example.org:{port}"), ("example.org", "r.example.org:1")),
        (("r.example.org:8443",), ("r.example.org:8443",), ("r.example.org", "r.example.org:{port}")),
        (("a.example", "b.example"), ("a.example", "b.example"), ("c.example",)),
    ],
)  # fmt: skip
def test_names_may_be_several_and_have_ports(
    open_desk: Open, names: tuple[str, ...], allowed: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    opened = open_desk(names_of_host=names)
    for hosts, status in ((allowed, 200), (refused, 421)):
        for host in hosts:
            headers = {"host": host.format(port=opened.listening.port)}
            assert opened.stranger().get("/healthz", headers=headers).status_code == status


def test_other_hosts_need_a_password() -> None:
    with pytest.raises(OptionError, match="without a password"):
        listen_for(Sharing("0.0.0.0", 0))
    with pytest.raises(OptionError, match="without a password"):
        listen_for(Sharing(port=0, names=("review.example.org",)))
    with pytest.raises(OptionError, match="cannot listen"):
        listen_for(Sharing("192.0.2.1", 0, password="long enough for it"))
    made = [Sharing("0.0.0.0").guarded().password for _ in range(2)]
    assert made[0] != made[1]
    assert all(len(password or "") == 20 for password in made)
    assert Sharing().guarded().password is None
    listening = listen_for(Sharing(port=0))
    with pytest.raises(OptionError, match="cannot listen"):
        listen_for(Sharing(port=listening.port))
    assert listening.url == f"http://127.0.0.1:{listening.port}/?token={listening.gate.token}"
    listening.socket.close()


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        (Sharing(password="elevenchars"), "GRATICULE_PASSWORD has 11 characters, at least 12"),
        (Sharing(names=("https://review.example.org",)), "without scheme and path"),
        (Sharing(names=("review.example.org/",)), "host name as browsers send it"),
        (Sharing(names=("a b",)), "host name as browsers send it"),
        (Sharing(names=("",)), "host name as browsers send it"),
        (Sharing(names=("evil\u202e.example",)), r"evil\\u202e"),
        (Sharing(proxies=("proxy.example.org",)), "address of the proxy"),
        (Sharing(proxies=("*",)), "address of the proxy"),
    ],
)
def test_sharing_that_cannot_be_used_is_refused(sharing: Sharing, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        listen_for(sharing)


def test_sessions_end_when_there_are_too_many(open_desk: Open) -> None:
    opened = open_desk()
    first: TestClient = opened.client()
    for _ in range(1000):
        opened.stranger().get("/", params={"token": opened.listening.gate.token}, follow_redirects=False)
    assert first.get("/api/settings").status_code == 401
