"""The list of label errors, and the manifest without the labels in doubt."""

from __future__ import annotations

import csv
from pathlib import Path

from graticule.arrays import object_array
from graticule.label_errors.tables import COLUMNS, write_cleaned, write_list
from graticule.manifest import Manifest


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_list_has_its_columns_and_does_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    row = {"rank": 1, "path": "=a.png", "label": "x", "suggested": "y", "score": 0.5, "evidence": "words", "more": 1}
    write_list(tmp_path / "list.csv", [row])
    (found,) = read(tmp_path / "list.csv")
    assert tuple(found) == COLUMNS
    assert (found["path"], found["score"]) == ("'=a.png", "0.5")


def test_doubtful_labels_are_left_empty_and_columns_kept(tmp_path: Path) -> None:
    paths = object_array(["a.png", "b.png"])
    manifest = Manifest(Path("/data"), paths, object_array(["x", "y"]), {"group": object_array(["g", "h"])})
    write_cleaned(tmp_path / "cleaned.csv", manifest, {"b.png"})
    assert [(row["label"], row["group"]) for row in read(tmp_path / "cleaned.csv")] == [("x", "g"), ("", "h")]
