"""The Predictions table: rows, parts, and the way to Parquet and back."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.predictions import Predictions, read_predictions

CLASSES = ("a b", "p_q", "é\n")


def table(n: int = 7) -> Predictions:
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(3), n)
    return Predictions(
        sample_id=object_array([f"{i:016x}" for i in range(n)]),
        path=object_array([f"folder/{i}\\\\x.png" for i in range(n)]),
        part=object_array(["test" if i % 3 == 2 else "cv" for i in range(n)]),
        fold=np.array([-1 if i % 3 == 2 else i % 2 for i in range(n)]),
        label=object_array([CLASSES[i % 3] for i in range(n)]),
        classes=CLASSES,
        proba=proba.reshape(n, 3),
    )


def same(one: Predictions, other: Predictions) -> bool:
    names = ("sample_id", "path", "part", "fold", "label", "proba")
    return one.classes == other.classes and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_round_trip_is_exact(tmp_path: Path, n: int) -> None:
    file = tmp_path / os.fsdecode(b"latin-\xe9.parquet")
    table(n).write(file)
    again = read_predictions(file)
    assert same(again, table(n))
    assert again.proba.shape == (n, 3)
    assert again.fold.dtype == np.int64
    assert again.proba.dtype == np.float64


def test_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    columns = table().to_table().column_names
    assert columns == ["sample_id", "path", "part", "fold", "label", "p_a b", "p_p_q", "p_é\n"]


def test_rows_and_parts() -> None:
    predictions = table()
    assert len(predictions) == 7
    assert predictions.y.tolist() == [0, 1, 2, 0, 1, 2, 0]
    test = predictions.of_part("test")
    assert test.sample_id.tolist() == [f"{i:016x}" for i in (2, 5)]
    assert (test.fold == -1).all()
    assert len(predictions.of_part("cv")) == 5
    assert len(predictions.of_part("val")) == 0
    order = np.array([6, 0, 3])
    np.testing.assert_array_equal(predictions.take(order).proba, predictions.proba[order])
    assert same(predictions.take(np.ones(7, bool)), predictions)


def test_files_that_are_no_predictions(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No such file"):
        read_predictions(tmp_path / "gone.parquet")
    text = tmp_path / "text.parquet"
    text.write_text("sample_id,path\n")
    with pytest.raises(RunError, match="cannot read the predictions"):
        read_predictions(text)
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"sample_id": ["a"], "label": ["b"], "p_b": [1.0]}), other)
    with pytest.raises(RunError, match="it lacks path, part, fold"):
        read_predictions(other)
    pq.write_table(table().to_table().drop_columns([f"p_{name}" for name in CLASSES]), other)
    with pytest.raises(RunError, match="it lacks columns p_<class>"):
        read_predictions(other)


def test_a_file_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "predictions.parquet"
    table().write(file)
    whole = file.read_bytes()
    for end in range(0, len(whole), 97):
        file.write_bytes(whole[:end])
        with pytest.raises(RunError):
            read_predictions(file)
