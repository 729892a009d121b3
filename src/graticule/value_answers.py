"""The table that `predict` leaves of a model of numbers: the shards of `answers.py` with other columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from graticule.answers import nullable
from graticule.arrays import FloatArray

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
