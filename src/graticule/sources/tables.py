"""Tables of text cells from CSV and Parquet files, and the list of faults found in an input."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from graticule.errors import ManifestError
from graticule.files import TABLE_BYTES, open_regular, read_regular
from graticule.manifest import OPTIONAL_COLUMNS, manifest_metadata, unescape_path
from graticule.names import name_key, told_apart
from graticule.plain_text import restored_cell
from graticule.tasks import CLASSIFICATION

TABLE_SUFFIXES = (".csv", ".parquet")
SHOWN_PER_KIND = 10
_DELIMITERS = (",", ";", "\t")
# every column with a meaning, by its key: how a header is typed does not decide whether it is seen
KNOWN_COLUMNS = {
    name: name
    for name in (
        *("path", "label", *OPTIONAL_COLUMNS, "sample_id", "sampling_prob", "user", "class", "share", "error"),
        *("diameter_um", "volume_ml"),
    )
}


@dataclass
class Faults:
    """Faults of one input by kind; raised together."""

    source: str
    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, detail: str) -> None:
        """Note one fault of a kind."""
        self.found.setdefault(kind, []).append(detail)

    def extend(self, kind: str, details: Iterable[str]) -> None:
        """Note several faults of a kind."""
        for detail in details:
            self.add(kind, detail)

    def raise_if_any(self) -> None:
        """Raise one ManifestError that shows up to ten faults of each kind, with counts."""
        if not self.found:
            return
        total = sum(len(details) for details in self.found.values())
        lines = [f"{self.source}: {total} fault{'s' if total > 1 else ''} found"]
        for kind, details in self.found.items():
            more = f", the first {SHOWN_PER_KIND} shown" if len(details) > SHOWN_PER_KIND else ""
            lines.append(f"  {kind} ({len(details)}{more}):")
            lines += [f"    {detail}" for detail in details[:SHOWN_PER_KIND]]
        raise ManifestError("\n".join(lines))


@dataclass(frozen=True)
class Table:
    """Cells as text.

    Attributes
    ----------
    columns : dict of lists of str, each of length n
    rows : list of n int
        Where a row stands, for messages: the line in a CSV file, the row from 1 in a Parquet file.
    root : str or None
        For a table that `Manifest.write` wrote: the root of its paths, which are escaped.
    warnings : tuple of str
    """

    columns: dict[str, list[str]]
    rows: list[int]
    root: str | None = None
    warnings: tuple[str, ...] = ()


def read_bytes(file: Path) -> bytes:
    """A file's bytes; ManifestError when it cannot be read."""
    try:
        return read_regular(file, TABLE_BYTES)
    except OSError as error:
        raise ManifestError(f"cannot read {str(file)!r}: {error.strerror or error}") from error


def decode_text(raw: bytes, errors: str = "strict") -> str:
    """UTF-8 with or without a byte order mark, or UTF-16 with one (PowerShell's and Excel's "Unicode text")."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors if errors == "strict" else "replace")
    return raw.decode("utf-8-sig", errors)


def read_table(file: Path, takes: Sequence[str] = (CLASSIFICATION,)) -> Table:
    """Read a `.csv` (comma, semicolon or tab) or `.parquet` file; cells marked for spreadsheets are restored.

    Raises
    ------
    ManifestError
        When the file cannot be read, is not UTF-8 or no well-formed CSV, has no header or repeats a column name, or
        when rows are of unequal length (all listed).
    """
    if file.suffix.lower() == ".parquet":
        return _read_parquet(file, takes)
    raw = read_bytes(file)
    try:
        text = decode_text(raw)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ManifestError(
            f"{str(file)!r} is not UTF-8 text: line {line} has a byte that cannot be read. Save it as "
            "'CSV UTF-8', and write a file name that is not UTF-8 with \\xHH for each such byte"
        ) from error
    return _parse_csv(text, file)


def _header(text: str, file: Path) -> tuple[str, list[str]]:
    """Delimiter and column names: the delimiter under which most columns have a known name, a comma where none has."""
    best, most, cause = (_DELIMITERS[0], list[str]()), -1, ""
    for delimiter in _DELIMITERS:
        try:
            first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error as error:  # a header of many columns is one huge cell under the other delimiters
            cause = cause or str(error)
            continue
        names = [name.strip() for name in first]
        known = sum(name in KNOWN_COLUMNS for name in _as_known(names))
        if known > most:
            best, most = (delimiter, names), known
    if cause and most < 1:
        raise _malformed(file, 1, cause)
    return best


def _as_known(names: list[str]) -> list[str]:
    """Column names, those that are twins of a known one written as that is: "Group " as "group"."""
    return [KNOWN_COLUMNS[key] if (key := name_key(name)) in KNOWN_COLUMNS else name for name in names]


def _malformed(file: Path, line: int, cause: str) -> ManifestError:
    return ManifestError(
        f"{str(file)!r} is no well-formed CSV, near line {line}: {cause}. A quotation mark that is never closed, or a "
        "file of another kind, is the usual reason: save it again as CSV"
    )


def _parse_csv(text: str, file: Path) -> Table:
    faults = Faults(repr(str(file)))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _malformed(file, line, "it holds a zero byte")
    delimiter, written = _header(text, file)
    names = _check_names(written, faults)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    cells: list[list[str]] = []
    lines: list[int] = []
    try:
        next(reader, None)
        line = reader.line_num + 1
        for row in reader:
            if any(row) and len(row) != len(names):
                faults.add("wrong number of cells", f"line {line}: {len(row)}, the header has {len(names)}")
            elif any(row):
                cells.append(row)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise _malformed(file, reader.line_num, str(error)) from error
    faults.raise_if_any()
    values = [[restored_cell(cell) for cell in column] for column in zip(*cells, strict=True)] or [[] for _ in names]
    columns = dict(zip(names, values, strict=True))
    unnamed = any(columns.pop("", []))
    return Table(columns, lines, None, ("a column without a name was ignored",) if unnamed else ())


def _check_names(written: list[str], faults: Faults) -> list[str]:
    """Column names as the program knows them; a missing header and repeated names are noted."""
    names = _as_known(written)
    if not any(names):
        faults.add("no header", "the first line must name the columns, at least path and label")
    for name in sorted(name for name, times in Counter(names).items() if name and times > 1):
        spellings = dict.fromkeys(own for own, known in zip(written, names, strict=True) if known == name)
        faults.add("column named twice", told_apart(list(spellings)))
    return names


def _read_parquet(file: Path, takes: Sequence[str]) -> Table:
    try:
        # through a file object: pyarrow cannot open names that are not UTF-8, and would turn "a=b/" into a column
        with open_regular(file) as source:
            parquet = pq.ParquetFile(source)
            schema = parquet.schema_arrow
            plain = [f.name for f in schema if not (pa.types.is_nested(f.type) or _is_binary(f.type))]
            table = parquet.read(columns=sorted(set(plain)))
    except (OSError, pa.ArrowException) as error:
        raise ManifestError(f"cannot read {str(file)!r} as Parquet: {error}") from error
    faults = Faults(repr(str(file)))
    known = _check_names(schema.names, faults)
    faults.raise_if_any()
    left = [name for name in schema.names if name not in plain]
    warnings = (f"columns that hold no plain values were ignored: {', '.join(left)}",) if left else ()
    columns = {
        name: ["" if v is None else str(v) for v in table[own].to_pylist()]
        for own, name in zip(schema.names, known, strict=True)
        if own in plain
    }
    rows = list(itertools.islice(itertools.count(1), table.num_rows))
    about = manifest_metadata(table, file, takes)
    return Table(columns, rows, None if about is None else unescape_path(about["root"]), warnings)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))
