"""Tables on the page of an audit: classes, shortcuts and cues, instruments, info bars, burnt-in marks."""

from typing import Any

from graticule.audit.advice import length
from graticule.audit.document import AssociationRow, AuditDocument, ShortcutRow
from graticule.report.charts import interval_bar
from graticule.report.quantities import DASH, percent

NATURES = {"acquisition": "how it was taken", "picture": "how it looks"}
_MEASURES = {
    "cramers_v": "Cramér's V",
    "eta_squared": "η²",
    "epsilon_squared": "ε²",
}


def class_rows(document: AuditDocument) -> list[tuple[str, int, float, int | None]]:
    """Rows (class, images, share of the largest class in percent, groups)."""
    most = max(document.classes.values(), default=1) or 1
    per_class = document.groups.per_class if document.groups else {}
    return [(name, n, 100 * n / most, per_class.get(name)) for name, n in document.classes.items()]


def _bars_of(row: ShortcutRow | AssociationRow) -> dict[str, Any]:
    """Strength with its interval, and the balanced accuracy of the cue alone with a tick at chance."""
    return {
        "strength": row.strength,
        "interval": "" if row.low is None else f"{row.low:.2f} to {row.high:.2f}",
        "strength_bar": interval_bar({"value": row.strength, "low": row.low, "high": row.high}),
        "accuracy": row.accuracy,
        "chance": row.chance,
        "accuracy_bar": interval_bar({"value": row.accuracy, "baseline": row.chance}),
        "measure": _MEASURES.get(row.measure, row.measure),
    }


def shortcut_rows(document: AuditDocument) -> list[dict[str, Any]]:
    """Rows of the table of shortcuts: acquisition before picture, strongest first."""
    words = {row.cue: row.words for row in document.associations}
    rows = sorted(document.shortcuts, key=lambda row: (row.nature == "picture", -row.strength))
    return [
        {
            "cue": words.get(row.cue, row.cue),
            "class": row.class_,
            "nature": NATURES.get(row.nature, row.nature),
            "advice": row.advice,
            "p": "p < 0.001" if row.p_value < 0.001 else f"p = {row.p_value:.3f}",
            **_bars_of(row),
        }
        for row in rows
    ]


def association_rows(document: AuditDocument) -> list[dict[str, Any]]:
    """Every cue measured, the strongest first."""
    rows = sorted(document.associations, key=lambda row: -row.strength)
    return [
        {
            "words": row.words,
            "class": row.class_,
            "flagged": row.flagged,
            **_bars_of(row),
        }
        for row in rows
    ]


def instrument_rows(document: AuditDocument) -> dict[str, Any]:
    """Pixel sizes and instruments of each class, and what is odd about them."""
    found, classes = document.instrument, document.classes
    rows = [
        {
            "class": name,
            "known": row.n,
            "share": percent(row.n / classes[name], 0) if classes.get(name) else "",
            "min": _length(row.min),
            "median": _length(row.median),
            "max": _length(row.max),
            "instruments": list(row.instruments.items()),
        }
        for name, row in found.per_class.items()
    ]
    return {"known": found.known, "rows": rows if found.known else [], "warnings": found.warnings}


def _length(size: float | None) -> str:
    """A pixel size with its unit."""
    return DASH if size is None else length(size)


def info_bar_rows(document: AuditDocument) -> dict[str, Any]:
    """Info bars per class."""
    found, classes = document.info_bars, document.classes
    rows = [(name, n, 100 * n / classes[name] if classes.get(name) else 0.0) for name, n in found.per_class.items()]
    return {"n": found.n, "rows": rows, "height": found.rows}


def mark_rows(document: AuditDocument) -> dict[str, Any]:
    """Marks burnt into the ultrasound frames of each class: how many bear them, and the area they cover, percent."""
    found = document.marks
    rows = [
        (
            name,
            row.n,
            row.frames,
            100 * row.n / row.frames,
            100 * row.area_outside,
            100 * row.area_inside,
        )
        for name, row in found.per_class.items()
    ]
    return {"n": found.n, "rows": rows, "masked": found.masked}
