"""Tables of predictions in Parquet files of at most 50,000 rows, written and read in constant memory."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from graticule.files import open_regular, writing, writing_text
from graticule.plain_text import safe_cell

SHARD_ROWS = 50_000


class Shards:
    """Files predictions-00000.parquet and so on in a folder, as a context manager.

    Attributes
    ----------
    files : list of Path
        Made so far, at least one.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self.files: list[Path] = []
        self._rows = 0
        self._open = contextlib.ExitStack()
        self._writer = self._next()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def write(self, columns: dict[str, list[Any]]) -> None:
        """Append a block of rows."""
        table = pa.table(columns, schema=self._schema)
        if self._rows + len(table) > SHARD_ROWS:
            self._open.close()
            self._writer, self._rows = self._next(), 0
        self._writer.write_table(table)
        self._rows += len(table)

    def _next(self) -> pq.ParquetWriter:
        self.files.append(self._folder / f"predictions-{len(self.files):05d}.parquet")
        # an open file, since Arrow takes no path that is not UTF-8
        sink = self._open.enter_context(writing(self.files[-1]))
        return self._open.enter_context(pq.ParquetWriter(sink, self._schema))


def read_shard(file: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """One file, or some of its columns."""
    with open_regular(file) as source:
        return pq.ParquetFile(source).read(columns=None if columns is None else list(columns))


def replace_shard(file: Path, table: pa.Table) -> None:
    """Put a table in the place of a file; a run that is cut off leaves the old one or the new one."""
    with writing(file) as sink:
        pq.write_table(table, sink)


def shards_to_csv(files: Sequence[Path], out: Path) -> None:
    """All files as one CSV file for spreadsheets; lists are joined by a comma."""
    with writing_text(out, encoding="utf-8-sig") as stream:
        writer = csv.writer(stream)
        for number, file in enumerate(files):
            table = read_shard(file)
            if number == 0:
                writer.writerow([safe_cell(name) for name in table.column_names])
            writer.writerows(zip(*(map(_cell, table[name].to_pylist()) for name in table.column_names), strict=True))


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = ", ".join(value)
    return "" if value is None else safe_cell(value)
