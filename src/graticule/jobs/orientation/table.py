"""The table of directions: one row per image, written block by block."""

import contextlib
import csv
import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from graticule.files import writing, writing_text
from graticule.jobs.orientation.picture import MeasuredFile
from graticule.plain_text import safe_cell

_HEAD = ("path", "sha256", "width", "height", "info_bar_cut", "verdict")
_TAIL = ("scales_disagree", "survey")
_ROWS = 256  # held before they are written
_DIGITS = 6


class DirectionTable:
    """orientation.parquet, and orientation.csv where it is wanted, as a context manager.

    Parameters
    ----------
    folder : Path
    columns : sequence of str
        Names of the numbers of a row.
    with_csv : bool
        The CSV file lacks the distributions.
    """

    def __init__(self, folder: Path, columns: Sequence[str], *, with_csv: bool) -> None:
        self._columns = list(columns)
        self._schema = pa.schema(
            [
                ("path", pa.string()),
                ("sha256", pa.string()),
                ("width", pa.int64()),
                ("height", pa.int64()),
                ("info_bar_cut", pa.bool_()),
                ("verdict", pa.string()),
                *((name, pa.float64()) for name in columns),
                ("scales_disagree", pa.bool_()),
                ("survey", pa.string()),
                ("distribution", pa.list_(pa.float32())),
                ("fitted", pa.list_(pa.float32())),
            ]
        )
        self._rows: list[dict[str, Any]] = []
        self._open = contextlib.ExitStack()
        sink = self._open.enter_context(writing(folder / "orientation.parquet"))
        self._writer = self._open.enter_context(pq.ParquetWriter(sink, self._schema))
        self._csv: Any = None
        if with_csv:
            stream = self._open.enter_context(writing_text(folder / "orientation.csv", encoding="utf-8-sig"))
            self._csv = csv.writer(stream)
            self._csv.writerow([*_HEAD, *columns, *_TAIL])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._open.__exit__(kind, error, trace)

    def add(self, path: str, one: MeasuredFile, numbers: Sequence[float], survey: str | None) -> None:
        """Append an image; one that could not be measured has nulls."""
        row: dict[str, Any] = dict.fromkeys(self._schema.names)
        row["path"] = path
        if one.found is not None:
            directions = one.found.directions
            values = [round(x, _DIGITS) if math.isfinite(x) else None for x in numbers]
            row |= dict(zip(self._columns, values, strict=True))
            row |= {"sha256": one.sha256, "width": one.width, "height": one.height, "info_bar_cut": one.found.bar}
            row |= {"verdict": directions.verdict, "scales_disagree": directions.scales_disagree}
            row |= {"distribution": directions.figures.distribution, "fitted": directions.figures.fitted}
            row["survey"] = survey
        self._rows.append(row)
        if self._csv is not None:
            cells = [row[name] for name in (*_HEAD, *self._columns, *_TAIL)]
            self._csv.writerow(["" if x is None else safe_cell(x) if isinstance(x, str) else x for x in cells])
        if len(self._rows) == _ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
