"""The table of predict: written in blocks, read and checked in one place; as CSV it does nothing in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.answers import Shards, block_of, prediction_schema, read_rows, read_scored, shards_to_csv
from graticule.errors import RunError
from graticule.plain_text import restored_cell
from graticule.runs import write_json


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


CLASSES = ("fibre", "p_late")
PROBA = np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8]])
DECIDED = {
    "set": [["fibre"], None, ["p_late", "fibre"]],
    "novelty": [0.5, None, None],
    "decision": ["accept", "reject", None],
    "reason": ["", "unreadable", None],
    "nearest": [["a.png"], None, []],
}


def written(folder: Path, blocks: int = 2) -> Path:
    folder.mkdir()
    readable = ~np.isnan(PROBA[:, 0])
    with Shards(folder, prediction_schema(CLASSES)) as shards:
        for number in range(blocks):
            paths = [f"{number}-{i}.png" for i in range(3)]
            shards.write(block_of(paths, ["1", "", "2"], PROBA, readable, CLASSES, DECIDED))
    write_json(folder / "summary.json", {"verb": "predict", "n": 3 * blocks})
    (folder / "DONE").touch()
    return folder


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    scored = read_scored(written(tmp_path / "out"), ("sha256", "set"))
    assert (len(scored), scored.classes, scored.summary["n"]) == (6, CLASSES, 6)
    assert scored.path.to_pylist()[3:] == ["1-0.png", "1-1.png", "1-2.png"]
    assert scored.called.tolist() == [0, -1, 1] * 2
    assert scored.decision.tolist() == [0, 2, -1] * 2
    np.testing.assert_array_equal(scored.proba, np.concatenate([PROBA, PROBA]))
    np.testing.assert_array_equal(scored.score[:3], [0.9, np.nan, 0.8])
    np.testing.assert_array_equal(scored.novelty[:3], [0.5, np.nan, np.nan])
    assert scored.more.column_names == ["sha256", "set"]
    assert scored.more["sha256"].to_pylist()[:3] == ["1", None, "2"]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("label", ["fibre", "nobody", "fibre"], "a label without a column p_<class>, the first is '0-1.png'"),
        ("p_fibre", [0.5, None, 1.5], "scores that are not in"),
        ("novelty", None, "lacks novelty"),
        ("p_p_late", None, "columns p_<class>"),
    ],
)
def test_what_is_no_table_of_predictions_is_refused(
    column: str, values: list[object] | None, message: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "out", 1) / "predictions-00000.parquet"
    table = pq.read_table(file)
    place = table.column_names.index(column)
    kind = table.schema.field(column).type
    table = table.remove_column(place) if values is None else table.set_column(place, column, pa.array(values, kind))
    pq.write_table(table, file)
    for read in (read_scored, read_rows):
        with pytest.raises(RunError, match=message):
            read(tmp_path / "out" if read is read_scored else file)


def test_a_folder_without_a_table_is_no_prediction(tmp_path: Path) -> None:
    folder = written(tmp_path / "out")
    (folder / "predictions-00000.parquet").unlink()
    with pytest.raises(RunError, match="holds no predictions-"):
        read_scored(folder)
