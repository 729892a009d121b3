"""The table that `predict` leaves: Parquet files of at most 50,000 rows each, written and read here alone."""

import contextlib
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.errors import RunError
from graticule.files import open_regular, writing, writing_text
from graticule.plain_text import safe_cell
from graticule.predictions import score_columns, scored_classes, scores_of
from graticule.runs import read_json, require_finished

DECISIONS = ("accept", "review", "reject")
UNKNOWN = -1


@dataclass(frozen=True)
class AnswerRows:
    """Rows of a predict output, n images and K classes.

    Attributes
    ----------
    classes : tuple of K str
    path : arrow array of n strings
        Escaped, relative to the images folder.
    called : int array, shape (n,)
        Class predicted, -1 for unreadable images.
    proba : float array, shape (n, K)
        NaN for unreadable images.
    decision : int array, shape (n,)
        Index in `DECISIONS`, -1 where not decided.
    novelty : float array, shape (n,)
        NaN where unknown.
    more : arrow table of n rows
        Further columns that were asked for.
    """

    classes: tuple[str, ...]
    path: pa.Array
    called: IntArray
    proba: FloatArray
    decision: IntArray
    novelty: FloatArray
    more: pa.Table

    def __len__(self) -> int:
        return len(self.called)

    @property
    def score(self) -> FloatArray:
        """Score of the class predicted, shape (n,); NaN for unreadable images."""
        return self.proba[np.arange(len(self)), np.maximum(self.called, 0)]


@dataclass(frozen=True)
class Scored(AnswerRows):
    """All rows of a predict output, with its folder and its summary.json."""

    folder: Path
    summary: dict[str, Any]


def read_scored(folder: Path, more: Sequence[str] = ()) -> Scored:
    """Read all shards of a predict output, with further columns by name.

    Raises
    ------
    RunError
        When the folder is no finished prediction, lacks a column or holds values that are no scores.
    """
    tables = [_checked_shard(file, more) for file in shard_files(folder)]
    if any(table.schema != tables[0].schema for table in tables):
        raise RunError(f"the shards of {folder} have different columns: they are of different models")
    rows = _rows(pa.concat_tables(tables), folder, more)
    return Scored(**vars(rows), folder=folder, summary=read_json(folder / "summary.json"))


def shard_files(folder: Path) -> list[Path]:
    """The shards of a finished predict output; a RunError where there are none."""
    require_finished(folder, "prediction")
    files = sorted(folder.glob("predictions-*.parquet"))
    if not files:
        raise RunError(f"{folder} holds no predictions-*.parquet: name the folder that `graticule predict` wrote")
    return files


def read_rows(file: Path) -> AnswerRows:
    """Read one shard.

    Raises
    ------
    RunError
        As `read_scored`.
    """
    return _rows(_checked_shard(file, ()), file, ())


def _checked_shard(file: Path, more: Sequence[str]) -> pa.Table:
    try:
        with open_regular(file) as source:
            parquet = pq.ParquetFile(source)
            names = parquet.schema_arrow.names
            classes = scored_classes(names)
            wanted = ["path", "label", *score_columns(classes), "novelty", "decision", *more]
            missing = [name for name in wanted if name not in names]
            if missing or len(classes) < 2:
                raise RunError(
                    f"{file} is no table of predictions: it lacks {', '.join(missing) or 'columns p_<class>'}"
                )
            return parquet.read(columns=wanted)
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"cannot read the predictions {file}: {error}") from error


def _rows(table: pa.Table, source: Path, more: Sequence[str]) -> AnswerRows:
    classes = scored_classes(table.column_names)
    proba = scores_of(table, classes)
    called = codes_of(table["label"], classes)
    readable = called != UNKNOWN
    _check_scores(source, table, proba, readable)
    proba[~readable] = np.nan
    return AnswerRows(
        classes=classes,
        path=table["path"].combine_chunks(),
        called=called,
        proba=proba,
        decision=codes_of(table["decision"], DECISIONS),
        novelty=table["novelty"].cast(pa.float64()).to_numpy().astype(np.float64),
        more=table.select(list(more)),
    )


def codes_of(column: pa.ChunkedArray, names: tuple[str, ...]) -> IntArray:
    """Index of each value in `names`, -1 for others and nulls."""
    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(names, pa.string()))
    return np.asarray(pc.fill_null(found, UNKNOWN).to_numpy(), dtype=np.int64)


def _check_scores(folder: Path, table: pa.Table, proba: FloatArray, readable: NDArray[np.bool_]) -> None:
    strange = ~readable & np.asarray(table["label"].is_valid().to_numpy(), dtype=bool)
    faulty = readable & ~((proba >= 0) & (proba <= 1)).all(axis=1)
    for rows, what in (
        (strange, "a label without a column p_<class>"),
        (faulty, "scores that are not in [0, 1] (NaN)"),
    ):
        if rows.any():
            first = table["path"][int(rows.argmax())].as_py()
            raise RunError(f"{folder}: {int(rows.sum()):,} images have {what}, the first is {first!r}; predict again")


def prediction_schema(classes: tuple[str, ...]) -> pa.Schema:
    """Columns of a prediction shard."""
    return pa.schema(
        [
            ("path", pa.string()),
            ("sha256", pa.string()),
            ("label", pa.string()),
            ("score", pa.float64()),
            *((name, pa.float64()) for name in score_columns(classes)),
            ("set", pa.list_(pa.string())),
            ("novelty", pa.float64()),
            ("decision", pa.string()),
            ("reason", pa.string()),
            ("nearest", pa.list_(pa.string())),
        ]
    )


def block_of(
    paths: Sequence[str],
    sha256: Sequence[str],
    proba: FloatArray,
    readable: NDArray[np.bool_],
    classes: tuple[str, ...],
    decided: Mapping[str, pa.Array | list[Any]],
) -> pa.Table:
    """One block as a table of a shard; unreadable files have nulls.

    `decided` holds the columns set, novelty, decision, reason and nearest.
    """
    best = np.nan_to_num(proba).argmax(axis=1)
    columns = {
        "path": list(paths),
        "sha256": [sha or None for sha in sha256],
        "label": pa.array(classes, pa.string()).take(pa.array(best, mask=~readable)),
        "score": nullable(proba[np.arange(len(best)), best]),
        **{name: nullable(proba[:, k]) for k, name in enumerate(score_columns(classes))},
        **decided,
    }
    return pa.table(columns, schema=prediction_schema(classes))


def nullable(values: FloatArray) -> pa.Array:
    """Numbers for a column of a table, null for NaN."""
    return pa.array(values, pa.float64(), from_pandas=True)


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

    def write(self, table: pa.Table) -> None:
        """Append a block of rows."""
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


def read_shard(file: Path) -> pa.Table:
    """One file with all its columns, as it was written."""
    with open_regular(file) as source:
        return pq.ParquetFile(source).read()


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
