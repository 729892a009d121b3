"""The tables of suspicious values: ranked, safe in a spreadsheet, and doubtful numbers left empty."""

from __future__ import annotations

import csv
from pathlib import Path

from graticule.arrays import object_array
from graticule.label_errors.suspicious_tables import TARGET_COLUMNS, write_cleaned_targets, write_target_list
from graticule.manifest import Manifest


def read(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_the_list_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    row = dict.fromkeys(TARGET_COLUMNS, 0.5) | {"path": "=cmd()", "low": None}
    write_target_list(tmp_path / "a.csv", [row])
    head, cells = read(tmp_path / "a.csv")
    assert tuple(head) == TARGET_COLUMNS
    assert (cells[1], cells[4]) == ("'=cmd()", "")


def test_doubtful_numbers_are_left_empty_in_their_own_column(tmp_path: Path) -> None:
    columns = {"fraction": object_array(["0.1", "0.2"]), "target": object_array(["0.1", "0.2"]),
               "group": object_array(["a", "b"])}  # fmt: skip
    manifest = Manifest(tmp_path, object_array(["x.png", "y.png"]), object_array(["", ""]), columns, task="regression")
    write_cleaned_targets(tmp_path / "b.csv", manifest, "fraction", {"y.png"})
    assert read(tmp_path / "b.csv") == [["path", "fraction", "group"], ["x.png", "0.1", "a"], ["y.png", "", "b"]]
