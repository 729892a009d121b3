"""Checks on the cells of a data set: class names, and the columns with a fixed meaning."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence

from graticule.data.tables import Faults, Table
from graticule.errors import OptionError

ORIGINS = ("", "real", "synthetic")
SPLITS = ("", "train", "val", "test")
_GROUP_LIKE = (
    *("patient", "patient_id", "subject", "subject_id", "case", "case_id", "donor", "animal", "mouse"),
    *("specimen", "slide", "smear", "lot", "batch", "micrograph", "plate", "well", "run"),
)


def check_labels(labels: Sequence[str], rows: Sequence[int | None], faults: Faults) -> None:
    """Note class names that cannot be used: one fault per name, with its count and first row.

    Parameters
    ----------
    labels : sequence of n str
        "" is unlabelled and fine.
    rows : sequence of n int or None
        Where each label stands, None for a folder's name.
    faults : Faults
        Added to.
    """
    first: dict[str, int | None] = {}
    counts: dict[str, int] = {}
    for label, row in zip(labels, rows, strict=True):
        first.setdefault(label, row)
        counts[label] = counts.get(label, 0) + 1
    names = sorted(set(first) - {""})

    def told(name: str) -> str:
        where = "" if first[name] is None else f", first in row {first[name]}"
        return f"{name!r} ({counts[name]} sample{'s' * (counts[name] != 1)}{where})"

    for name in names:
        if not name.strip():
            faults.add("label of white space only", told(name))
        elif name != name.strip():
            faults.add("label with white space before or after it", told(name))
        if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
            faults.add("class name with a control character or bytes that are not UTF-8", told(name))
        if "/" in name:
            faults.add("class name with '/'", told(name))
    for twins in _twins(names):
        detail = " and ".join(told(name) if name.isascii() else f"{told(name)}, in ASCII {name!a}" for name in twins)
        faults.add("classes that differ only by upper and lower case or by Unicode normal form", detail)


def _twins(names: Sequence[str]) -> list[list[str]]:
    """Sets of names that some file system, reader or person would take for one."""
    by_key: dict[str, list[str]] = {}
    for name in names:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        by_key.setdefault(key, []).append(name)
    return [twins for twins in by_key.values() if len(twins) > 1]


def check_values(columns: Mapping[str, Sequence[str]], table: Table, faults: Faults) -> None:
    """Note values that the columns group, origin, split, sampling_prob, target and pixel_size_nm do not allow."""
    for row, cell, label in zip(table.rows, columns.get("group", ()), table.columns["label"], strict=False):
        if label and not cell:
            faults.add(
                "no group (give an image that stands alone a name of its own, or use --group none)", f"row {row}"
            )
    for row, cell in zip(table.rows, columns.get("origin", ()), strict=False):
        if cell not in ORIGINS:
            faults.add("origin is neither real nor synthetic", f"row {row}: {cell!r}")
    for row, cell in zip(table.rows, columns.get("split", ()), strict=False):
        if cell not in SPLITS:
            faults.add("split is none of train, val, test", f"row {row}: {cell!r}")
    for row, cell in zip(table.rows, columns.get("sampling_prob", ()), strict=False):
        if cell and not 0 < _number(cell) <= 1:
            faults.add("sampling_prob is no share above 0 and up to 1", f"row {row}: {cell!r}")
    for row, cell in zip(table.rows, columns.get("target", ()), strict=False):
        if cell and not math.isfinite(_number(cell)):
            faults.add("target is no finite number", f"row {row}: {cell!r}")
    for row, cell in zip(table.rows, columns.get("pixel_size_nm", ()), strict=False):
        if cell and not 0 < _number(cell) < math.inf:
            faults.add("pixel_size_nm is no positive number", f"row {row}: {cell!r}")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def choose_group(columns: Mapping[str, list[str]], group: str | None) -> dict[str, list[str]]:
    """Columns with the chosen one as `group`, or without `group`; see `read_manifest`.

    Raises
    ------
    OptionError
        When `group` names no column.
    """
    chosen = dict(columns)
    if group in ("none", None) or (group == "auto" and not any(chosen.get("group", ()))):
        chosen.pop("group", None)
    elif group != "auto":
        if group not in chosen:
            known = ", ".join(map(repr, chosen)) or "none (class folders have no columns: use a table)"
            raise OptionError(f"--group {group}: there is no such column; the columns are {known}")
        chosen["group"] = chosen[group]
    return chosen


def group_hint(columns: Mapping[str, list[str]]) -> tuple[str, ...]:
    """A warning where no group is in use but a column looks like one."""
    likely = [own for own in columns if own.lower() in _GROUP_LIKE and _repeats(columns[own])]
    if "group" in columns or not likely:
        return ()
    return (
        f"there is no column group, but {', '.join(map(repr, likely))}: if images of one {likely[0]} resemble each "
        f"other, the figures are too good without --group {likely[0]}",
    )


def _repeats(cells: list[str]) -> bool:
    values = [cell for cell in cells if cell]
    return 1 < len(set(values)) < len(values)
