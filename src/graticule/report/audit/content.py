"""What stands on the page of an audit, section by section, as plain values for the template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from markupsafe import Markup, escape

from graticule.audit.rules import NOTHING, recommend
from graticule.plain_text import plural
from graticule.report.audit import tables
from graticule.report.audit.pictures import FAMILIES, AuditPictures, carries_two, examples_each
from graticule.split.duplicates.words import kinds_of

Document = Mapping[str, Any]

LISTED = 200
_CODE = re.compile(r"`([^`]+)`")
_LEAKS = {
    "group": "group",
    "duplicate": "identical pictures",
    "near-duplicate": "nearly identical pictures",
    "tuning": "test part used for choosing",
}
# section of the page that a recommendation rests on
_SECTIONS = {
    "classes": "classes",
    "conflicts": "conflicts",
    "leaks": "leaks",
    "shortcuts": "shortcuts",
    "unreadable": "unreadable",
    "groups": "classes",
    "components": "duplicates",
    "duplicates": "duplicates",
    "pixel_sizes": "instrument",
    "shapes": "files",
    "small_classes": "classes",
    "few_groups": "classes",
    "imbalance": "classes",
    "synthetic": "classes",
    "deep_images": "files",
    "pages": "files",
    "info_bars": "instrument",
    "burnt_in_marks": "instrument",
}


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


def audit_content(document: Document, pictures: AuditPictures) -> dict[str, Any]:
    """All values the template needs.

    Returns
    -------
    dict
        One entry per section; None or empty where the audit found nothing for it.
    """
    advice = list(document.get("recommendations") or recommend(document))
    content = {
        "subject": audit_subject(document),
        "about": {key: value for key, value in document.items() if value is not None},
        "clean": [item.get("rule") for item in advice] == [NOTHING],
        "verdict": audit_verdict(document, advice),
        "tiles": audit_tiles(document),
        "classes": tables.class_rows(document),
        "groups": _with({"column": "group", "n": None, "per_class": {}}, document.get("groups")),
        "examples": pictures.examples(document.get("examples") or {}),
        "each": examples_each(len(document.get("examples") or {})),
        **_copies(document, pictures),
        "shortcuts": tables.shortcut_rows(document),
        "associations": tables.association_rows(document),
        "leaks": [
            {**leak, "kind": _LEAKS.get(str(leak.get("kind")), str(leak.get("kind")))}
            for leak in document.get("leaks") or []
        ],
        "unreadable": list(document.get("unreadable") or []),
        "sizes": list(document.get("sizes") or []),
        "formats": list(document.get("formats") or []),
        "intensity": {"policy": "", "why": "", **(document.get("intensity") or {})},
        "instrument": tables.instrument_rows(document),
        "bars": tables.info_bar_rows(document),
        "marks": tables.mark_rows(document),
        "file_notes": list(document.get("notes") or []),
        "warnings": [str(text) for text in document.get("warnings") or []],
        "listed": LISTED,
        "also_checked": _also_checked(document),
    }
    return content | {"advice": _linked(advice, content)}


def _with(defaults: dict[str, Any], found: Mapping[str, Any] | None) -> dict[str, Any]:
    """A part of the document with what it may leave out; empty where the part is missing."""
    return {**defaults, **found} if found else {}


def audit_subject(document: Document) -> str:
    """Name of the data: the last part of the path they were read from."""
    path = PurePath(str(document.get("source") or document.get("root") or "images"))
    name = path.stem if path.suffix.lower() in (".csv", ".parquet") else path.name
    return (path.parent.name or name if name == "manifest" else name) or "images"


def audit_verdict(document: Document, advice: Sequence[Mapping[str, Any]]) -> str:
    """The answer in one or two sentences: may one train on these data?"""
    harms = [item["harm"] for item in advice if item.get("rule") != NOTHING]
    high, medium, low = (harms.count(harm) for harm in ("high", "medium", "low"))
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


def _counts(document: Document, *below: str) -> dict[str, Any]:
    """Counts of families: of all, or of those under two labels."""
    found: Any = document.get("components")
    for key in below:
        found = (found or {}).get(key)
    return {"n": 0, "images": 0, "exact": 0, "near": 0, "largest": None, "notes": [], **(found or {})}


def _copies(document: Document, pictures: AuditPictures) -> dict[str, Any]:
    """The sections on families of copies: those under two labels, and the others; both largest first."""
    families = list(document.get("families") or [])
    different = [family for family in families if carries_two(family)]
    others = [family for family in families if not carries_two(family)]
    # in a chain those that show the conflict, not just any of two labels
    beside = {str(row[end]) for row in document.get("conflicts") or [] for end in ("a", "b")}
    every, two = _counts(document), _counts(document, "two_labels")
    return {
        "conflicts": {
            "counts": two,
            "families": pictures.strips(different, beside),
            "more": different[FAMILIES:LISTED],
        },
        "duplicates": {
            "counts": every,
            "elsewhere": two["n"],
            "kinds": kinds_of(every),
            "families": pictures.strips(others),
            "more": others[FAMILIES:LISTED],
        },
    }


def audit_tiles(document: Document) -> list[tuple[str, str, str, bool]]:
    """Headline counts as (name, value, words below, calls for action)."""
    copies, two = _counts(document), _counts(document, "two_labels")
    shortcuts = document.get("shortcuts") or []
    cues = {row["cue"] for row in shortcuts}
    leaks, unreadable = (len(document.get(key) or []) for key in ("leaks", "unreadable"))
    n_classes = len(document.get("classes") or {})
    left_out = [
        plural(int(document.get(key) or 0), words, words)
        for key, words in (("n_unlabelled", "without label"), ("n_synthetic", "synthetic"))
        if document.get(key)
    ]
    below = ", ".join([plural(n_classes, "class", "classes"), *left_out])
    total = len(document.get("associations") or [])
    return [
        ("Images", f"{int(document.get('n') or 0):,}", below, False),
        ("Two labels", f"{two['images']:,}", _below(two), two["n"] > 0),
        ("Leaks", f"{leaks:,}", "sets in two parts", leaks > 0),
        ("Shortcuts", f"{len(cues):,}", f"of {total:,} cues" if total else "cues", bool(cues)),
        ("Repeats", f"{copies['images']:,}", _below(copies), False),
        ("Unreadable", f"{unreadable:,}", "file" if unreadable == 1 else "files", unreadable > 0),
    ]


def _below(counts: Mapping[str, Any]) -> str:
    """What a number of images in families is of."""
    noun = "image" if counts["images"] == 1 else "images"
    return f"{noun} in {plural(counts['n'], 'family', 'families')}" if counts["n"] else noun


def _also_checked(document: Document) -> list[tuple[str, str]]:
    """What was looked at and found in order, as (what, answer)."""
    n = int(document.get("n") or 0)
    found: list[tuple[str, str]] = []
    if not document.get("unreadable"):
        found.append(("Files", f"All {n:,} images can be read."))
    if not _counts(document, "two_labels")["n"]:
        found.append(("Two labels", "No picture stands under two labels, neither identical nor nearly so."))
    if not _counts(document)["n"]:
        found.append(("Repeats", "No two pictures are identical or nearly so."))
    if not document.get("shortcuts") and document.get("associations"):
        found.append(("Shortcuts", f"None of {len(document['associations']):,} cues gives a class away."))
    if not document.get("leaks"):
        found.append(("Leaks", "No group and no repeated picture lies in two parts of a split."))
    if not (document.get("info_bars") or {}).get("n"):
        found.append(("Info bars", "None was found."))
    marks = document.get("marks") or {}
    if marks.get("frames") and not marks.get("n"):
        found.append(("Burnt-in marks", f"None was found in {int(marks['frames']):,} ultrasound frames."))
    if not (document.get("instrument") or {}).get("known"):
        found.append(("Pixel size", "No image states its pixel size, so scale could not be compared."))
    return found


def _linked(advice: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Recommendations with the section they rest on, where the page has it."""
    has = {
        "classes": True,
        "conflicts": content["conflicts"]["counts"]["n"],
        "leaks": content["leaks"],
        "shortcuts": content["shortcuts"],
        "unreadable": content["unreadable"],
        "duplicates": content["duplicates"]["counts"]["n"],
        "files": content["sizes"] or content["formats"] or content["file_notes"],
        "instrument": content["instrument"]["rows"] or content["bars"]["n"] or content["marks"]["n"],
    }
    sections = [_SECTIONS.get(str(item.get("rule")), "") for item in advice]
    return [
        {**item, "section": key if has.get(key) else "", "heading": _HEADINGS.get(key, "")}
        for item, key in zip(advice, sections, strict=True)
    ]
