"""What the rules of an audit have in common: the form of an advice, and how counts and names are written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Advice = dict[str, str]

HARMS = ("high", "medium", "low")


def advice(rule: str, harm: str, title: str, why: str, do: str) -> Advice:
    """One recommendation.

    Parameters
    ----------
    rule : str
        A stable name of the rule.
    harm : "high", "medium" or "low"
        How wrong a result can be that is got without following it.
    title, why, do : str
        What was found, why it makes a result wrong, and what to do; commands and columns in backticks.
    """
    return {"rule": rule, "harm": harm, "title": title, "why": why, "do": do}


def rows_of(document: Document, key: str) -> Sequence[Mapping[str, Any]]:
    """Rows of a part of the document; none where the part is missing or null."""
    return document.get(key) or ()


def named(names: Collection[object] | Mapping[str, int], most: int = 5) -> str:
    """The first names in quotes, with their counts in a mapping, and how many more there are."""
    if isinstance(names, Mapping):
        quoted = [f"“{name}” ({n:,})" for name, n in names.items()]
    else:
        quoted = [f"“{name}”" for name in names]
    more = f" and {len(quoted) - most:,} more" if len(quoted) > most else ""
    return ", ".join(quoted[:most]) + more


def length(nanometres: float) -> str:
    """Write a length with three digits in nm, µm or mm: "210 nm", "1.2 µm"."""
    for unit, factor in (("nm", 1.0), ("µm", 1e3)):
        # above, three digits would be written as a power of ten
        if nanometres < 999.5 * factor:
            return f"{nanometres / factor:.3g} {unit}"
    return f"{nanometres / 1e6:.3g} mm"
