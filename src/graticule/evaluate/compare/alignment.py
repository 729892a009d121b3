"""The same samples and classes in several tables of predictions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import IntArray, StrArray
from graticule.errors import RunError
from graticule.names import name_key
from graticule.predictions import Predictions

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def align_all(
    runs: Sequence[Predictions], group: NDArray[np.object_] | None = None
) -> tuple[list[IntArray], list[IntArray]]:
    """Rows that hold the samples of all runs, in the order of the first, and the columns in its order, per run.

    Parameters
    ----------
    runs : sequence of two or more Predictions
    group : object array of str, optional
        Group of each row of the first run; only its length is checked.

    Raises
    ------
    RunError
        When classes or labels differ from those of the first, a sample occurs twice, no sample is in all, or there
        is not one group name per row.
    """
    first = runs[0]
    for k, other in enumerate(runs[1:], start=1):
        _check_classes(first, other, ordinal(k))
    rows = shared_rows([run.sample_id for run in runs], group)
    for k, other in enumerate(runs[1:], start=1):
        differ = int((first.label[rows[0]] != other.label[rows[k]]).sum())
        if differ:
            raise RunError(
                f"cannot compare: {differ} of {len(rows[0])} shared samples carry another label in the {ordinal(k)} "
                "run; train or evaluate all on the same labels"
            )
    columns = [np.array([run.classes.index(name) for name in first.classes], dtype=np.int64) for run in runs]
    return rows, columns


def shared_rows(sample_ids: Sequence[StrArray], group: NDArray[np.object_] | None) -> list[IntArray]:
    """Rows that hold the samples of all runs, in the order of the first, per run.

    Raises
    ------
    RunError
        When a sample occurs twice, no sample is in all, or there is not one group name per row of the first.
    """
    where = [_positions(ids, ordinal(k)) for k, ids in enumerate(sample_ids)]
    shared = [sample for sample in where[0] if all(sample in other for other in where[1:])]
    if not shared:
        sizes = " and ".join(str(len(ids)) for ids in sample_ids)
        scope = "both" if len(sample_ids) == 2 else "all"
        raise RunError(f"cannot compare: of {sizes} samples none is in {scope}; train the runs on the same data")
    if group is not None and len(group) != len(sample_ids[0]):
        raise RunError(f"cannot compare by group: {len(group)} group names were given for {len(sample_ids[0])} samples")
    return [np.array([places[sample] for sample in shared], dtype=np.int64) for places in where]


def ordinal(k: int) -> str:
    """Name of the run at position k, from 0: "first", ..., "10th"."""
    return _ORDINALS[k] if k < len(_ORDINALS) else f"{k + 1}th"


def _shown(name: str) -> str:
    """A class in a message; in ASCII where two names could look alike in it."""
    return name if name.isascii() and name == name_key(name) else ascii(name)


def _check_classes(first: Predictions, other: Predictions, which: str) -> None:
    if set(first.classes) == set(other.classes):
        return
    only_first = ", ".join(map(_shown, sorted(set(first.classes) - set(other.classes)))) or "none"
    only_other = ", ".join(map(_shown, sorted(set(other.classes) - set(first.classes)))) or "none"
    raise RunError(
        f"cannot compare: the classes differ; only the first has {only_first}, only the {which} has {only_other}"
    )


def _positions(sample_id: StrArray, which: str) -> dict[str, int]:
    where = {str(sample): row for row, sample in enumerate(sample_id)}
    if len(where) < len(sample_id):
        raise RunError(
            f"cannot compare: {len(sample_id) - len(where)} samples occur more than once in the {which} run; "
            "give one part (cv or test) of each"
        )
    return where
