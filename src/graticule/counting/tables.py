"""What `graticule count` reads beside the predictions: the table of specimens and sizes, and the control sample."""

import math
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from graticule.answers import UNKNOWN, Scored, codes_of
from graticule.arrays import FloatArray, IntArray
from graticule.errors import ManifestError
from graticule.manifest import escape_path, unescape_path
from graticule.names import written_otherwise
from graticule.sources.labels import check_names, unknown_class
from graticule.sources.tables import Faults, Table, read_table


@dataclass(frozen=True)
class Details:
    """What the table says of each of the n rows of the predictions.

    Attributes
    ----------
    specimen : int array, shape (n,)
        Code in `names`, -1 where the table names none.
    names : tuple of str
        Specimens in the order of the table; empty without the column.
    diameter_um : float array, shape (n,), or None
        NaN where the table has none.
    volume_ml : float array, shape (S,), or None
        Of each specimen; of all images together, shape (1,), without specimens.
    label : int array, shape (n,), or None
        Class codes, -1 where not labelled.
    notes : tuple of str
    """

    specimen: IntArray
    names: tuple[str, ...]
    diameter_um: FloatArray | None = None
    volume_ml: FloatArray | None = None
    label: IntArray | None = None
    notes: tuple[str, ...] = ()


def read_details(file: Path | None, by: str | None, scored: Scored) -> Details:
    """Read the table of specimens, sizes and volumes; without one there are none.

    Raises
    ------
    ManifestError
        With every fault found: unknown columns and labels, numbers that are none, two volumes of one specimen.
    """
    nowhere = np.full(len(scored), UNKNOWN)
    if file is None:
        return Details(nowhere, ())
    table = _table_with(file, ("path",))
    by = by and (written_otherwise(by, table.columns) or by)
    if by is not None and by not in table.columns:
        raise ManifestError(f"--by {by}: {str(file)!r} has no such column; it has {', '.join(table.columns)}")
    faults = Faults(repr(str(file)))
    row_of, notes = _rows_of_predictions(file, table, scored, faults)
    column = by or "specimen"
    cells = table.columns.get(column)
    check_names(column, cells or (), table.rows if cells else (), faults)
    specimen, names = (nowhere, ()) if cells is None else _specimens(cells, row_of)
    without = int((specimen == UNKNOWN).sum()) if names else 0
    if without:
        notes.append(f"{without:,} of {len(scored):,} images have no {column} in the table: they count in all only")
    diameter = _numbers(table, "diameter_um", faults, zero=True)
    volume = _volumes(table, specimen, names, row_of, faults)
    label = _labels(table, scored.classes, faults)
    faults.raise_if_any()
    return Details(
        specimen,
        names,
        None if diameter is None else _spread(diameter, row_of, np.nan),
        volume,
        None if label is None else _spread(label, row_of, UNKNOWN),
        tuple(notes),
    )


def _table_with(file: Path, needed: tuple[str, ...]) -> Table:
    table = read_table(file)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise ManifestError(f"{str(file)!r} lacks {' and '.join(missing)}; its columns are {', '.join(table.columns)}")
    if not table.rows:
        raise ManifestError(f"{str(file)!r} has a header and no rows")
    return table


def _rows_of_predictions(file: Path, table: Table, scored: Scored, faults: Faults) -> tuple[IntArray, list[str]]:
    """Row of the table for each row of the predictions, -1 where there is none; and notes."""
    found = find_rows(table, file, scored)
    known = np.flatnonzero(found != UNKNOWN)
    if not len(known):
        raise ManifestError(
            f"no path of {str(file)!r} is among the predictions; it has {table.columns['path'][0]!r}, the predictions "
            f"{scored.path[0].as_py()!r}: paths must be as in the predictions, or relative to the images folder"
        )
    _note_repeats(found, table, faults)
    of_first = np.full(len(scored), UNKNOWN)
    of_first[found[known]] = known
    # a list given to predict may name an image twice: both rows are the same image
    first = pc.index_in(scored.path, value_set=scored.path).to_numpy()
    repeated = int((first != np.arange(len(scored))).sum())
    notes = [f"{repeated:,} images are in the predictions more than once; every row counts"] if repeated else []
    lost = len(found) - len(known)
    if lost:
        notes.append(f"{lost:,} of {len(found):,} rows of {file.name} name no image of the predictions")
    return np.asarray(of_first[first], dtype=np.int64), notes


def _note_repeats(found: IntArray, table: Table, faults: Faults) -> None:
    known = found[found != UNKNOWN]
    values, counts = np.unique(known, return_counts=True)
    for value in values[counts > 1][:100]:
        i, j = np.flatnonzero(found == value)[:2]
        faults.add("same image twice", f"rows {table.rows[i]} and {table.rows[j]}: {table.columns['path'][i]!r}")


def find_rows(table: Table, file: Path, scored: Scored) -> IntArray:
    """Row in the predictions of each path of a table, -1 where there is none.

    A path is taken as it stands; else escaped; else with Windows' separators; else as a file, absolute or relative to
    the table, inside the images folder.
    """
    texts = table.columns["path"]
    images = os.path.normpath(unescape_path(str(scored.summary.get("images", ""))))
    base = file.parent if table.root is None else Path(table.root)

    def inside(text: str) -> str:
        name = unescape_path(text) if table.root is not None else text
        full = os.path.normpath(os.path.join(os.path.abspath(base), name))  # noqa: PTH118, PTH100
        return escape_path(os.path.relpath(full, images).replace(os.sep, "/")) if images != "." else text

    readings: tuple[Callable[[str], str], ...] = (
        str,
        escape_path,
        lambda text: escape_path(posixpath.normpath(text.replace("\\", "/"))),
        inside,
    )
    found = np.full(len(texts), UNKNOWN)
    for reading in readings:
        open_rows = np.flatnonzero(found == UNKNOWN)
        if len(open_rows):
            names = pa.array([reading(texts[i]) for i in open_rows], pa.string())
            found[open_rows] = pc.fill_null(pc.index_in(names, value_set=scored.path), UNKNOWN).to_numpy()
    return found.astype(np.int64)


def _specimens(cells: list[str], row_of: IntArray) -> tuple[IntArray, tuple[str, ...]]:
    """Specimen of each row of the predictions, and the names of those that have images there."""
    encoded = pa.array(cells, pa.string()).dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    code = np.asarray(encoded.indices.to_numpy(), dtype=np.int64)
    if "" in names:
        code[code == names.index("")] = UNKNOWN
    spread = _spread(code, row_of, UNKNOWN)
    present = np.unique(spread[spread != UNKNOWN])
    numbering = np.full(len(names) + 1, UNKNOWN)
    numbering[present] = np.arange(len(present))
    return numbering[spread].astype(np.int64), tuple(names[k] for k in present)


def _spread(values: NDArray[Any], row_of: IntArray, missing: float) -> NDArray[Any]:
    return np.where(row_of == UNKNOWN, missing, values[row_of])


def _numbers(table: Table, name: str, faults: Faults, *, zero: bool) -> FloatArray | None:
    """Numbers of a column, NaN where empty; negative, infinite and unreadable ones are faults."""
    cells = table.columns.get(name)
    if cells is None:
        return None
    texts = pc.utf8_trim_whitespace(pa.array(cells, pa.string()))
    asked = np.asarray(pc.not_equal(texts, "").to_numpy(zero_copy_only=False), dtype=bool)
    values = _parsed(pc.if_else(asked, texts, "nan"))
    allowed = np.isfinite(values) & ((values >= 0) if zero else (values > 0))
    bad = np.flatnonzero(asked & ~allowed)
    wanted = "no number from 0" if zero else "no number above 0"
    faults.extend(f"{name} is {wanted}", (f"row {table.rows[i]}: {cells[i]!r}" for i in bad))
    return values


def _parsed(texts: pa.Array) -> FloatArray:
    """Numbers, NaN for what is none; one by one only where some are none."""
    try:
        return np.asarray(texts.cast(pa.float64()).to_numpy(), dtype=np.float64)
    except pa.ArrowInvalid:
        return np.array([_number(text) for text in texts.to_pylist()])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _volumes(
    table: Table, specimen: IntArray, names: tuple[str, ...], row_of: IntArray, faults: Faults
) -> FloatArray | None:
    """The one volume of each specimen, NaN where none is given."""
    values = _numbers(table, "volume_ml", faults, zero=False)
    if values is None:
        return None
    code = specimen if names else np.zeros(len(specimen), dtype=np.int64)
    spread = _spread(values, row_of, np.nan)
    rows = np.flatnonzero((code != UNKNOWN) & np.isfinite(spread))
    low, high = np.full(max(len(names), 1), np.inf), np.full(max(len(names), 1), -np.inf)
    np.minimum.at(low, code[rows], spread[rows])
    np.maximum.at(high, code[rows], spread[rows])
    for k in np.flatnonzero(low < high):
        faults.add("two volumes", f"{names[k] if names else 'all images'}: {low[k]:g} and {high[k]:g} mL")
    return np.where(np.isfinite(low), low, np.nan)


def _labels(table: Table, classes: tuple[str, ...], faults: Faults) -> IntArray | None:
    cells = table.columns.get("label")
    if cells is None or not any(cells):
        return None
    return label_codes(cells, table, classes, faults)


def label_codes(cells: list[str], table: Table, classes: tuple[str, ...], faults: Faults) -> IntArray:
    """Codes of labels, -1 for empty ones; labels that the model does not know are faults."""
    code = codes_of(pa.chunked_array([pa.array(cells, pa.string())]), classes)
    unknown = [i for i in np.flatnonzero(code == UNKNOWN) if cells[i]]
    known = f"the model's classes are {', '.join(map(repr, classes))}"
    details = (f"row {table.rows[i]}: {unknown_class(cells[i], classes)}" for i in unknown)
    faults.extend(f"label unknown to the model ({known})", details)
    return code


@dataclass(frozen=True)
class ControlSample:
    """m control images: their rows in the predictions, labels by a person, and sampling probabilities or None."""

    row: IntArray
    label: IntArray
    probability: FloatArray | None


def read_control(file: Path, scored: Scored) -> ControlSample:
    """Read a control sample: a table with the columns path and label, and perhaps sampling_prob.

    Raises
    ------
    ManifestError
        With every fault found: images that are not among the predictions or unreadable, unknown or missing labels.
    """
    table = _table_with(file, ("path", "label"))
    faults = Faults(repr(str(file)))
    found = find_rows(table, file, scored)
    paths, labels = table.columns["path"], table.columns["label"]
    faults.extend(
        "control image not among the predictions",
        (f"row {table.rows[i]}: {paths[i]!r}" for i in np.flatnonzero(found == UNKNOWN)),
    )
    _note_repeats(found, table, faults)
    unreadable = np.flatnonzero((found != UNKNOWN) & (scored.called[found] == UNKNOWN))
    faults.extend("image that the model could not read", (f"row {table.rows[i]}: {paths[i]!r}" for i in unreadable))
    faults.extend("no label", (f"row {table.rows[i]}: {paths[i]!r}" for i, text in enumerate(labels) if not text))
    code = label_codes(labels, table, scored.classes, faults)
    probability = _numbers(table, "sampling_prob", faults, zero=False)
    if probability is not None:
        off = np.flatnonzero(~(probability <= 1.0))
        faults.extend("sampling_prob is not above 0 and up to 1", (f"row {table.rows[i]}" for i in off))
    faults.raise_if_any()
    return ControlSample(found, code, probability)
