"""Tables on the page of an audit: classes, shortcuts and cues, instruments, info bars, burnt-in marks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graticule.audit.advice import length
from graticule.report.charts import interval_bar
from graticule.report.quantities import DASH, figure_value, percent

Document = Mapping[str, Any]

_NATURES = {"acquisition": "how it was taken", "picture": "how it looks"}
_MEASURES = {
    "cramers_v": "Cramér's V",
    "eta_squared": "η²",
    "epsilon_squared": "ε²",
}


def class_rows(document: Document) -> list[tuple[str, int, float, int | None]]:
    """Rows (class, images, share of the largest class in percent, groups)."""
    found = {str(name): int(n) for name, n in (document.get("classes") or {}).items()}
    most = max(found.values(), default=1) or 1
    per_class = (document.get("groups") or {}).get("per_class") or {}
    return [(name, n, 100 * n / most, per_class.get(name)) for name, n in found.items()]


def _bars_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Strength with its interval, and the balanced accuracy of the cue alone with a tick at chance."""
    strength = {"value": row.get("strength"), "low": row.get("low"), "high": row.get("high")}
    accuracy, chance = figure_value(row, "accuracy"), figure_value(row, "chance")
    ends = figure_value(strength, "low"), figure_value(strength, "high")
    return {
        "strength": figure_value(strength),
        "interval": "" if None in ends else f"{ends[0]:.2f} to {ends[1]:.2f}",
        "strength_bar": interval_bar(strength),
        "accuracy": accuracy,
        "chance": chance,
        "accuracy_bar": interval_bar({"value": accuracy, "baseline": chance}),
        "measure": _MEASURES.get(str(row.get("measure")), str(row.get("measure") or "")),
    }


def shortcut_rows(document: Document) -> list[dict[str, Any]]:
    """Rows of the table of shortcuts: acquisition before picture, strongest first."""
    words = {row["cue"]: row.get("words") for row in document.get("associations") or []}
    rows = sorted(
        document.get("shortcuts") or [],
        key=lambda row: (row.get("nature") == "picture", -(figure_value(row, "strength") or 0.0)),
    )
    return [
        {
            "cue": words.get(row["cue"]) or row["cue"],
            "class": row.get("class") or "",
            "nature": _NATURES.get(str(row.get("nature")), str(row.get("nature") or "")),
            "advice": row.get("advice") or "",
            "p": _p_value(figure_value(row, "p_value")),
            **_bars_of(row),
        }
        for row in rows
    ]


def _p_value(p: float | None) -> str:
    return "" if p is None else ("p < 0.001" if p < 0.001 else f"p = {p:.3f}")


def association_rows(document: Document) -> list[dict[str, Any]]:
    """Every cue measured, the strongest first."""
    rows = sorted(document.get("associations") or [], key=lambda row: -(figure_value(row, "strength") or 0.0))
    return [
        {
            "words": row.get("words") or row["cue"],
            "class": row.get("class") or "",
            "flagged": bool(row.get("flagged")),
            **_bars_of(row),
        }
        for row in rows
    ]


def instrument_rows(document: Document) -> dict[str, Any]:
    """Pixel sizes and instruments of each class, and what is odd about them."""
    found = document.get("instrument") or {}
    classes = document.get("classes") or {}
    rows = [
        {
            "class": name,
            "known": int(row.get("n") or 0),
            "share": percent(int(row.get("n") or 0) / classes[name], 0) if classes.get(name) else "",
            "min": _length(row.get("min")),
            "median": _length(row.get("median")),
            "max": _length(row.get("max")),
            "instruments": list((row.get("instruments") or {}).items()),
        }
        for name, row in (found.get("per_class") or {}).items()
    ]
    known = int(found.get("known") or 0)
    return {"known": known, "rows": rows if known else [], "warnings": list(found.get("warnings") or [])}


def _length(value: Any) -> str:
    """A pixel size with its unit."""
    size = figure_value(value)
    return DASH if size is None else length(size)


def info_bar_rows(document: Document) -> dict[str, Any]:
    """Info bars per class."""
    found = document.get("info_bars") or {}
    classes = document.get("classes") or {}
    rows = [
        (name, int(n), 100 * int(n) / classes[name] if classes.get(name) else 0.0)
        for name, n in (found.get("per_class") or {}).items()
    ]
    return {"n": int(found.get("n") or 0), "rows": rows, "height": found.get("rows")}


def mark_rows(document: Document) -> dict[str, Any]:
    """Marks burnt into the ultrasound frames of each class: how many bear them, and the area they cover, percent."""
    found = document.get("marks") or {}
    rows = [
        (
            name,
            int(row["n"]),
            int(row["frames"]),
            100 * int(row["n"]) / int(row["frames"]),
            100 * float(row["area_outside"]),
            100 * float(row["area_inside"]),
        )
        for name, row in (found.get("per_class") or {}).items()
    ]
    return {"n": int(found.get("n") or 0), "rows": rows, "masked": bool(found.get("masked"))}
