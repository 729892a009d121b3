"""Rules of an audit on pictures: shortcuts, scale, shape, brightness, pages and info bars."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graticule.audit.advice import Advice, Document, advice, length, named, rows_of
from graticule.plain_text import plural

_PIXEL_RATIO = 1.5
_ASPECT_RATIO = 1.5
_BAR_GAP = 0.1
_COMPARE = (
    "If object and background both differ, take new pictures of all classes under the same settings, or test on "
    "pictures taken on another day."
)
_PAGES = re.compile(r"\b(page|plane|slice|channel|frame|series|stack)s?\b", re.IGNORECASE)


def _words_of_cues(document: Document) -> dict[str, str]:
    return {str(row["cue"]): str(row.get("words") or row["cue"]) for row in rows_of(document, "associations")}


def _by_cue(document: Document, nature: str) -> dict[str, list[Mapping[str, Any]]]:
    """Shortcuts of one nature by cue, strongest first; a cue without a known nature counts as acquisition."""
    cues: dict[str, list[Mapping[str, Any]]] = {}
    rows = [row for row in rows_of(document, "shortcuts") if (row.get("nature") == "picture") == (nature == "picture")]
    for row in sorted(rows, key=lambda row: -float(row.get("strength") or 0)):
        cues.setdefault(str(row["cue"]), []).append(row)
    return cues


def _alone(row: Mapping[str, Any]) -> str:
    """How well a cue alone tells the class: "balanced accuracy 93 %, chance 50 %"."""
    if row.get("accuracy") is None or row.get("chance") is None:
        return f"strength {float(row.get('strength') or 0):.2f} of 1"
    return f"balanced accuracy {100 * row['accuracy']:.0f} %, chance {100 * row['chance']:.0f} %"


def acquisition_shortcuts(document: Document) -> list[Advice]:
    """Traces of how the pictures were taken that tell the class: one advice for cues that tell the same classes."""
    words = _words_of_cues(document)
    together: dict[tuple[str, ...], list[tuple[str, Mapping[str, Any]]]] = {}
    for cue, rows in _by_cue(document, "acquisition").items():
        classes = tuple(dict.fromkeys(str(row["class"]) for row in rows if row.get("class")))
        together.setdefault(tuple(sorted(classes)), []).append((words.get(cue, cue), rows[0]))
    return [
        advice(
            "shortcuts",
            "high",
            f"{named([cue for cue, _ in cues])} {'give' if len(cues) > 1 else 'gives'} the class away"
            + (f": {named(classes)}" if classes else ""),
            f"A small model that sees nothing {'but the first' if len(cues) > 1 else 'else'} tells the class: "
            f"{_alone(cues[0][1])}. This comes from how the pictures were taken. A classifier may learn it, score well "
            "here and fail on pictures taken in another way.",
            _remedies([row for _, row in cues])
            or "Take pictures of all classes in the same way and mix them, or test on pictures taken in another way "
            "than the training pictures before believing a figure.",
        )
        for classes, cues in together.items()
    ]


def _remedies(rows: Sequence[Mapping[str, Any]]) -> str:
    """The advice of each row, without those that differ from an earlier one in the first sentence alone."""
    told: dict[str, str] = {}
    for row in rows:
        text = str(row.get("advice") or "")
        told.setdefault(text.partition(". ")[2] or text, text)
    return " ".join(text for text in told.values() if text)


def picture_shortcuts(document: Document) -> list[Advice]:
    """Cues in the look of the whole picture that tell the class: one advice for all of them."""
    cues = _by_cue(document, "picture")
    if not cues:
        return []
    words = _words_of_cues(document)
    strongest = next(iter(cues.values()))[0]
    only = "the first" if len(cues) > 1 else "this"
    return [
        advice(
            "shortcuts",
            "medium",
            f"The class shows without its details: {named([words.get(cue, cue) for cue in cues])}",
            f"A small model that sees only {only}: {_alone(strongest)}. It may be the object itself (a dark cell is "
            "dark, a large one has a large crop) or how it was lit, focused or cut out. In the second case a "
            "classifier learns that instead.",
            "Compare the examples of the classes. " + (_remedies([rows[0] for rows in cues.values()]) or _COMPARE),
        )
    ]


def pixel_sizes(document: Document) -> list[Advice]:
    """Physical pixel sizes that differ by half or more, within the data set or between classes."""
    per_class = (document.get("instrument") or {}).get("per_class") or {}
    known = {name: row for name, row in per_class.items() if row.get("min") and row.get("max")}
    if not known:
        return []
    low, high = min(float(row["min"]) for row in known.values()), max(float(row["max"]) for row in known.values())
    if high < _PIXEL_RATIO * low:
        return []
    medians = {name: float(row["median"]) for name, row in known.items() if row.get("median")}
    apart = len(medians) > 1 and max(medians.values()) >= _PIXEL_RATIO * min(medians.values())
    between = ""
    if apart:
        first, last = min(medians, key=lambda name: medians[name]), max(medians, key=lambda name: medians[name])
        between = f" Medians: “{first}” {length(medians[first])}, “{last}” {length(medians[last])}."
    return [
        advice(
            "pixel_sizes",
            "medium" if apart else "low",
            f"Pixel sizes differ: {length(low)} to {length(high)}",
            f"One object is large in one picture and small in another.{between} A network sees pixels, not "
            "nanometres: it may learn the magnification in place of the object.",
            "Train on pictures of one magnification, or with `--scale physical`, which brings all images to one pixel "
            "size. Where files do not state theirs, write it into the column `pixel_size_nm` of the manifest.",
        )
    ]


def shapes(document: Document) -> list[Advice]:
    """Image shapes that are squeezed differently."""
    sizes = [(int(row["width"]), int(row["height"])) for row in rows_of(document, "sizes")]
    ratios = [width / height for width, height in sizes if width and height]
    if not ratios or max(ratios) < _ASPECT_RATIO * min(ratios):
        return []
    return [
        advice(
            "shapes",
            "low",
            f"Image shapes differ: width to height {min(ratios):.2f} to {max(ratios):.2f}, {len(set(sizes)):,} sizes",
            "Every image is squeezed to the same square, so shape and size of an object change from image to image: a "
            "round object becomes long in one and stays round in another.",
            "Cut all pictures to one shape with the object in the middle. Where width and height belong to the object "
            "(crops drawn around it), `--size-features` lets them join the features.",
        )
    ]


def deep_images(document: Document) -> list[Advice]:
    """Images deeper than 8 bits, whose brightness depends on the range that is taken."""
    formats = rows_of(document, "formats")
    deep = sum(int(row.get("n") or 0) for row in formats if int(row.get("bits") or 8) > 8)
    if not deep:
        return []
    mixed = any(int(row.get("bits") or 8) <= 8 for row in formats)
    policy = str((document.get("intensity") or {}).get("policy") or "").rstrip(".")
    return [
        advice(
            "deep_images",
            "medium" if mixed else "low",
            f"{plural(deep, 'image')} deeper than 8 bits" + (", mixed with images of 8 bits" if mixed else ""),
            "A network sees 8 bits, so a range must be chosen. With the wrong one pictures are nearly black or clipped"
            + (", and shallow and deep pictures differ in brightness for that reason alone." if mixed else "."),
            (f"Read as: {policy}. " if policy else "")
            + "Check in the examples that all classes are well exposed; if not, give the range with `--intensity`."
            + (" Better: export all with the same depth from the instrument." if mixed else ""),
        )
    ]


def pages(document: Document) -> list[Advice]:
    """Files of which only a part was read: pages, planes, channels."""
    rows = [row for row in rows_of(document, "notes") if _PAGES.search(str(row.get("note")))]
    if not rows:
        return []
    return [
        advice(
            "pages",
            "low",
            f"Only a part of {plural(sum(int(row['n']) for row in rows), 'file')} is read: "
            f"{named([row['note'] for row in rows])}",
            "The object may lie on a page, plane or channel that no classifier sees.",
            "Look at the examples of the class. Choose another part with `--page`, `--z` or `--channel`, the same for "
            "`audit` and `train`.",
        )
    ]


def info_bars(document: Document) -> list[Advice]:
    """Info bars in some classes more than in others."""
    bars = (document.get("info_bars") or {}).get("per_class") or {}
    classes = {name: n for name, n in (document.get("classes") or {}).items() if n}
    share = {name: min(1.0, int(bars.get(name) or 0) / n) for name, n in classes.items()}
    if not share or max(share.values()) - min(share.values()) <= _BAR_GAP:
        return []
    most, least = max(share, key=lambda name: share[name]), min(share, key=lambda name: share[name])
    return [
        advice(
            "info_bars",
            "low",
            f"Info bars in {100 * share[most]:.0f} % of “{most}” and {100 * share[least]:.0f} % of “{least}”",
            "A bar of text in one class and not in another tells the class without the object.",
            "Keep `--info-bar crop` (the default), which cuts the bars that are found, and look at the examples for "
            "bars that were missed. Better: export all pictures without a bar.",
        )
    ]


def burnt_in_marks(document: Document) -> list[Advice]:
    """Text, rulers and calipers burnt into ultrasound frames, where they do not tell the class already."""
    marks = document.get("marks") or {}
    told = any(row.get("cue") == "burnt-in marks" for row in rows_of(document, "shortcuts"))
    if not marks.get("n") or marks.get("masked") or told:
        return []
    share = {name: int(row["n"]) / int(row["frames"]) for name, row in marks["per_class"].items() if row["frames"]}
    most, least = max(share, key=lambda name: share[name]), min(share, key=lambda name: share[name])
    uneven = share[most] - share[least] > _BAR_GAP
    return [
        advice(
            "burnt_in_marks",
            "medium" if uneven else "low",
            f"Text, rulers or calipers in {int(marks['n']):,} of {plural(int(marks['frames']), 'ultrasound frame')}"
            + (f": {100 * share[most]:.0f} % of “{most}”, {100 * share[least]:.0f} % of “{least}”" if uneven else ""),
            "Marks tell hospital, scanner and finding: a lesion that was measured bears calipers. A classifier may "
            "learn them instead of the tissue.",
            "Train with `--marks mask` and without, and compare the accuracy with `graticule compare`. Better: export "
            "frames without marks.",
        )
    ]
