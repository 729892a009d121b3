"""Shards of predicted numbers: their columns, and nulls where nothing can be said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from graticule.value_answers import VALUE_SCHEMA, value_block


def test_what_cannot_be_said_is_null(tmp_path: Path) -> None:
    decided = {"novelty": [0.5, None], "decision": ["accept", "reject"], "reason": ["", "unreadable"]}
    nan = np.array([1.0, np.nan])
    block = value_block(["a", "b"], ["ab", ""], nan, (nan - 1, nan + 1), 0.9, decided | {"nearest": [["a"], None]})
    assert block.schema == VALUE_SCHEMA
    assert block["level"].to_pylist() == [0.9, None]
    assert block["sha256"].to_pylist() == ["ab", None]
    assert block["low"].to_pylist() == [0.0, None]
    pq.write_table(block, tmp_path / "shard.parquet")
    assert pq.read_table(tmp_path / "shard.parquet") == block
