"""specimens.parquet: what is not known is null."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from graticule.decide.specimens import judge_specimens
from graticule.decide.specimens_table import write_specimens


def test_a_row_per_specimen(tmp_path: Path) -> None:
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [np.nan, np.nan]])
    verdicts = judge_specimens(np.array([0, 0, 1]), np.array([0, 0, -1]), proba, np.array([0.0, 1.0, 1.0]), 2)
    write_specimens(tmp_path / "specimens.parquet", ("a", "b"), ["first", "second"], verdicts)
    table = pq.read_table(tmp_path / "specimens.parquet")
    assert table["specimen"].to_pylist() == ["first", "second"]
    assert table["n"].to_pylist() == [2, 1]
    assert table["n_readable"].to_pylist() == [2, 0]
    assert table["majority"].to_pylist() == ["a", None]
    assert table["share_a"].to_pylist() == [1.0, None]
    assert table["review_share"].to_pylist() == [0.5, 1.0]
