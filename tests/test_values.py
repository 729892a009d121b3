"""The Values table: what is written is read back, and what no training writes is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.values import VALUE_COLUMNS, Values, read_values


def three(**changed: Any) -> Values:
    """Three images, one of them without limits."""
    own: dict[str, Any] = {
        "sample_id": object_array(["a", "b", "c"]),
        "path": object_array(["a.png", "b.png", "c.png"]),
        "part": object_array(["cv", "cv", "test"]),
        "fold": np.array([0, 1, -1]),
        "target": np.array([0.1, 0.5, 0.9]),
        "value": np.array([0.2, 0.4, 0.8]),
        "low": np.array([0.1, np.nan, 0.7]),
        "high": np.array([0.3, np.nan, 1.0]),
        "level": 0.9,
        "group": object_array(["s", "s", "t"]),
        "baselines": {"mean": np.full(3, 0.5)},
    }
    return Values(**(own | changed))


@pytest.mark.parametrize("group", [None, object_array(["s", "s", "t"])])
def test_round_trip(tmp_path: Path, group: Any) -> None:
    written = three(group=group)
    written.write(tmp_path / "values.parquet")
    found = read_values(tmp_path / "values.parquet")
    assert tuple(pq.read_table(tmp_path / "values.parquet").column_names) == (*VALUE_COLUMNS, "baseline_mean")
    for name in ("sample_id", "path", "part", "fold", "target", "value", "low", "high"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))
    assert (found.group is None) == (group is None)
    assert found.level == 0.9
    np.testing.assert_array_equal(found.baselines["mean"], 0.5)
    assert found.of_part("test").sample_id.tolist() == ["c"]
    assert found.take(np.array([2, 0])).value.tolist() == [0.8, 0.2]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("target", [0.1, None, 0.3], "no finite number"),
        ("value", [0.1, float("inf"), 0.3], "no finite number"),
        ("low", [0.5, None, 0.7], "lower limit lies above"),
        ("level", [0.9, 0.9, 0.8], "level"),
        ("part", ["cv", "cv", "train"], "a part is none of"),
        ("fold", [-2, 0, 1], "fold"),
        ("sample_id", ["a", "a", "b"], "twice"),
        ("path", [1.0, 2.0, 3.0], "no text"),
    ],
)
def test_what_no_training_writes_is_damage(tmp_path: Path, name: str, values: list[Any], said: str) -> None:
    table = three().to_table()
    table = table.set_column(table.column_names.index(name), name, pa.array(values))
    pq.write_table(table, tmp_path / "values.parquet")
    with pytest.raises(RunError, match=f"is damaged: .*{said}"):
        read_values(tmp_path / "values.parquet")


def test_another_table_is_none_of_numbers(tmp_path: Path) -> None:
    pq.write_table(three().to_table().drop_columns(["low", "level"]), tmp_path / "values.parquet")
    with pytest.raises(RunError, match="no table of predicted numbers: it lacks low, level"):
        read_values(tmp_path / "values.parquet")
    with pytest.raises(RunError, match="cannot read"):
        read_values(tmp_path / "none.parquet")
