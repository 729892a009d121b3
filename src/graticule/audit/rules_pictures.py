"""Rules of an audit on pictures: shortcuts, scale, shape, brightness, pages and info bars."""

import re
from collections.abc import Sequence

from graticule.audit.advice import Finding, length, named
from graticule.audit.document import AuditDocument, AuditedImages, ShortcutRow
from graticule.plain_text import plural

_PIXEL_RATIO = 1.5
_ASPECT_RATIO = 1.5
_BAR_GAP = 0.1
_COMPARE = (
    "If object and background both differ, take new pictures of all classes under the same settings, or test on "
    "pictures taken on another day."
)
_PAGES = re.compile(r"\b(page|plane|slice|channel|frame|series|stack)s?\b", re.IGNORECASE)


def _by_cue(document: AuditDocument, nature: str) -> dict[str, list[ShortcutRow]]:
    """Shortcuts of one nature by cue, strongest first."""
    cues: dict[str, list[ShortcutRow]] = {}
    for row in sorted(document.shortcuts, key=lambda row: -row.strength):
        if row.nature == nature:
            cues.setdefault(row.cue, []).append(row)
    return cues


def _words(document: AuditDocument, cue: str) -> str:
    return next((row.words for row in document.associations if row.cue == cue), cue)


def _alone(row: ShortcutRow) -> str:
    """How well a cue alone tells the class: "balanced accuracy 93 %, chance 50 %"."""
    return f"balanced accuracy {100 * row.accuracy:.0f} %, chance {100 * row.chance:.0f} %"


def acquisition_shortcuts(document: AuditDocument) -> list[Finding]:
    """Traces of how the pictures were taken that tell the class: one advice for cues that tell the same classes."""
    together: dict[tuple[str, ...], list[tuple[str, ShortcutRow]]] = {}
    for cue, rows in _by_cue(document, "acquisition").items():
        classes = tuple(sorted({row.class_ for row in rows}))
        together.setdefault(classes, []).append((_words(document, cue), rows[0]))
    return [
        Finding(
            f"{named([cue for cue, _ in cues])} {'give' if len(cues) > 1 else 'gives'} the class away: "
            f"{named(classes)}",
            f"A small model that sees nothing {'but the first' if len(cues) > 1 else 'else'} tells the class: "
            f"{_alone(cues[0][1])}. This comes from how the pictures were taken. A classifier may learn it, score well "
            "here and fail on pictures taken in another way.",
            _remedies([row for _, row in cues])
            or "Take pictures of all classes in the same way and mix them, or test on pictures taken in another way "
            "than the training pictures before believing a figure.",
        )
        for classes, cues in together.items()
    ]


def _remedies(rows: Sequence[ShortcutRow]) -> str:
    """The advice of each row, without those that differ from an earlier one in the first sentence alone."""
    told: dict[str, str] = {}
    for row in rows:
        told.setdefault(row.advice.partition(". ")[2] or row.advice, row.advice)
    return " ".join(text for text in told.values() if text)


def picture_shortcuts(document: AuditDocument) -> list[Finding]:
    """Cues in the look of the whole picture that tell the class: one advice for all of them."""
    cues = _by_cue(document, "picture")
    if not cues:
        return []
    strongest = next(iter(cues.values()))[0]
    only = "the first" if len(cues) > 1 else "this"
    return [
        Finding(
            f"The class shows without its details: {named([_words(document, cue) for cue in cues])}",
            f"A small model that sees only {only}: {_alone(strongest)}. It may be the object itself (a dark cell is "
            "dark, a large one has a large crop) or how it was lit, focused or cut out. In the second case a "
            "classifier learns that instead.",
            "Compare the examples of the classes. " + (_remedies([rows[0] for rows in cues.values()]) or _COMPARE),
        )
    ]


def pixel_sizes(document: AuditDocument) -> list[Finding]:
    """Physical pixel sizes that differ by half or more, within the data set or between classes."""
    stated = document.instrument.per_class
    low = min((row.min for row in stated.values() if row.min), default=0.0)
    high = max((row.max for row in stated.values() if row.max), default=0.0)
    if not low or high < _PIXEL_RATIO * low:
        return []
    medians = {name: row.median for name, row in stated.items() if row.median}
    apart = len(medians) > 1 and max(medians.values()) >= _PIXEL_RATIO * min(medians.values())
    between = ""
    if apart:
        first, last = min(medians, key=lambda name: medians[name]), max(medians, key=lambda name: medians[name])
        between = f" Medians: “{first}” {length(medians[first])}, “{last}” {length(medians[last])}."
    return [
        Finding(
            f"Pixel sizes differ: {length(low)} to {length(high)}",
            f"One object is large in one picture and small in another.{between} A network sees pixels, not "
            "nanometres: it may learn the magnification in place of the object.",
            "Train on pictures of one magnification, or with `--scale physical`, which brings all images to one pixel "
            "size. Where files do not state theirs, write it into the column `pixel_size_nm` of the manifest.",
            harm="medium" if apart else "low",
        )
    ]


def shapes(document: AuditedImages) -> list[Finding]:
    """Image shapes that are squeezed differently."""
    sizes = {(row.width, row.height) for row in document.sizes}
    ratios = [width / height for width, height in sizes if width and height]
    if not ratios or max(ratios) < _ASPECT_RATIO * min(ratios):
        return []
    return [
        Finding(
            f"Image shapes differ: width to height {min(ratios):.2f} to {max(ratios):.2f}, {len(sizes):,} sizes",
            "Every image is squeezed to the same square, so shape and size of an object change from image to image: a "
            "round object becomes long in one and stays round in another.",
            "Cut all pictures to one shape with the object in the middle. Where width and height belong to the object "
            "(crops drawn around it), `--size-features` lets them join the features.",
        )
    ]


def deep_images(document: AuditedImages) -> list[Finding]:
    """Images deeper than 8 bits, whose brightness depends on the range that is taken."""
    deep = sum(row.n for row in document.formats if row.bits > 8)
    if not deep:
        return []
    mixed = any(row.bits <= 8 for row in document.formats)
    policy = document.intensity.policy.rstrip(".")
    return [
        Finding(
            f"{plural(deep, 'image')} deeper than 8 bits" + (", mixed with images of 8 bits" if mixed else ""),
            "A network sees 8 bits, so a range must be chosen. With the wrong one pictures are nearly black or clipped"
            + (", and shallow and deep pictures differ in brightness for that reason alone." if mixed else "."),
            (f"Read as: {policy}. " if policy else "")
            + "Check in the examples that all classes are well exposed; if not, give the range with `--intensity`."
            + (" Better: export all with the same depth from the instrument." if mixed else ""),
            harm="medium" if mixed else "low",
        )
    ]


def pages(document: AuditedImages) -> list[Finding]:
    """Files of which only a part was read: pages, planes, channels."""
    rows = [row for row in document.notes if _PAGES.search(row.note)]
    if not rows:
        return []
    return [
        Finding(
            f"Only a part of {plural(sum(row.n for row in rows), 'file')} is read: {named([row.note for row in rows])}",
            "The object may lie on a page, plane or channel that no classifier sees.",
            "Look at the examples of the class. Choose another part with `--page`, `--z` or `--channel`, the same for "
            "`audit` and `train`.",
        )
    ]


def info_bars(document: AuditDocument) -> list[Finding]:
    """Info bars in some classes more than in others."""
    bars = document.info_bars.per_class
    share = {name: min(1.0, bars.get(name, 0) / n) for name, n in document.classes.items() if n}
    if not share or max(share.values()) - min(share.values()) <= _BAR_GAP:
        return []
    most, least = max(share, key=lambda name: share[name]), min(share, key=lambda name: share[name])
    return [
        Finding(
            f"Info bars in {100 * share[most]:.0f} % of “{most}” and {100 * share[least]:.0f} % of “{least}”",
            "A bar of text in one class and not in another tells the class without the object.",
            "Keep `--info-bar crop` (the default), which cuts the bars that are found, and look at the examples for "
            "bars that were missed. Better: export all pictures without a bar.",
        )
    ]


def burnt_in_marks(document: AuditDocument) -> list[Finding]:
    """Text, rulers and calipers burnt into ultrasound frames, where they do not tell the class already."""
    marks = document.marks
    told = any(row.cue == "burnt-in marks" for row in document.shortcuts)
    if not marks.n or marks.masked or told:
        return []
    share = {name: row.n / row.frames for name, row in marks.per_class.items() if row.frames}
    most, least = max(share, key=lambda name: share[name]), min(share, key=lambda name: share[name])
    uneven = share[most] - share[least] > _BAR_GAP
    return [
        Finding(
            f"Text, rulers or calipers in {marks.n:,} of {plural(marks.frames, 'ultrasound frame')}"
            + (f": {100 * share[most]:.0f} % of “{most}”, {100 * share[least]:.0f} % of “{least}”" if uneven else ""),
            "Marks tell hospital, scanner and finding: a lesion that was measured bears calipers. A classifier may "
            "learn them instead of the tissue.",
            "Train with `--marks mask` and without, and compare the accuracy with `graticule compare`. Better: export "
            "frames without marks.",
            harm="medium" if uneven else "low",
        )
    ]
