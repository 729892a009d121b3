"""Predictions as a CSV file: names of classes and files do nothing in a spreadsheet and come back."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graticule.answers import shards_to_csv
from graticule.plain_text import restored_cell


def test_cells_of_predictions_are_harmless_and_come_back(tmp_path: Path) -> None:
    names = ["=cmd|' /C calc'!A0", "-1.png", "a\x1b[31m.png", "'=x", "plain.png"]
    table = pa.table(
        {
            "path": names,
            "score": pa.array([-0.5, 1e-9, 0.25, None, 1.0], pa.float64()),
            "set": [["=a", "b"], [], ["b"], None, ["a", "b"]],
        }
    )
    files = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    for file in files:
        pq.write_table(table, file)
    shards_to_csv(files, tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [restored_cell(row["path"]) for row in rows] == names * 2
    assert not any(row[name].startswith(("=", "+", "@", "\t")) for row in rows for name in ("path", "set"))
    assert not any("\x1b" in row["path"] for row in rows)
    assert [row["score"] for row in rows[:5]] == ["-0.5", "1e-09", "0.25", "", "1.0"]
    assert [row["set"] for row in rows[:5]] == ["'=a, b", "", "b", "", "a, b"]
