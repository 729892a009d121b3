"""Labels and events as files: the manifest that `train` takes, and the whole record for spreadsheets and analysis."""

import contextlib
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from graticule.errors import LabelStoreError
from graticule.files import open_regular, writing, writing_text
from graticule.plain_text import safe_cell
from graticule.record.current import Agreed, ImageState, agreed
from graticule.record.events import COLUMNS, DOUBTFUL, FLOATS, INTEGERS, NOVEL, Event
from graticule.record.numbers import Quantity, in_words, number_said, plain_number, quantity_of

LABEL_COLUMNS = ("path", "label", "sampling_prob", "sha256", "bulk", "people", "agreed_by", "event")
# of images agreed to be doubtful or novel
APART_COLUMNS = tuple(name for name in LABEL_COLUMNS if name != "label")
OPEN_COLUMNS = ("path", "sha256", "why", "who", "value", "time", "event")
_BLOCK = 10_000

EVENT_SCHEMA = pa.schema(
    [
        (name, pa.int64() if name in INTEGERS else pa.float64() if name in FLOATS else pa.string(), True)
        for name in COLUMNS
    ]
)


class EventFiles:
    """The record as CSV and Parquet, written block by block. A context manager; files appear whole or not at all."""

    def __init__(self, csv_file: Path, parquet_file: Path) -> None:
        self._files = (csv_file, parquet_file)
        self._block: list[Mapping[Any, Any]] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            text = stack.enter_context(writing_text(self._files[0]))
            binary = stack.enter_context(writing(self._files[1]))
            self._csv = csv.writer(text)
            self._csv.writerow(COLUMNS)
            self._parquet = stack.enter_context(pq.ParquetWriter(binary, EVENT_SCHEMA))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._open.__exit__(kind, error, trace)
            return
        with self._open:
            self._write()

    def add(self, row: Mapping[Any, Any]) -> None:
        """Add one row of the table of events."""
        self._block.append(row)
        if len(self._block) == _BLOCK:
            self._write()

    def _write(self) -> None:
        self._csv.writerows([safe_cell(row[name]) for name in COLUMNS] for row in self._block)
        columns = {name: [row[name] for row in self._block] for name in COLUMNS}
        self._parquet.write_table(pa.table(columns, schema=EVENT_SCHEMA))
        self._block.clear()


def read_events(file: Path) -> Iterator[dict[str, Any]]:
    """Rows of an exported Parquet record, in the order of the file, a block at a time.

    Raises
    ------
    LabelStoreError
        When it is no such file.
    """
    try:
        with open_regular(file) as source, pq.ParquetFile(source) as parquet:
            if set(parquet.schema_arrow.names) != set(COLUMNS):
                raise LabelStoreError(f"{file} is no exported record of label events: its columns are other ones")
            for batch in parquet.iter_batches(batch_size=_BLOCK):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise LabelStoreError(f"cannot read {file} as an exported record of label events: {error}") from error


def label_rows(agreed: Mapping[str, Agreed], paths: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """One row of `LABEL_COLUMNS` per path of each image with an agreed value, sorted by path.

    Parameters
    ----------
    agreed : mapping of Agreed
        By image.
    paths : mapping of sequences of str
        The places at which an image was seen, escaped.
    """
    rows = []
    for image, item in agreed.items():
        if item.value is None:
            continue
        events = [*item.decisions, *([item.verdict] if item.verdict else [])]
        chances = [event.sampling_prob for event in events if event.sampling_prob is not None]
        rows += [
            {
                "path": path,
                "label": item.value,
                "sampling_prob": chances[0] if chances else None,
                "sha256": image,
                "bulk": "yes" if item.bulk else "",
                "people": len({event.who for event in events}),
                "agreed_by": item.by,
                "event": max(event.seq for event in events),
            }
            for path in paths[image]
        ]
    return sorted(rows, key=lambda row: str(row["path"]))


def open_rows(agreed: Mapping[str, Agreed], paths: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """One row of `OPEN_COLUMNS` per path and person of each image without an agreed value, sorted by path."""
    rows = [
        {
            "path": path,
            "sha256": image,
            "why": item.by,
            "who": event.who,
            "value": in_words(event.new_value),
            "time": event.time,
            "event": event.seq,
        }
        for image, item in agreed.items()
        if item.value is None
        for path in paths[image]
        for event in item.decisions
    ]
    return sorted(rows, key=lambda row: (str(row["path"]), int(str(row["event"]))))


def label_columns(quantity: Quantity | None) -> tuple[str, ...]:
    """`LABEL_COLUMNS`; of numbers their own column and their unit in the place of the label."""
    if quantity is None:
        return LABEL_COLUMNS
    return ("path", quantity.target, "unit", *APART_COLUMNS[1:])


def with_numbers(rows: Iterable[Mapping[str, Any]], quantity: Quantity | None) -> list[Mapping[str, Any]]:
    """Label rows as they are exported: of numbers each in its own column, with its unit."""
    if quantity is None:
        return list(rows)
    return [
        {"unit": quantity.unit, quantity.target: plain_number(number.value)}
        | {name: cell for name, cell in row.items() if name != "label"}
        for row in rows
        if (number := number_said(row["label"])) is not None
    ]


def labels_by_kind(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Label rows under "labels", "doubtful" and "novel"; apart from the first without their label."""
    parts: dict[str, list[Mapping[str, Any]]] = {"labels": [], "doubtful": [], "novel": []}
    names = {DOUBTFUL: "doubtful", NOVEL: "novel"}
    for row in rows:
        name = names.get(row["label"], "labels")
        parts[name].append(row if name == "labels" else {k: v for k, v in row.items() if k != "label"})
    return parts


def write_rows(file: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV or Parquet, by the file's suffix; missing cells are empty. The file appears whole."""
    if file.suffix.lower() == ".parquet":
        values = {name: [_text(row.get(name)) for row in rows] for name in columns}
        with writing(file) as sink:
            pq.write_table(pa.table(values, schema=pa.schema([(name, pa.string()) for name in columns])), sink)
    else:
        with writing_text(file) as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows([safe_cell(_text(row.get(name))) for name in columns] for row in rows)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


@dataclass
class Collected:
    """What one pass over the events gathers: the decisions on each image, and where it was seen."""

    states: dict[str, ImageState] = field(default_factory=dict)
    paths: dict[str, dict[str, None]] = field(default_factory=dict)
    image_at: dict[str, str] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        if event.image_sha256 is None or event.path is None:
            return
        self.states.setdefault(event.image_sha256, ImageState()).add(event)
        self.paths.setdefault(event.image_sha256, {})[event.path] = None
        # a file that was replaced by other pixels: only the image labelled last belongs to the path
        self.image_at[event.path] = event.image_sha256

    @property
    def quantity(self) -> Quantity | None:
        """What the numbers that hold are of; None where the record holds classes, or nothing."""
        said = (event.new_value for state in self.states.values() for event in [*state.decisions(), *state.verdicts])
        return quantity_of(value for value in said if value not in (DOUBTFUL, NOVEL))

    def rows(self, min_people: int, tolerance: float = 0.0) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of images with an agreed value, and of those without; see `graticule.record.current.agreed`."""
        together = {
            image: agreed(image, state, min_people=min_people, tolerance=tolerance)
            for image, state in self.states.items()
        }
        together = {image: item for image, item in together.items() if item.decisions or item.verdict}
        paths = self._present_paths()
        return label_rows(together, paths), open_rows(together, paths)

    def _present_paths(self) -> dict[str, list[str]]:
        """The paths of each image at which no other image was labelled later."""
        return {image: [path for path in paths if self.image_at[path] == image] for image, paths in self.paths.items()}
