"""What stands on the page of an audit, section by section, as plain values for the template."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from markupsafe import Markup, escape

from graticule.audit.document import Advice, AuditDocument, AuditedImages, FamilyCounts, LeakRow
from graticule.audit.rules import HARMS, NOTHING, RULES, recommend
from graticule.plain_text import plural
from graticule.report.audit import tables
from graticule.report.audit.pictures import FAMILIES, AuditPictures, examples_each
from graticule.split.duplicates.words import kinds_of

LISTED = 200
_CODE = re.compile(r"`([^`]+)`")
_LEAKS = {
    "group": "group",
    "duplicate": "identical pictures",
    "near-duplicate": "nearly identical pictures",
    "tuning": "test part used for choosing",
}
_SECTIONS = {rule.key: rule.section for rule in RULES}
_HEADINGS = {
    "classes": "Classes",
    "conflicts": "One picture, two labels",
    "leaks": "Leaks between parts",
    "shortcuts": "Shortcuts",
    "unreadable": "Unreadable files",
    "duplicates": "Repeated pictures",
    "files": "Files",
    "instrument": "Instrument",
}


def marked(text: str) -> Markup:
    """Escape a text and set what stands between backticks as code."""
    parts = _CODE.split(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def breakable(path: str) -> Markup:
    """Escape a path and let a line end after each slash."""
    return Markup("/<wbr>").join(escape(part) for part in path.split("/"))


def audit_content(document: AuditDocument, pictures: AuditPictures) -> dict[str, Any]:
    """All values the template needs.

    Returns
    -------
    dict
        One entry per section; None or empty where the audit found nothing for it.
    """
    advice = document.recommendations or recommend(document)
    content = {
        "subject": audit_subject(document),
        "about": document,
        "clean": [item.rule for item in advice] == [NOTHING],
        "verdict": audit_verdict(advice),
        "tiles": audit_tiles(document),
        "classes": tables.class_rows(document),
        "groups": document.groups,
        "examples": pictures.examples(document.examples),
        "each": examples_each(len(document.examples)),
        **copies_content(document, pictures),
        "shortcuts": tables.shortcut_rows(document),
        "associations": tables.association_rows(document),
        "leaks": leaks_in_words(document),
        "unreadable": document.unreadable,
        "sizes": document.sizes,
        "formats": document.formats,
        "intensity": document.intensity,
        "instrument": tables.instrument_rows(document),
        "bars": tables.info_bar_rows(document),
        "marks": tables.mark_rows(document),
        "file_notes": document.notes,
        "warnings": document.warnings,
        "listed": LISTED,
        "also_checked": _also_checked(document),
    }
    return content | {"advice": _linked(advice, content)}


def leaks_in_words(document: AuditedImages) -> list[LeakRow]:
    """The leaks of a document, their kinds in words."""
    return [leak.model_copy(update={"kind": _LEAKS.get(leak.kind, leak.kind)}) for leak in document.leaks]


def audit_subject(document: AuditedImages) -> str:
    """Name of the data: the last part of the path they were read from."""
    path = PurePath(document.source or document.root or "images")
    name = path.stem if path.suffix.lower() in (".csv", ".parquet") else path.name
    return (path.parent.name or name if name == "manifest" else name) or "images"


def audit_verdict(advice: Collection[Advice]) -> str:
    """The answer in one or two sentences: may one train on these data?"""
    harms = [item.harm for item in advice if item.rule != NOTHING]
    high, medium, low = (harms.count(harm) for harm in HARMS)
    if high:
        later = f" {plural(medium + low, 'lesser point')} {'follows' if medium + low == 1 else 'follow'}."
        return (
            f"Mend {plural(high, 'finding')} before training: with {'it' if high == 1 else 'them'} a result would be "
            f"wrong, or true of these pictures only.{later if medium + low else ''}"
        )
    if medium:
        return (
            f"Training is possible, but {plural(medium, 'finding')} would make results look better, or surer, than "
            "they are."
        )
    if low:
        return f"Nothing found that would make a result wrong. {plural(low, 'point')} to know when reading results."
    return "Nothing found that would make a result wrong."


def copies_content(document: AuditedImages, pictures: AuditPictures) -> dict[str, Any]:
    """The sections on families of copies: those under two labels, and the others; both largest first."""
    different = [family for family in document.families if family.differs]
    others = [family for family in document.families if not family.differs]
    # in a chain those that show the conflict, not just any of two labels
    beside = {path for row in document.conflicts for path in (row.a, row.b)}
    every, two = document.components, document.components.two_labels
    return {
        "conflicts": {
            "counts": two,
            "families": pictures.strips(different, beside),
            "more": different[FAMILIES:LISTED],
        },
        "duplicates": {
            "counts": every,
            "elsewhere": two.n,
            "kinds": kinds_of(every.exact, every.near),
            "families": pictures.strips(others),
            "more": others[FAMILIES:LISTED],
        },
    }


def audit_tiles(document: AuditDocument) -> list[tuple[str, str, str, bool]]:
    """Headline counts as (name, value, words below, calls for action)."""
    copies, two = document.components, document.components.two_labels
    cues = {row.cue for row in document.shortcuts}
    leaks, unreadable = len(document.leaks), len(document.unreadable)
    left_out = [
        f"{n:,} {words}"
        for n, words in ((document.n_unlabelled, "without label"), (document.n_synthetic, "synthetic"))
        if n
    ]
    below = ", ".join([plural(len(document.classes), "class", "classes"), *left_out])
    total = len(document.associations)
    return [
        ("Images", f"{document.n:,}", below, False),
        ("Two labels", f"{two.images:,}", families_below(two), two.n > 0),
        ("Leaks", f"{leaks:,}", "sets in two parts", leaks > 0),
        ("Shortcuts", f"{len(cues):,}", f"of {total:,} cues" if total else "cues", bool(cues)),
        ("Repeats", f"{copies.images:,}", families_below(copies), False),
        ("Unreadable", f"{unreadable:,}", "file" if unreadable == 1 else "files", unreadable > 0),
    ]


def families_below(counts: FamilyCounts) -> str:
    """What a number of images in families is of."""
    noun = "image" if counts.images == 1 else "images"
    return f"{noun} in {plural(counts.n, 'family', 'families')}" if counts.n else noun


def _also_checked(document: AuditDocument) -> list[tuple[str, str]]:
    """What was looked at and found in order, as (what, answer)."""
    found: list[tuple[str, str]] = []
    if not document.unreadable:
        found.append(("Files", f"All {document.n:,} images can be read."))
    if not document.components.two_labels.n:
        found.append(("Two labels", "No picture stands under two labels, neither identical nor nearly so."))
    if not document.components.n:
        found.append(("Repeats", "No two pictures are identical or nearly so."))
    if not document.shortcuts and document.associations:
        found.append(("Shortcuts", f"None of {len(document.associations):,} cues gives a class away."))
    if not document.leaks:
        found.append(("Leaks", "No group and no repeated picture lies in two parts of a split."))
    if not document.info_bars.n:
        found.append(("Info bars", "None was found."))
    marks = document.marks
    if marks.frames and not marks.n:
        found.append(("Burnt-in marks", f"None was found in {marks.frames:,} ultrasound frames."))
    if not document.instrument.known:
        found.append(("Pixel size", "No image states its pixel size, so scale could not be compared."))
    return found


def _linked(advice: Sequence[Advice], content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Recommendations with the section they rest on, where the page has it."""
    has = {
        "classes": True,
        "conflicts": content["conflicts"]["counts"].n,
        "leaks": content["leaks"],
        "shortcuts": content["shortcuts"],
        "unreadable": content["unreadable"],
        "duplicates": content["duplicates"]["counts"].n,
        "files": content["sizes"] or content["formats"] or content["file_notes"],
        "instrument": content["instrument"]["rows"] or content["bars"]["n"] or content["marks"]["n"],
    }
    sections = [_SECTIONS.get(item.rule, "") for item in advice]
    return [
        {**vars(item), "section": key if has.get(key) else "", "heading": _HEADINGS.get(key, "")}
        for item, key in zip(advice, sections, strict=True)
    ]
