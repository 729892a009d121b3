"""The feature matrix as a file: Parquet, CSV or NumPy arrays, with the ids of its rows."""

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graticule.features.samples import Samples
from graticule.manifest import escape_path
from graticule.plain_text import safe_cell

FORMATS = (".parquet", ".npz", ".csv")


def write_features(sink: BinaryIO, suffix: str, samples: Samples, names: list[str]) -> None:
    """Write ids and features to a stream as `suffix` says, one of `FORMATS`; `names` are those of the columns."""
    manifest = samples.manifest
    ids = {
        "sample_id": list(manifest.sample_id),
        "path": [escape_path(p) for p in manifest.path],
        "label": list(manifest.label),
    }
    if suffix == ".npz":
        arrays: dict[str, Any] = {name: np.array(values, dtype=str) for name, values in ids.items()}
        np.savez(sink, features=samples.features, names=np.array(names), **arrays)
        return
    columns = {name: pa.array(values, pa.string()) for name, values in ids.items()}
    columns |= {name: pa.array(samples.features[:, j]) for j, name in enumerate(names)}
    table = pa.table(columns)
    if suffix == ".parquet":
        pq.write_table(table, sink)
    else:
        import pyarrow.csv

        for number, name in enumerate(ids):
            table = table.set_column(number, name, pa.array(map(safe_cell, ids[name]), pa.string()))
        pyarrow.csv.write_csv(table, sink)
