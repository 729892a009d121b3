"""What stands on the page of an audit of numbers, as plain values for the template."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from graticule.audit.advice import length
from graticule.audit.document import Advice
from graticule.audit.rules import NOTHING
from graticule.audit.value_document import ScaleFindings, TargetNumbers, ValueAuditDocument, ValueCueRow
from graticule.audit.value_rules import VALUE_RULES, recommend_for_values
from graticule.plain_text import plural
from graticule.report.audit.content import (
    LISTED,
    audit_subject,
    audit_verdict,
    copies_content,
    families_below,
    leaks_in_words,
)
from graticule.report.audit.pictures import AuditPictures
from graticule.report.audit.tables import NATURES
from graticule.report.axes import Panel, ticks_over
from graticule.report.charts import interval_bar
from graticule.report.svg import svg

_SECTIONS = {rule.key: rule.section for rule in VALUE_RULES}
_HEADINGS = {
    "numbers": "The numbers",
    "conflicts": "One picture, two numbers",
    "leaks": "Leaks between parts",
    "cues": "What else tells the number",
    "unreadable": "Unreadable files",
    "duplicates": "Repeated pictures",
    "files": "Files",
}


def value_audit_content(document: ValueAuditDocument, pictures: AuditPictures) -> dict[str, Any]:
    """All values the template needs; None or empty where the audit found nothing."""
    advice = document.recommendations or recommend_for_values(document)
    content = {
        "subject": audit_subject(document),
        "about": document,
        "target": document.target,
        "distribution": numbers_figure(document.target),
        "clean": [item.rule for item in advice] == [NOTHING],
        "verdict": audit_verdict(advice),
        "tiles": value_tiles(document),
        "groups": document.groups,
        "scale": document.scale,
        "scale_words": scale_words(document.scale),
        "examples": pictures.examples(document.examples),
        **copies_content(document, pictures),
        "cues": [cue_row(row) for row in document.cues],
        "told": sum(row.flagged for row in document.cues),
        "leaks": leaks_in_words(document),
        "unreadable": document.unreadable,
        "sizes": document.sizes,
        "formats": document.formats,
        "intensity": document.intensity,
        "file_notes": document.notes,
        "warnings": document.warnings,
        "listed": LISTED,
        "also_checked": _also_checked(document),
    }
    return content | {"advice": _linked(advice, document)}


def value_tiles(document: ValueAuditDocument) -> list[tuple[str, str, str, bool]]:
    """Headline counts as (name, value, words below, calls for action)."""
    copies, two, told = document.components, document.components.two_labels, sum(row.flagged for row in document.cues)
    left_out = f", {document.n_without_target:,} without a number" if document.n_without_target else ""
    return [
        ("Images", f"{document.n:,}", f"{plural(document.target.n_different, 'different number')}{left_out}", False),
        ("Two numbers", f"{two.images:,}", families_below(two), two.n > 0),
        ("Leaks", f"{len(document.leaks):,}", "sets in two parts", bool(document.leaks)),
        ("Telling cues", f"{told:,}", f"of {len(document.cues):,} cues", told > 0),
        ("Repeats", f"{copies.images:,}", families_below(copies), False),
        ("Unreadable", f"{len(document.unreadable):,}", "files", bool(document.unreadable)),
    ]


def numbers_figure(target: TargetNumbers) -> Markup | None:
    """How many images have which numbers; None where all are equal, or the document does not say."""
    if not target.counts:
        return None
    edges = np.linspace(target.low, target.high, len(target.counts) + 1).tolist()
    x, y = ticks_over([target.low, target.high]), ticks_over([0.0, float(max(target.counts))], 4)
    panel = Panel(46.0, 8.0, 420.0, 130.0, [min(x[0], target.low), *x[1:-1], max(x[-1], target.high)], y)
    body = panel.frame(target.column, "images")
    return svg(484, 186, f"Images by {target.column}", [*body, *panel.bars(target.counts, edges)])


def cue_row(row: ValueCueRow) -> dict[str, Any]:
    """A row of the table of cues."""
    shown = {"value": max(row.r2, 0.0), "low": None, "high": None}
    if row.low is not None and row.high is not None:
        shown |= {"low": max(row.low, 0.0), "high": max(row.high, 0.0)}
    return {
        "words": row.words,
        "nature": NATURES.get(row.nature, row.nature),
        "r2": _hundredths(row.r2),
        "bar": interval_bar(shown),
        "interval": "" if row.low is None or row.high is None else f"{_hundredths(row.low)} to {_hundredths(row.high)}",
        "p": "p < 0.01" if row.p_value < 0.01 else f"p = {row.p_value:.2f}",
        "flagged": row.flagged,
        "advice": row.advice,
    }


def _hundredths(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def scale_words(scale: ScaleFindings | None) -> str:
    """Pixel sizes, and how the number goes with them."""
    if scale is None:
        return ""
    if scale.low == scale.high:
        return f"{length(scale.low)} in every image"
    rises = (
        ""
        if scale.slope is None
        else f"; the number rises by the power {scale.slope:.1f} of it (a length: 1, an area: 2)"
    )
    return f"{length(scale.low)} to {length(scale.high)}{rises}"


def _also_checked(document: ValueAuditDocument) -> list[tuple[str, str]]:
    """What was looked at and found in order, as (what, answer)."""
    found: list[tuple[str, str]] = []
    if not document.unreadable:
        found.append(("Files", f"All {document.n:,} images can be read."))
    if not document.components.two_labels.n:
        found.append(("Two numbers", "No picture stands under two numbers that clearly differ."))
    if not document.components.n:
        found.append(("Repeats", "No two pictures are identical or nearly so."))
    if not document.leaks:
        found.append(("Leaks", "No group and no repeated picture lies in two parts of a split."))
    if not document.info_bars.n:
        found.append(("Info bars", "None was found."))
    if document.scale is None:
        found.append(("Pixel size", "Too few images state their pixel size, so scale could not be compared."))
    return found


def _linked(advice: Sequence[Advice], document: ValueAuditDocument) -> list[dict[str, Any]]:
    """Recommendations with the section they rest on, where the page has it."""
    has = {
        "numbers": True,
        "conflicts": document.components.two_labels.n,
        "leaks": document.leaks,
        "cues": document.cues,
        "unreadable": document.unreadable,
        "duplicates": document.components.n,
        "files": document.sizes or document.formats or document.notes,
    }
    sections = [_SECTIONS.get(item.rule, "") for item in advice]
    return [
        {**vars(item), "section": key if has.get(key) else "", "heading": _HEADINGS.get(key, "")}
        for item, key in zip(advice, sections, strict=True)
    ]
