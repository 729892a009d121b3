"""Answers of a record held against the truth of a blind test: blind ones only, of a sound record."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from graticule.errors import LabelStoreError, ManifestError
from graticule.jobs.labels_blind import score_blind_record
from graticule.record.events import EventDraft
from graticule.record.store import LabelStore

KINDS = ["real", "generated"] * 6


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Twelve images, of which the first two come twice."""
    rows = [f"{i:064x},{i}.png,{kind},oil,s{i}.tif," for i, kind in enumerate(KINDS)]
    rows += [f"{i + 100:064x},{i + 100}.png,{KINDS[i]},oil,s{i}.tif,yes" for i in range(2)]
    file = tmp_path / "blind-truth.csv"
    file.write_text("sha256,file,kind,label,source,again\n" + "\n".join(rows) + "\n")
    return file


def say(store: LabelStore, who: str, number: int, word: str, *, blind: bool = True) -> None:
    store.append(EventDraft(who, "label", f"{number:064x}", f"{number}.png", word, blind=blind))


def test_blind_answers_are_scored_and_others_are_not(truth: Path, tmp_path: Path) -> None:
    record = str(tmp_path / "blind.db")
    with LabelStore.open(record) as store:
        for i, kind in enumerate(KINDS):
            say(store, "ann", i, "real" if i == 1 else kind)
            say(store, "bob", i, kind, blind=False)
        say(store, "ann", 100, "real")
        say(store, "ann", 101, "generated")
    found = score_blind_record(record, truth)
    assert [row["reader"] for row in found["readers"]] == ["ann"]
    assert found["all"]["share"]["value"] == 11 / 12
    assert (found["all"]["n"], found["all"]["n_twice"], found["all"]["n_same"]) == (12, 2, 1)
    assert found["head"]["seq"] == 26


def test_a_broken_record_counts_for_nothing(truth: Path, tmp_path: Path) -> None:
    record = tmp_path / "blind.db"
    with LabelStore.open(str(record)) as store:
        for i, kind in enumerate(KINDS):
            say(store, "ann", i, kind)
    with sqlite3.connect(record) as connection:
        connection.execute("DROP TRIGGER label_events_no_update")
        connection.execute("UPDATE label_events SET new_value = 'real' WHERE seq = 2")
    connection.close()
    with pytest.raises(LabelStoreError, match=r"nothing is counted: the chain of .* is broken"):
        score_blind_record(str(record), truth)
    with pytest.raises(ManifestError, match="does not say what the images of a blind test are"):
        score_blind_record(str(record), _other(tmp_path))


def _other(folder: Path) -> Path:
    (folder / "other.csv").write_text("path,label\na,b\n")
    return folder / "other.csv"
