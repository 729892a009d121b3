"""specimens.parquet: one row per specimen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from graticule.answers import nullable
from graticule.arrays import IntArray
from graticule.decide.specimens import Verdicts
from graticule.files import writing


def write_specimens(file: Path, classes: Sequence[str], names: Sequence[str], verdicts: Verdicts) -> None:
    """specimens.parquet: one row per specimen."""

    def named(codes: IntArray) -> list[str | None]:
        return [None if k < 0 else classes[k] for k in codes]

    columns: dict[str, Any] = {
        "specimen": pa.array(list(names), pa.string()),
        "n": verdicts.n,
        "n_readable": verdicts.n_readable,
        **{f"share_{name}": nullable(verdicts.share[:, k]) for k, name in enumerate(classes)},
        "review_share": nullable(verdicts.review_share),
        "majority": pa.array(named(verdicts.majority), pa.string()),
        "majority_low": nullable(verdicts.majority_low),
        "majority_high": nullable(verdicts.majority_high),
        "majority_margin": nullable(verdicts.majority_margin),
        **{f"mean_{name}": nullable(verdicts.mean_score[:, k]) for k, name in enumerate(classes)},
        "by_score": pa.array(named(verdicts.by_score), pa.string()),
        "score_margin": nullable(verdicts.score_margin),
        "score_low": nullable(verdicts.score_low),
        "score_high": nullable(verdicts.score_high),
    }
    with writing(file) as sink:
        pq.write_table(pa.table(columns), sink)
