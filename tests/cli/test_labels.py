"""graticule labels verify | export | import, as typed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def record(graticule: Callable[..., Any], tmp_path: Path) -> Path:
    """A label store with the labels of a table of four images."""
    for i in range(4):
        (tmp_path / f"{i}.png").write_text(f"pixels {i}")
    rows = "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(4))
    (tmp_path / "table.csv").write_text(f"path,label\n{rows}")
    outcome = graticule("labels", "import", tmp_path / "table.csv", "--labels", tmp_path / "labels.db", "--user", "ann")
    assert outcome.code == 0, outcome
    assert "4 labels stored" in outcome.out
    return tmp_path / "labels.db"


def _attack(record: Path, *statements: str) -> None:
    with sqlite3.connect(record) as connection:
        connection.execute("DROP TRIGGER label_events_no_update")
        connection.execute("DROP TRIGGER label_events_no_delete")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_sound_record(graticule: Callable[..., Any], record: Path) -> None:
    outcome = graticule("labels", "verify", "--labels", record)
    assert outcome.code == 0
    assert outcome.out.startswith("sound: 4 events are as they were written\ntail: unproven")
    head = outcome.out.splitlines()[-1].removeprefix("head: ")
    outcome = graticule("labels", "verify", "--labels", f"sqlite:///{record}", "--head", head, "--json")
    found = json.loads(outcome.out)
    assert found["schema_version"] == 1
    assert (found["sound"], found["proven_up_to"], found["tail"]) == (True, 4, "proven by the head given")


def test_a_changed_record_ends_with_three(graticule: Callable[..., Any], record: Path) -> None:
    head = json.loads(graticule("labels", "verify", "--labels", record, "--json").out)["head"]["hash"]
    _attack(record, "DELETE FROM label_events WHERE seq = 4")
    outcome = graticule("labels", "verify", "--labels", record)
    assert outcome.code == 3
    assert "NOT GUARDED" in outcome.out
    outcome = graticule("labels", "verify", "--labels", record, "--head", head)
    assert outcome.code == 3
    assert "NOT SOUND: no event has the hash of the head given" in outcome.out
    outcome = graticule("labels", "verify", "--labels", record, "--head", f"4:{head}", "--json")
    assert json.loads(outcome.out)["first_bad"] == 4


def test_an_edited_event_is_named_and_not_exported(graticule: Callable[..., Any], record: Path, tmp_path: Path) -> None:
    _attack(record, "UPDATE label_events SET new_value = 'b' WHERE seq = 3")
    outcome = graticule("labels", "verify", "--labels", record)
    assert (outcome.code, outcome.err) == (3, "")
    assert "event 3 was edited" in outcome.out
    message = graticule("labels", "export", "--labels", record, "--out", tmp_path / "l.csv").message()
    assert "event 3 was edited" in message
    outcome = graticule("labels", "export", "--labels", record, "--out", tmp_path / "l.csv", "--sound-part")
    assert outcome.code == 3
    assert outcome.out.startswith("2 labels in")


def test_export_names_what_it_wrote(graticule: Callable[..., Any], record: Path, tmp_path: Path) -> None:
    outcome = graticule("labels", "export", "--labels", record, "--out", tmp_path / "out" / "l.csv")
    assert outcome.code == 0
    assert outcome.out.startswith("4 labels in")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "l-doubtful.csv",
        "l-events.csv",
        "l-events.parquet",
        "l-head.json",
        "l-novel.csv",
        "l-open.csv",
        "l.csv",
    ]
    outcome = graticule(
        "labels",
        "verify",
        "--labels",
        tmp_path / "out" / "l-events.parquet",
        "--head",
        tmp_path / "out" / "l-head.json",
    )
    assert (outcome.code, "proven" in outcome.out) == (0, True)


def test_import_lists_failures(graticule: Callable[..., Any], record: Path, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("path,label\n0.png,b\nnone.png,a\n")
    outcome = graticule("labels", "import", tmp_path / "more.csv", "--labels", record, "--user", "bob", "--json")
    assert outcome.code == 3
    assert json.loads(outcome.out)["n_stored"] == 1
    assert "cannot read none.png" in outcome.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("verify", "--labels", "none.db"), "there is no label store at none.db"),
        (("verify", "--labels", "mysql://h/d"), "allowed are a file"),
        (("export", "--labels", "none.db", "--out", "x.csv"), "there is no label store"),
        (("export", "--labels", "none.db", "--out", "x.csv", "--min-people", "0"), "whole numbers from 1"),
        (("import", "none.csv", "--labels", "none.db"), "cannot read"),
        (("verify", "--labels", "none.db", "--head", "12"), "64 hexadecimal digits"),
    ],
)
def test_what_is_wrong_is_told(
    graticule: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in graticule("labels", *words).message()
    assert list(tmp_path.iterdir()) == []


def test_numbers_go_in_and_come_out(graticule: Callable[..., Any], tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.png").write_text(f"pixels {i}")
    table, store, out = tmp_path / "table.csv", tmp_path / "numbers.db", tmp_path / "out" / "numbers.csv"
    table.write_text("path,size\n0.png,1.5\n1.png,2\n2.png,\n")
    words = ("labels", "import", table, "--labels", store, "--user")
    outcome = graticule(*words, "ann", "--target", "size", "--target-unit", "nm")
    assert outcome.code == 0, outcome
    assert "2 numbers stored" in outcome.out
    table.write_text("path,size\n0.png,1.7\n")
    assert graticule(*words, "bob", "--target", "size", "--target-unit", "nm").code == 0
    outcome = graticule("labels", "export", "--labels", store, "--out", out, "--tolerance", "0.5")
    assert "2 numbers of size in" in outcome.out
    assert [line.split(",")[:3] for line in out.read_text().splitlines()] == [
        ["path", "size", "unit"],
        ["0.png", "1.6", "nm"],
        ["1.png", "2", "nm"],
    ]
    outcome = graticule("labels", "import", table, "--labels", store, "--target-unit", "nm")
    assert (outcome.code, "--target-unit belongs to --target" in outcome.err) == (2, True)
    outcome = graticule("labels", "export", "--labels", store, "--out", out, "--tolerance", "-1")
    assert (outcome.code, "--tolerance -1: allowed are numbers from 0" in outcome.err) == (2, True)
