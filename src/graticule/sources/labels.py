"""Checks on the cells of a data set: class names, and the columns with a fixed meaning."""

import math
import unicodedata
from collections.abc import Mapping, Sequence

from graticule.errors import OptionError
from graticule.gates import GATES
from graticule.names import alike, name_key, told_apart, twins, written_otherwise
from graticule.sources.tables import Faults, Table

ORIGINS = ("", "real", "synthetic")
SPLITS = ("", "train", "val", "test")
# columns whose names divide the samples or are counted
DIVIDING = ("group", "specimen", "site", "instrument", "operator", "day")
TWINS = "differ only by upper and lower case, by Unicode normal form, by blanks or invisible characters, or by .0"
_ALIKE_SHOWN = 3
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

    def how_many(name: str) -> str:
        where = "" if first[name] is None else f", first in row {first[name]}"
        return f"({counts[name]} sample{'s' * (counts[name] != 1)}{where})"

    for name in names:
        if not name_key(name):
            kind = "invisible characters" if name.strip() else "white space"
            faults.add(f"label of {kind} only", f"{name!a} {how_many(name)}")
        elif name != name.strip():
            faults.add("label with white space before or after it", f"{name!r} {how_many(name)}")
        if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
            faults.add("class name with a control character or bytes that are not UTF-8", f"{name!r} {how_many(name)}")
        if "/" in name:
            faults.add("class name with '/'", f"{name!r} {how_many(name)}")
    for group in twins(names):
        faults.add(f"classes that {TWINS}", " and ".join(f"{name!a} {how_many(name)}" for name in group))


def unknown_class(label: str, classes: Sequence[str]) -> str:
    """A label that is no class of a model, for a message; with the class that it is a twin of, where there is one."""
    other = written_otherwise(label, classes)
    return repr(label) if other is None else f"{label!a} (the model has {other!a}, typed otherwise: write them alike)"


def check_names(column: str, cells: Sequence[str], rows: Sequence[int], faults: Faults) -> None:
    """Note names of a column that are twins (`graticule.names.twins`), or show nothing: one fault per set of names.

    Parameters
    ----------
    column : str
        For the message.
    cells : sequence of n str
        "" is no name, and fine.
    rows : sequence of n int
        Where each cell stands.
    faults : Faults
        Added to.
    """
    first: dict[str, int] = {}
    for cell, row in zip(cells, rows, strict=True):
        first.setdefault(cell, row)
    for name in first:
        if name and not name_key(name):
            faults.add(f"{column} of white space or invisible characters only", f"{name!a}, first in row {first[name]}")
    for group in twins(name for name in first if name_key(name)):
        where = ", ".join(f"row {first[name]}" for name in group)
        faults.add(f"names in column {column} that {TWINS}", f"{told_apart(group)}: first in {where}")


def alike_warnings(labels: Sequence[str], columns: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each column with names that may be one (`graticule.names.alike`) and were taken for different ones."""
    found = []
    for column in ("label", *(name for name in DIVIDING if name in columns)):
        sets = alike(labels if column == "label" else columns[column])
        if sets:
            shown = "; ".join(map(told_apart, sets[:_ALIKE_SHOWN])) + "; ..." * (len(sets) > _ALIKE_SHOWN)
            found.append(f"column {column} has names that look alike and were taken for different ones: {shown}")
    return found


def check_values(columns: Mapping[str, Sequence[str]], table: Table, answers: Sequence[str], faults: Faults) -> None:
    """Note values that the columns with a fixed meaning do not allow, and twins among names that divide or count.

    `answers` is the column that is to be learnt: a row without its answer needs no group, nor does a synthetic image.
    """
    origin = columns.get("origin", [""] * len(table.rows))
    for row, cell, answer, made in zip(table.rows, columns.get("group", ()), answers, origin, strict=False):
        if answer and not cell and made != "synthetic":
            faults.add(
                "no group (give an image that stands alone a name of its own, or use --group none)", f"row {row}"
            )
    for name in DIVIDING:
        # in a manifest of a run the instruments may come from the files, as their makers write them
        if name in columns and not (name == "instrument" and table.root is not None):
            check_names(name, columns[name], table.rows, faults)
    for row, cell in zip(table.rows, columns.get("origin", ()), strict=False):
        if cell not in ORIGINS:
            faults.add("origin is neither real nor synthetic", f"row {row}: {cell!r}")
    for row, cell in zip(table.rows, columns.get("gate", ()), strict=False):
        if cell not in ("", *GATES):
            faults.add(f"gate is none of {', '.join(GATES)}", f"row {row}: {cell!r}")
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
        group = written_otherwise(group, chosen) or group
        if group not in chosen:
            known = ", ".join(map(repr, chosen)) or "none (class folders have no columns: use a table)"
            raise OptionError(f"--group {group}: there is no such column; the columns are {known}")
        chosen["group"] = chosen[group]
    return chosen


def group_hint(columns: Mapping[str, list[str]]) -> tuple[str, ...]:
    """A warning where no group is in use but a column looks like one."""
    likely = [own for own in columns if name_key(own) in _GROUP_LIKE and _repeats(columns[own])]
    if "group" in columns or not likely:
        return ()
    return (
        f"there is no column group, but {', '.join(map(repr, likely))}: if images of one {likely[0]} resemble each "
        f"other, the figures are too good without --group {likely[0]}",
    )


def _repeats(cells: list[str]) -> bool:
    values = [cell for cell in cells if cell]
    return 1 < len(set(values)) < len(values)
