"""The record of decisions, checked and exported."""

from __future__ import annotations

import hashlib
import json

import pytest
from tests.label_folder import Folder, rows_of

from graticule.errors import LabelStoreError, OptionError
from graticule.jobs.labels import export_labels, verify_labels


def test_the_record_verifies_outside_of_its_database(folder: Folder) -> None:
    out, told = folder.export()
    record, head = out.with_name("l-events.parquet"), out.with_name("l-head.json")
    document = json.loads(head.read_text())
    assert document["schema_version"] == 1
    assert document["head"] == told["head"]
    for name, digest in document["files"].items():
        assert hashlib.sha256((out.parent / name).read_bytes()).hexdigest() == digest
    found = verify_labels(str(record), head=str(head))
    assert (found["sound"], found["n_events"], found["tail"]) == (True, 7, "proven by the head given")
    folder.says("bob", "label", "b.png", "y")
    found = verify_labels(folder.labels, head=str(head))
    assert (found["sound"], found["proven_up_to"], found["n_events"]) == (True, 7, 8)
    assert found["tail"] == "1 events are newer than the head given: unproven"
    with pytest.raises(LabelStoreError, match="no exported record"):
        verify_labels(str(folder.export(".parquet")[0]))


def test_a_broken_chain_is_not_exported_unless_asked_for(folder: Folder) -> None:
    folder.attack("UPDATE label_events SET new_value = 'y' WHERE seq = 5")
    with pytest.raises(LabelStoreError, match=r"nothing was exported: the chain .* event 5 was edited"):
        folder.export()
    assert not list(folder.place.glob("out1/*"))
    out, told = folder.export(sound_part=True)
    assert told["chain"] == {
        "sound": False,
        "first_bad": 5,
        "problem": "event 5 was edited: its fields do not give its hash",
    }
    assert len(rows_of(out.with_name("l-events.csv"))) == 4


def test_nothing_is_overwritten(folder: Folder) -> None:
    out, _ = folder.export()
    with pytest.raises(LabelStoreError, match="exists already"):
        export_labels(folder.labels, out)
    with pytest.raises(OptionError, match=r"ends in \.csv or \.parquet"):
        export_labels(folder.labels, out.with_name("l.txt"))


def test_labels_go_into_a_data_set_with_its_other_columns(folder: Folder) -> None:
    data = folder.table(
        "path,label,group,day",
        "a.png,wrong,g1,mon",
        "b.png,y,g1,mon",
        "c.png,x,g2,tue",
        "f.png,z,g3,wed",
        "e.png,x,g2,tue",
    )
    out, told = folder.export(data=data)
    rows = rows_of(out)
    assert [(row["path"], row["label"], row["label_from"], row["group"], row["day"]) for row in rows] == [
        ("a.png", "x", "record", "g1", "mon"),
        ("b.png", "y", "record", "g1", "mon"),
        ("f.png", "z", "data", "g3", "wed"),
    ]
    assert {row["sampling_prob"] for row in rows} == {"1"}
    assert told["failures"] == []
    folder.image("a.png", "other pixels")
    out, told = folder.export(data=data)
    assert [failure[0] for failure in told["failures"]] == ["a.png"]  # type: ignore[attr-defined]
    assert rows_of(out)[0]["label"] == "wrong"
