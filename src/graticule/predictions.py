"""The Predictions table: one row per scored sample. Everything right of it is NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule.arrays import FloatArray, StrArray, class_codes
from graticule.errors import RunError
from graticule.files import open_regular, writing

PARTS = ("cv", "test", "calibration")
_SCORE = "p_"


def score_columns(classes: Sequence[str]) -> list[str]:
    """Names of the columns that hold the score of each class, p_<class>."""
    return [_SCORE + name for name in classes]


def scored_classes(columns: Sequence[str]) -> tuple[str, ...]:
    """The classes that columns p_<class> are of, in their order."""
    return tuple(name[len(_SCORE) :] for name in columns if name.startswith(_SCORE))


def scores_of(table: pa.Table, classes: Sequence[str]) -> FloatArray:
    """The scores in a table, shape (n, K); NaN for null."""
    columns = [table[name].to_numpy() for name in score_columns(classes)]
    return np.column_stack(columns).astype(np.float64).reshape(len(table), len(columns))


@dataclass(frozen=True)
class Predictions:
    """Scores of n samples over K classes, each by a model that did not see the sample.

    Attributes
    ----------
    sample_id, path, label : object arrays of str, shape (n,)
        `label` is the class the data give, one of `classes`.
    part : object array of str, shape (n,)
        "cv" (out-of-fold), or "test" or "calibration" (set aside).
    fold : int array, shape (n,)
        The fold a "cv" row was held out in, -1 elsewhere.
    classes : tuple of K str
        Column order of `proba`.
    proba : float array, shape (n, K)
        Class probabilities in [0, 1]; rows sum to 1.
    """

    sample_id: StrArray
    path: StrArray
    part: StrArray
    fold: NDArray[np.int64]
    label: StrArray
    classes: tuple[str, ...]
    proba: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.sample_id)

    @property
    def y(self) -> NDArray[np.int64]:
        """Class indices of the labels, shape (n,)."""
        return class_codes(self.label, self.classes)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Self:
        """Rows by index or mask, in the order given."""
        return replace(
            self,
            sample_id=self.sample_id[rows],
            path=self.path[rows],
            part=self.part[rows],
            fold=self.fold[rows],
            label=self.label[rows],
            proba=self.proba[rows],
        )

    def of_part(self, part: str) -> Self:
        """Rows of one part, "cv", "test" or "calibration"; may be empty."""
        return self.take(self.part == part)

    def to_table(self) -> pa.Table:
        """Arrow table with the columns of the contract."""
        columns: dict[str, pa.Array] = {
            "sample_id": pa.array(self.sample_id, pa.string()),
            "path": pa.array(self.path, pa.string()),
            "part": pa.array(self.part, pa.string()),
            "fold": pa.array(self.fold, pa.int32()),
            "label": pa.array(self.label, pa.string()),
        }
        for k, name in enumerate(score_columns(self.classes)):
            columns[name] = pa.array(self.proba[:, k], pa.float64())
        return pa.table(columns)

    def write(self, file: Path) -> None:
        """Write as Parquet."""
        with writing(file) as sink:
            pq.write_table(self.to_table(), sink)


def read_predictions(file: Path) -> Predictions:
    """Read a Predictions table.

    Raises
    ------
    RunError
        When the file is missing, is not Parquet or lacks a column.
    """
    try:
        with open_regular(file) as source:
            table = pq.ParquetFile(source).read()
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"cannot read the predictions {file}: {error}") from error
    missing = [c for c in ("sample_id", "path", "part", "fold", "label") if c not in table.column_names]
    classes = scored_classes(table.column_names)
    if missing or not classes:
        raise RunError(f"{file} is no predictions table: it lacks {', '.join(missing) or 'columns p_<class>'}")

    if len(set(table.column_names)) < len(table.column_names):
        raise RunError(f"{file} is no predictions table: a column stands there twice")
    try:
        return _from_table(table, classes)
    except (ValueError, TypeError) as error:
        raise RunError(f"{file} is damaged: {error}") from error


def _from_table(table: pa.Table, classes: tuple[str, ...]) -> Predictions:
    """The table as arrays; a ValueError where a value is none that `Predictions.write` would have written."""

    def strings(name: str) -> StrArray:
        values = table[name].to_pylist()
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"the column {name} holds what is no text")
        return np.array(values, dtype=object)

    fold = table["fold"].to_numpy()
    if fold.dtype.kind not in "iu" or (len(fold) and fold.min() < -1):
        raise ValueError("the column fold holds what is no number of a fold")
    found = Predictions(
        sample_id=strings("sample_id"),
        path=strings("path"),
        part=strings("part"),
        fold=np.asarray(fold, dtype=np.int64),
        label=strings("label"),
        classes=classes,
        proba=scores_of(table, classes),
    )
    strange = sorted(set(found.label.tolist()) - set(classes))
    if strange:
        raise ValueError(f"the label {strange[0][:100]!a} has no column p_<class>")
    if len(set(found.sample_id.tolist())) < len(found):
        raise ValueError("a sample stands there twice")
    if not (set(found.part.tolist()) <= set(PARTS)):
        raise ValueError(f"a part is none of {', '.join(PARTS)}")
    # NaN is left to those who use the scores: each says what it means there
    if (found.proba < 0).any() or (found.proba > 1.001).any():
        raise ValueError("a score is outside 0 to 1")
    return found
