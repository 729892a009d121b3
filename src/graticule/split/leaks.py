"""Leaks of a split that the user brings: what stands in two of its parts and so lets a model know its exam."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import IntArray, StrArray
from graticule.errors import FoldError
from graticule.manifest import escape_path

KINDS = ("group", "duplicate", "near-duplicate")
_SHOWN = 10
_EXAMPLES = 6


@dataclass(frozen=True)
class Leak:
    """One group or set of duplicates in two parts.

    Attributes
    ----------
    kind : "group", "duplicate" or "near-duplicate"
    parts : tuple of str
        Such as ("train", "test").
    what : str
        The group's name, or the first path of the set.
    rows : int array
        Rows of the manifest, all parts.
    """

    kind: str
    parts: tuple[str, ...]
    what: str
    rows: IntArray

    def describe(self, path: StrArray) -> dict[str, object]:
        """For audit.json and run.json; `path` of shape (n,), not escaped."""
        return {
            "kind": self.kind,
            "parts": list(self.parts),
            "what": self.what,
            "n": len(self.rows),
            "examples": [escape_path(path[row]) for row in self.rows[:_EXAMPLES]],
        }


def find_leaks(split: StrArray, path: StrArray, units: Mapping[str, IntArray]) -> list[Leak]:
    """What stands in more than one part.

    Parameters
    ----------
    split : object array of str, shape (n,)
        "train", "val", "test" or "" (which is "train").
    path : object array of str, shape (n,)
    units : mapping of a kind to an int array of shape (n,)
        Rows with the same number belong together; a negative number stands alone.

    Returns
    -------
    list of Leak
        Those that touch the test part first, then by kind and number of rows.
    """
    parts = np.where(split == "", "train", split).astype(object)
    leaks: list[Leak] = []
    seen: set[tuple[int, ...]] = set()
    for kind in KINDS:
        for rows in _shared(units.get(kind), parts):
            if tuple(rows) not in seen:
                seen.add(tuple(rows))
                present = tuple(part for part in ("train", "val", "test") if part in set(parts[rows]))
                leaks.append(Leak(kind, present, escape_path(path[rows[0]]), rows))
    return sorted(leaks, key=lambda leak: ("test" not in leak.parts, KINDS.index(leak.kind), -len(leak.rows)))


def _shared(unit: IntArray | None, parts: StrArray) -> list[IntArray]:
    """Rows of each unit that is in two parts or more."""
    if unit is None:
        return []
    order = np.argsort(unit, kind="stable")
    order = order[unit[order] >= 0]
    bounds = np.flatnonzero(np.diff(unit[order])) + 1
    return [np.sort(rows) for rows in np.split(order, bounds) if len(rows) > 1 and len(set(parts[rows])) > 1]


def group_units(group: StrArray | None, n: int) -> IntArray:
    """Numbers of groups, -1 where there is none; shape (n,)."""
    if group is None:
        return np.full(n, -1, np.int64)
    names, unit = np.unique(group.astype(str), return_inverse=True)
    return np.where(names[unit] == "", -1, unit).astype(np.int64)


def refuse_leaks(leaks: Sequence[Leak]) -> None:
    """Refuse a split whose test part is not independent.

    Raises
    ------
    FoldError
        With the list, when a leak touches the test part.
    """
    found = [leak for leak in leaks if "test" in leak.parts]
    if not found:
        return
    lines = [f"the split's test part is not independent: {len(found)} leaks"]
    lines += [
        f"  {leak.kind} of {leak.what!r}: {len(leak.rows)} images in {' and '.join(leak.parts)}"
        for leak in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        lines.append(f"  and {len(found) - _SHOWN} more; `graticule audit` lists all")
    lines.append(
        "Give each of them one side in the split column, leave the column out (the program then makes its own split), "
        "or measure in spite of them with --allow-leaks, which stamps the report. If near-duplicates only look alike, "
        "use --near-duplicates exact"
    )
    raise FoldError("\n".join(lines))


def without_leaks(leaks: Sequence[Leak], split: StrArray) -> NDArray[np.bool_]:
    """Test rows that no leak touches, shape (n,)."""
    clean = np.asarray(split == "test", dtype=bool).reshape(len(split))
    for leak in leaks:
        if "test" in leak.parts:
            clean[leak.rows] = False
    return clean
