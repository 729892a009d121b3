"""The Manifest: one row per sample, as the user's folder or table gives it.

A path is kept as the operating system gave it (`os.fsdecode`, relative to the root, with "/"). Tables and files of
text hold it escaped, so that any name survives and none shows as another: a backslash is doubled, a control character
of ASCII or a byte that is not UTF-8 is written `\\xHH`; an unpaired UTF-16 surrogate (Windows), any other control
character and a mark that turns the direction of text `\\uHHHH`.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule.arrays import FloatArray, StrArray, object_array
from graticule.documents import parse_document
from graticule.errors import ManifestError
from graticule.files import open_regular, writing
from graticule.plain_text import CONTROLS
from graticule.tasks import CLASSIFICATION, REGRESSION, task_of

SCHEMA_VERSION = 1
METADATA_KEY = b"graticule.manifest"
OPTIONAL_COLUMNS = (
    "group",
    "split",
    "target",
    "origin",
    "generator",
    "gate",
    "pixel_size_nm",
    "specimen",
    "site",
    "instrument",
    "operator",
    "day",
)

_TO_ESCAPE = re.compile(f"[\\\\{CONTROLS}\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(?:(\\)|x([0-9a-f]{2})|u([0-9a-f]{4})|)")


def _escape_character(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\\":
        return "\\\\"
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}"


def escape_path(path: str) -> str:
    r"""Write a path as printable, valid Unicode on one line.

    `\` becomes `\\`; a control character of ASCII or a byte that is not UTF-8 becomes `\xHH`; any other unpaired
    surrogate, control character or mark of direction becomes `\uHHHH`. All else, quotes too, stays as it is.
    """
    return _TO_ESCAPE.sub(_escape_character, path)


def bundled_path(path: str) -> str:
    """What a bundle calls a training image: its escaped path; of one outside of the data's folder without the way out.

    A bundle may come from elsewhere, so none of its paths may lead out of a folder.
    """
    inside = path
    while inside.startswith("../"):
        inside = inside[3:]
    return escape_path(path if inside == path else f"(elsewhere)/{inside}")


def unescape_path(text: str) -> str:
    """Undo `escape_path`.

    Raises
    ------
    ManifestError
        When a backslash starts none of the escapes above.
    """

    def character(match: re.Match[str]) -> str:
        backslash, byte, other = match.groups()
        if backslash:
            return "\\"
        if byte:
            value = int(byte, 16)
            return chr(value if value < 0x80 else 0xDC00 + value)
        if other and _TO_ESCAPE.match(chr(int(other, 16))):
            return chr(int(other, 16))
        raise ManifestError(f"{text!r} is no escaped path: a backslash must be followed by \\, xHH or uHHHH")

    return _ESCAPED.sub(character, text) if "\\" in text else text


def sample_id_of(path: str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of a relative path's bytes."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # unpaired surrogates that stand for no byte: Windows names
        raw = path.encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).hexdigest()[:16]


@dataclass(frozen=True)
class Manifest:
    """n samples, labelled or not.

    Attributes
    ----------
    root : Path
        Absolute folder that paths are relative to.
    path : object array of str, shape (n,)
        Relative to `root`, with "/", not escaped, each once (a list given to `predict` may repeat one).
    label : object array of str, shape (n,)
        Class, "" where unlabelled.
    columns : dict of object arrays of str, shape (n,)
        Optional columns (`OPTIONAL_COLUMNS`) and any others the table had; "" where empty.
    warnings : tuple of str
        What was ignored or looks odd, for the report.
    task : str
        One of `graticule.tasks.TASKS`.
    """

    root: Path
    path: StrArray
    label: StrArray
    columns: dict[str, StrArray] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    task: str = CLASSIFICATION

    def __len__(self) -> int:
        return len(self.path)

    @property
    def sample_id(self) -> StrArray:
        """16 hexadecimal digits per sample, from the relative path; shape (n,)."""
        return object_array([sample_id_of(path) for path in self.path])

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names sorted by code point, the same on every system and in every locale."""
        return tuple(sorted({str(label) for label in self.label} - {""}))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Mask of samples with a label, shape (n,)."""
        return np.asarray(self.label != "", dtype=bool).reshape(len(self))

    @property
    def targets(self) -> FloatArray:
        """Numbers of the column target, NaN where it is empty or missing, shape (n,)."""
        cells = self.columns.get("target", object_array([""] * len(self)))
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)

    @property
    def with_target(self) -> NDArray[np.bool_]:
        """Mask of samples with a number in the column target, shape (n,)."""
        return np.isfinite(self.targets)

    @property
    def answers(self) -> StrArray:
        """What is to be learnt, as text: classes, or numbers; shape (n,)."""
        return self.columns["target"] if self.task == REGRESSION else self.label

    @property
    def group(self) -> StrArray | None:
        """Group names (patient, slide, lot), or None where none are in use."""
        return self.columns.get("group")

    @property
    def split(self) -> StrArray | None:
        """ "train", "val", "test" or "" per sample, or None."""
        return self.columns.get("split")

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Self:
        """Rows by index or mask, in the order given."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, path=self.path[rows], label=self.label[rows], columns=columns)

    def files(self) -> list[Path]:
        """Absolute paths of the images."""
        return [self.root / path for path in self.path]

    def to_table(self) -> pa.Table:
        """Arrow table of strings: sample_id, path (escaped), label, then the other columns."""
        data = {
            "sample_id": list(self.sample_id),
            "path": [escape_path(path) for path in self.path],
            "label": list(self.label),
            **{name: list(values) for name, values in self.columns.items()},
        }
        about = {
            "schema_version": SCHEMA_VERSION,
            "task": self.task,
            "root": escape_path(str(self.root)),
            "warnings": self.warnings,
        }
        table = pa.table({name: pa.array(values, pa.string()) for name, values in data.items()})
        return table.replace_schema_metadata({METADATA_KEY: json.dumps(about).encode()})

    def write(self, file: Path) -> None:
        """Write as Parquet; root and warnings travel in the schema's metadata."""
        with writing(file) as sink:
            pq.write_table(self.to_table(), sink)

    @classmethod
    def read(cls, file: Path, task: str = CLASSIFICATION) -> Self:
        """Read what `write` wrote, of one task.

        Raises
        ------
        ManifestError
            When the file is missing, is not Parquet or was not written by `write`.
        TaskError
        """
        try:
            with open_regular(file) as source:
                table = pq.ParquetFile(source).read()
        except (OSError, pa.ArrowException) as error:
            raise ManifestError(f"cannot read the manifest {file}: {error}") from error
        about = manifest_metadata(table, file, (task,))
        if about is None or not {"path", "label"} <= set(table.column_names):
            raise ManifestError(f"{file} was not written by graticule: as DATA it can be read, as a run's manifest not")
        names = table.column_names
        columns = {name: object_array(table[name].to_pylist()) for name in names if names.count(name) == 1}
        root, warnings = about.get("root"), about.get("warnings")
        texts = all(isinstance(value, str) for values in columns.values() for value in values)
        told = isinstance(warnings, list) and all(isinstance(value, str) for value in warnings)
        if len(columns) < len(names) or not texts or not told or not isinstance(root, str):
            raise ManifestError(f"the manifest {file} is damaged: a column or note in it is none that graticule writes")
        columns.pop("sample_id", None)
        path = object_array([unescape_path(text) for text in columns.pop("path")])
        return cls(Path(unescape_path(root)), path, columns.pop("label"), columns, tuple(warnings or ()), about["task"])


def manifest_metadata(table: pa.Table, file: Path, takes: Sequence[str]) -> dict[str, Any] | None:
    """What `Manifest.write` put beside the columns, with its task, one of some; None for a table from elsewhere.

    Raises
    ------
    ManifestError
        When it is damaged.
    TaskError
    """
    raw = (table.schema.metadata or {}).get(METADATA_KEY)
    if raw is None:
        return None
    try:
        about = parse_document(raw)
    except ValueError as error:
        raise ManifestError(f"what graticule wrote beside the columns of a manifest is damaged: {error}") from error
    return about | {"task": task_of(about, file, takes=takes)}
