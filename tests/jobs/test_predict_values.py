"""`predict` with a model of a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.drawn_values import DrawnValues

from graticule.errors import OptionError
from graticule.jobs.options import PredictOptions
from graticule.jobs.predict import predict
from graticule.value_answers import VALUE_SCHEMA
from graticule.values import read_values


def predicted(
    run: Path, planted: DrawnValues, out: Path, **options: object
) -> tuple[dict[str, object], dict[str, list]]:  # type: ignore[type-arg]
    with planted.instead_of_pixels():
        summary = predict(run, planted.folder, out, PredictOptions.of(options))
    return summary, pq.read_table(out / "predictions-00000.parquet").to_pydict()


def test_one_row_a_file_as_the_run_said(valued_run: Path, planted: DrawnValues, tmp_path: Path) -> None:
    summary, rows = predicted(valued_run, planted, tmp_path / "out", csv=True)
    assert list(rows) == VALUE_SCHEMA.names
    test = read_values(valued_run / "predictions.parquet").of_part("test")
    said = dict(zip(rows["path"], rows["value"], strict=True))
    np.testing.assert_allclose([said[Path(path).name] for path in test.path], test.value, atol=1e-6)
    assert summary["n"] == planted.n
    assert (summary["task"], summary["target"]) == ("regression", "fraction")
    assert sum(summary["decisions"].values()) == planted.n  # type: ignore[attr-defined]
    assert (tmp_path / "out" / "predictions.csv").read_text("utf-8-sig").startswith("path,sha256,value,low,high,level")


def test_novel_numbers_keep_no_limits(valued_run: Path, planted: DrawnValues, tmp_path: Path) -> None:
    _, rows = predicted(valued_run, planted, tmp_path / "out", novelty_alpha=0.5)
    novel = np.array(rows["novelty"]) <= 0.5
    assert novel.any()
    assert [low is None for low in rows["low"]] == novel.tolist()
    assert {rows["decision"][i] for i in np.flatnonzero(novel)} == {"reject"}
    _, bounded = predicted(valued_run, planted, tmp_path / "fdr", novelty_fdr=True, novelty_alpha=0.5)
    assert sum(low is None for low in bounded["low"]) == sum(d == "reject" for d in bounded["decision"])


def test_options_on_classes_are_refused(valued_run: Path, trained: Path, planted: DrawnValues, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--coverage: does not apply, the model answers with a number"):
        predicted(valued_run, planted, tmp_path / "out", coverage=0.9)
    with pytest.raises(OptionError, match="--max-width: does not apply, the model answers with classes"):
        predicted(trained, planted, tmp_path / "out", max_width=0.9)
    assert not (tmp_path / "out").exists()
