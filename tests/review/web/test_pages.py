"""The pages: who enters, what the record tells, and downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
from tests.review.web.conftest import say

from graticule.review.sight import Settings

Open = Callable[..., Any]


def test_a_person_is_one_however_the_name_is_typed(open_desk: Open) -> None:
    opened = open_desk()
    assert opened.client("Ann Bé").get("/api/settings").json()["who"] == "Ann Bé"
    for typed in ("ann bé", " Ann  Be\u0301 ", "ANN BÉ\u200b"):  # in an open session, before anything is stored
        assert opened.client(typed).get("/api/settings").json()["who"] == "Ann Bé"
    say(opened.client("Ann Bé"), opened.desk.items.sha256[0])
    assert say(opened.client("ann bé"), opened.desk.items.sha256[1]).status_code == 201
    assert opened.desk.store.people() == ["Ann Bé"]
    assert opened.client("Anna").get("/api/settings").json()["who"] == "Anna"
    assert opened.client().post("/who", data={"name": "\u2800 "}).status_code == 422


def test_the_record_page_does_not_tell_a_second_reader_what_the_first_one_said(open_desk: Open) -> None:
    opened = open_desk(names=[f"wound {k}.png" for k in range(24)], settings=Settings(double=True))
    ann, bob = opened.client("ann"), opened.client("bob")
    image, name = opened.desk.items.sha256[0], opened.desk.items.path[0]
    say(ann, image, "novel", None, reason="crystal")
    page = bob.get("/record").text
    assert "withheld until you have read it" in page
    assert not [word for word in ("none of these<", "crystal", name, "<td>novel") if word in page]
    assert [image[:8] in page, opened.desk.store.events_of(image)[0].hash in page] == [True, True]
    assert name not in bob.get("/record", params={"action": "novel"}).text
    say(bob, image)
    page = bob.get("/record").text
    assert [word in page for word in ("none of these<", "crystal", name, "withheld until")] == [True, True, True, False]


def test_downloads(open_desk: Open) -> None:
    names = [f"i{k}.png" for k in range(23)] + ["=HYPERLINK(1).png"]
    opened = open_desk(names=names)
    client = opened.client()
    for image in opened.desk.items.sha256:
        say(client, image)
    labels = list(csv.DictReader(io.StringIO(client.get("/export/labels.csv").content.decode())))
    assert len(labels) == 24
    record = client.get("/export/record.csv")
    assert record.headers["content-disposition"] == 'attachment; filename="record.csv"'
    cells = [row["path"] for row in csv.DictReader(io.StringIO(record.content.decode()))]
    assert "'=HYPERLINK(1).png" in cells
    table = pq.read_table(io.BytesIO(client.get("/export/record.parquet").content))
    assert table.num_rows == 24
    for name in ("doubtful.csv", "novel.csv", "open.csv", "labels.parquet"):
        assert client.get(f"/export/{name}").status_code == 200
    for name in ("other.csv", "labels.exe", "..%2F..%2Fetc%2Fpasswd"):
        assert client.get(f"/export/{name}").status_code == 404


def test_names_are_one_clean_line(open_desk: Open) -> None:
    opened = open_desk()
    client = opened.client()
    client.post("/who", data={"name": "  Ann\u202e\n\x00  Bo  "}, follow_redirects=False)
    assert client.get("/api/settings").json()["who"] == "Ann Bo"


def test_nobody_takes_the_name_of_the_program(open_desk: Open) -> None:
    opened = open_desk(password="open sesame please")
    client = opened.stranger()
    for name in ("graticule", "Graticule", " GRATI\u200bCULE ", "ｇraticule"):
        answer = client.post("/login", data={"name": name, "password": "open sesame please"}, follow_redirects=False)
        assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
        assert "give your own" in answer.text
    other = open_desk(labels=opened.desk.store.shown).client("ann")
    assert other.post("/who", data={"name": "Graticule"}, follow_redirects=False).status_code == 422
    assert other.get("/api/settings").json()["who"] == "ann"


def test_the_record_takes_any_number(open_desk: Open) -> None:
    client = open_desk().client("ann")
    assert client.get("/record", params={"before": 2**62}).status_code == 200
    for before in ("0", "-1", str(2**62 + 1), "9" * 19, "1" + "0" * 22, "x"):
        assert client.get("/record", params={"before": before}).status_code == 422
