"""The Values table: one row per image whose number was predicted, as `predictions.py` holds classes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule.arrays import FloatArray, StrArray, object_array
from graticule.errors import RunError
from graticule.files import open_regular, writing
from graticule.predictions import PARTS

_BASELINE = "baseline_"
_TEXT = ("sample_id", "path", "part")
_NUMBERS = ("target", "value", "low", "high", "level")
VALUE_COLUMNS = (*_TEXT, "fold", *_NUMBERS, "group")


@dataclass(frozen=True)
class Values:
    """Numbers of n images, each by a model that did not see the image.

    Attributes
    ----------
    sample_id, path : object arrays of str, shape (n,)
    part : object array of str, shape (n,)
        "cv" (out of fold), or "test" or "calibration" (set aside).
    fold : int array, shape (n,)
        The fold a "cv" row was held out in, -1 elsewhere.
    target, value : float arrays, shape (n,)
        The true number, and the one predicted; finite.
    low, high : float arrays, shape (n,)
        Limits that hold the true number with the chance `level`; NaN where none can be promised.
    level : float
    group : object array of str, shape (n,), or None
    baselines : dict of str to float array, shape (n,)
        What simpler methods say, learnt on the same folds.
    """

    sample_id: StrArray
    path: StrArray
    part: StrArray
    fold: NDArray[np.int64]
    target: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    level: float
    group: StrArray | None = None
    baselines: Mapping[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sample_id)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Self:
        """Rows by index or mask, in the order given."""
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in (*_TEXT, "fold", "target", "value", "low", "high")},
            group=None if self.group is None else self.group[rows],
            baselines={name: values[rows] for name, values in self.baselines.items()},
        )

    def of_part(self, part: str) -> Self:
        """Rows of one part, "cv", "test" or "calibration"; may be empty."""
        return self.take(self.part == part)

    def to_table(self) -> pa.Table:
        """Arrow table; limits that cannot be promised, and groups that are not in use, are null."""
        n = len(self)
        columns: dict[str, pa.Array] = {name: pa.array(getattr(self, name), pa.string()) for name in _TEXT}
        columns["fold"] = pa.array(self.fold, pa.int32())
        numbers = {name: getattr(self, name) for name in ("target", "value", "low", "high")}
        numbers["level"] = np.full(n, self.level)
        numbers |= {_BASELINE + name: values for name, values in self.baselines.items()}
        group = pa.array([None] * n if self.group is None else self.group, pa.string())
        for name, values in numbers.items():
            columns[name] = pa.array(values, pa.float64(), from_pandas=True)
            if name == "level":
                columns["group"] = group
        return pa.table(columns)

    def write(self, file: Path) -> None:
        """Write as Parquet."""
        with writing(file) as sink:
            pq.write_table(self.to_table(), sink)


def read_values(file: Path) -> Values:
    """Read a Values table.

    Raises
    ------
    RunError
        When the file is missing, is not Parquet, lacks a column or holds what `Values.write` would not have written.
    """
    try:
        with open_regular(file) as source:
            table = pq.ParquetFile(source).read()
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"cannot read the predicted numbers {file}: {error}") from error
    missing = [name for name in VALUE_COLUMNS if name not in table.column_names]
    if missing or len(set(table.column_names)) < len(table.column_names):
        raise RunError(
            f"{file} is no table of predicted numbers: "
            + (f"it lacks {', '.join(missing)}" if missing else "a column stands there twice")
        )
    try:
        return _from_table(table)
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise RunError(f"{file} is damaged: {error}") from error


def _from_table(table: pa.Table) -> Values:
    """The table as arrays; a ValueError where a value is none that `Values.write` would have written."""

    def numbers(name: str) -> FloatArray:
        return np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)

    def texts(name: str) -> StrArray:
        found = table[name].to_pylist()
        if not all(isinstance(value, str) for value in found):
            raise ValueError(f"the column {name} holds what is no text")
        return object_array(found)

    fold = table["fold"].to_numpy()
    if fold.dtype.kind not in "iu" or (len(fold) and fold.min() < -1):
        raise ValueError("the column fold holds what is no number of a fold")
    levels = np.unique(numbers("level"))
    if len(levels) > 1 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError("the column level holds what is no level, or several")
    found = Values(
        sample_id=texts("sample_id"),
        path=texts("path"),
        part=texts("part"),
        fold=np.asarray(fold, dtype=np.int64),
        target=numbers("target"),
        value=numbers("value"),
        low=numbers("low"),
        high=numbers("high"),
        level=float(levels[0]) if len(levels) else 0.9,
        group=None if table["group"].null_count == len(table) else texts("group"),
        baselines={
            name.removeprefix(_BASELINE): numbers(name) for name in table.column_names if name.startswith(_BASELINE)
        },
    )
    if not (np.isfinite(found.target).all() and np.isfinite(found.value).all()):
        raise ValueError("a target or a value is no finite number")
    if (found.low > found.high).any():
        raise ValueError("a lower limit lies above the upper one")
    if len(set(found.sample_id.tolist())) < len(found):
        raise ValueError("a sample stands there twice")
    if not set(found.part.tolist()) <= set(PARTS):
        raise ValueError(f"a part is none of {', '.join(PARTS)}")
    return found
