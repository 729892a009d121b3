"""Labels from a table as drafts: checked, named once, and the same row gives the same draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.errors import ManifestError
from graticule.files import sha256_file
from graticule.progress import Silent
from graticule.record.events import EventDraft
from graticule.record.table import read_drafts, without_conflicts


def drafts(folder: Path, rows: str, user: str | None = "ann") -> tuple[list[EventDraft], list[tuple[str, str]], int]:
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(name.encode())
    (folder / "labels.csv").write_text(rows, encoding="utf-8")
    return read_drafts(folder / "labels.csv", None, user, "imported", Silent())


def test_each_labelled_row_is_a_draft(tmp_path: Path) -> None:
    found, failures, n_unlabelled = drafts(tmp_path, "path,label,user\na.png,cat,\nb.png,,\ngone.png,dog,bob\n")
    assert [(draft.path, draft.new_value, draft.who) for draft in found] == [("a.png", "cat", "ann")]
    assert found[0].image_sha256 == sha256_file(tmp_path / "a.png")
    assert found[0].reason is not None
    assert sha256_file(tmp_path / "labels.csv") in found[0].reason
    assert [path for path, _ in failures] == ["gone.png"]
    assert n_unlabelled == 1
    again, _, _ = drafts(tmp_path, "path,label\na.png,cat\n")
    assert again[0].client_id == found[0].client_id


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="missing column"):
        drafts(tmp_path, "file,label\na.png,cat\n")
    with pytest.raises(ManifestError, match="sampling_prob is no number"):
        drafts(tmp_path, "path,label,sampling_prob\na.png,cat,2\n")


def test_an_image_that_is_two_things_of_one_person_is_none(tmp_path: Path) -> None:
    found, _, _ = drafts(tmp_path, "path,label,user\na.png,cat,ann\na.png,dog,ann\na.png,dog,bob\n")
    fine, conflicts = without_conflicts(found)
    assert [(draft.who, draft.new_value) for draft in fine] == [("bob", "dog")]
    assert len(conflicts) == 2
    assert "'cat' and 'dog'" in conflicts[0][1]
