"""The feature matrix as a file holds the same numbers and ids in every format."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from graticule.arrays import object_array
from graticule.features.samples import Samples
from graticule.features.tables import write_features
from graticule.images.decode import Decoded
from graticule.manifest import Manifest

PATHS = ["a.png", "=b.png"]
FEATURES = np.array([[0.5, -1.0], [0.25, 3.0]], np.float32)


def written(suffix: str) -> io.BytesIO:
    manifest = Manifest(Path("/data"), object_array(PATHS), object_array(["x", ""]))
    samples = Samples(manifest, FEATURES, slice(None), slice(None), [Decoded()] * 2, [], 2, 0, 0.0, [])
    sink = io.BytesIO()
    write_features(sink, suffix, samples, ["f0", "f1"])
    sink.seek(0)
    return sink


def test_parquet() -> None:
    table = pq.read_table(written(".parquet"))
    assert table.column_names == ["sample_id", "path", "label", "f0", "f1"]
    assert table["path"].to_pylist() == PATHS
    np.testing.assert_array_equal(np.column_stack([table["f0"], table["f1"]]), FEATURES)


def test_numpy_arrays() -> None:
    arrays = np.load(written(".npz"))
    np.testing.assert_array_equal(arrays["features"], FEATURES)
    assert arrays["path"].tolist() == PATHS
    assert arrays["names"].tolist() == ["f0", "f1"]


def test_a_name_does_nothing_in_a_spreadsheet() -> None:
    rows = list(csv.DictReader(io.StringIO(written(".csv").read().decode())))
    assert [row["path"] for row in rows] == ["a.png", "'=b.png"]
    assert [float(row["f1"]) for row in rows] == [-1.0, 3.0]
