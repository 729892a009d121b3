"""The table that `predict` leaves of a model of numbers: the shards of `answers.py` with other columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graticule.answers import nullable, read_shard, shard_files
from graticule.arrays import FloatArray
from graticule.errors import RunError

# what a number has where something is promised of it
LIMITS = ("low", "high", "level")
VALUE_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("sha256", pa.string()),
        *((name, pa.float64()) for name in ("value", *LIMITS)),
        ("novelty", pa.float64()),
        ("decision", pa.string()),
        ("reason", pa.string()),
        ("nearest", pa.list_(pa.string())),
    ]
)


def value_block(
    paths: Sequence[str],
    sha256: Sequence[str],
    value: FloatArray,
    limits: tuple[FloatArray, FloatArray],
    level: float,
    decided: Mapping[str, Any],
) -> pa.Table:
    """One block as a table of a shard; unreadable files have nulls, and so have limits that cannot be promised.

    `decided` holds the columns novelty, decision, reason and nearest.
    """
    low, high = limits
    columns = {
        "path": list(paths),
        "sha256": [sha or None for sha in sha256],
        "value": nullable(value),
        "low": nullable(low),
        "high": nullable(high),
        "level": nullable(np.where(np.isnan(low), np.nan, level)),
        **decided,
    }
    return pa.table(columns, schema=VALUE_SCHEMA)


def read_valued(folder: Path) -> pa.Table:
    """Read all shards of a predict output of a model of numbers: the columns of `VALUE_SCHEMA`.

    Raises
    ------
    RunError
        When the folder is no finished prediction, lacks a column or holds values that are no numbers.
    """
    tables = []
    for file in shard_files(folder):
        try:
            table = read_shard(file)
        except (OSError, pa.ArrowException) as error:
            raise RunError(f"cannot read the predictions {file}: {error}") from error
        missing = [name for name in VALUE_SCHEMA.names if name not in table.column_names]
        if missing or len(set(table.column_names)) < len(table.column_names):
            lacks = f"it lacks {', '.join(missing)}" if missing else "a column stands there twice"
            raise RunError(f"{file} is no table of predicted numbers: {lacks}")
        try:
            tables.append(table.select(VALUE_SCHEMA.names).cast(VALUE_SCHEMA))
        except (ValueError, pa.ArrowException) as error:
            raise RunError(f"{file} is damaged: {error}") from error
    found = pa.concat_tables(tables)
    for name in ("value", "low", "high"):
        numbers = found[name].drop_null().to_numpy()
        if not np.isfinite(numbers).all():
            raise RunError(f"{folder} is damaged: the column {name} holds what is no finite number; predict again")
    return found
