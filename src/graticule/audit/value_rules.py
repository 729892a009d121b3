"""What to mend before a number is learnt: the findings of an audit turned into recommendations, gravest first."""

import re

from graticule.audit import rules_pictures, rules_samples
from graticule.audit.advice import AuditRule, Finding, in_order_of_harm, length, named
from graticule.audit.document import Advice
from graticule.audit.rules import NOTHING
from graticule.audit.value_document import ValueAuditDocument, ValueCueRow
from graticule.plain_text import plural
from graticule.split.duplicates.words import in_families, kinds_of

SIZE_CUE, SCALE_CUE = "image size", "pixel size"
_IS_SIZE = 0.8  # R2 from which the size of the image is said to be the number
_PIXEL_RATIO = 1.25
_LENGTH = (0.6, 2.6)  # powers of the pixel size by which a length or an area rises
_BETWEEN = 0.3
_LENGTH_NAME = re.compile(r"(?:^|[_\W])(?:[nuµμm]m2?|cm|microns?|micromet\w+|nanomet\w+)(?:$|[_\W])", re.IGNORECASE)


def explained(row: ValueCueRow) -> str:
    """How much of the number a cue alone explains: "R2 .93 [.90, .95]"."""
    limits = "" if row.low is None or row.high is None else f" [{row.low:.2f}, {row.high:.2f}]"
    return f"R² {row.r2:.2f}{limits}"


def two_numbers(document: ValueAuditDocument) -> list[Finding]:
    """The same picture with two numbers."""
    found = document.components.two_labels
    if not found.n:
        return []
    return [
        Finding(
            f"One picture, two numbers: {in_families(found.images, found.n)} of copies "
            f"({kinds_of(found.exact, found.near)})",
            "At least one number of each family is wrong, or cannot be read from the picture. Whatever is predicted "
            "counts as an error for one of the two.",
            "Look at each family and correct the numbers in the table. Remove all its images where nobody can decide.",
        )
    ]


def crop_size(document: ValueAuditDocument) -> list[Finding]:
    """A number that is the size of the image."""
    return [
        Finding(
            f"The size of the image is the number, or nearly: {explained(row)} from width and height alone",
            "The images seem to be cut to the object. Every image is resized to the same square, which takes the size "
            "away: a network guesses it from sharpness and texture. And where the crop was drawn by hand, its size "
            "was known before the picture was looked at.",
            "If the crops come from an automatic outline, `--size-features` gives width and height to the model; a "
            "ruler would do as well. If they were drawn by hand, measure on whole fields instead.",
        )
        for row in document.cues
        if row.flagged and row.cue == SIZE_CUE and row.r2 >= _IS_SIZE
    ]


def physical_units(document: ValueAuditDocument) -> list[Finding]:
    """A physical length or area where the magnification varies."""
    scale = document.scale
    if scale is None or scale.high < _PIXEL_RATIO * scale.low:
        return []
    column = document.target.column
    rises = scale.slope is not None and _LENGTH[0] <= scale.slope <= _LENGTH[1]
    told = any(row.flagged and row.cue == SCALE_CUE for row in document.cues)
    if not (_LENGTH_NAME.search(column) and rises) and not (told and rises):
        return []
    return [
        Finding(
            f"“{column}” rises with the pixel size, which varies: {length(scale.low)} to {length(scale.high)}",
            "A length or an area on the specimen cannot be read from pixels where the magnification varies: the same "
            "picture may show a large object far away or a small one near. A model would guess the magnification from "
            "noise and sharpness.",
            "Learn it in pixels and multiply by the pixel size: `graticule train DATA --target "
            f"{column} --per-pixel-size` (column `pixel_size_nm`). Or take all pictures at one magnification.",
        )
    ]


def acquisition_cues(document: ValueAuditDocument) -> list[Finding]:
    """Traces of how the pictures were taken that tell the number."""
    physical = bool(physical_units(document))
    return _told(
        [row for row in document.cues if row.nature == "acquisition" and not (physical and row.cue == SCALE_CUE)],
        "This comes from how the pictures were taken. A model may learn it, score well here and fail on pictures taken "
        "in another way.",
    )


def picture_cues(document: ValueAuditDocument) -> list[Finding]:
    """Cues in the look of the whole picture that tell the number."""
    size = bool(crop_size(document))
    return _told(
        [row for row in document.cues if row.nature == "picture" and not (size and row.cue == SIZE_CUE)],
        "It may be the object itself (more material is brighter) or how it was lit, focused or cut out. In the second "
        "case a model learns that instead.",
    )


def _told(rows: list[ValueCueRow], why: str) -> list[Finding]:
    rows = [row for row in rows if row.flagged]
    if not rows:
        return []
    verb = "tell" if len(rows) > 1 else "tells"
    return [
        Finding(
            f"{named([row.words for row in rows])} {verb} the number: {explained(rows[0])}",
            f"A small model that sees nothing {'but the first' if len(rows) > 1 else 'else'} explains "
            f"{100 * max(rows[0].r2, 0):.0f} % of the number's variance on images of other groups. {why}",
            " ".join(dict.fromkeys(row.advice for row in rows)),
        )
    ]


def between_groups(document: ValueAuditDocument) -> list[Finding]:
    """How much random folds would give away."""
    share = document.target.between_groups
    if document.groups is None or share is None or share < _BETWEEN:
        return []
    return [
        Finding(
            f"{100 * share:.0f} % of the variance of “{document.target.column}” lies between groups",
            "Whoever recognises the group knows most of the number. Folds that mix images of one group would look far "
            "too good; `train` keeps groups whole, other programs do not.",
            "Nothing, if the groups are right. Count groups, not images, when you plan: new groups are what teaches.",
        )
    ]


VALUE_RULES: tuple[AuditRule[ValueAuditDocument], ...] = (
    AuditRule("conflicts", "high", "conflicts", two_numbers),
    AuditRule("leaks", "high", "leaks", rules_samples.leaks),
    AuditRule("crop_size", "high", "cues", crop_size),
    AuditRule("physical_units", "high", "cues", physical_units),
    AuditRule("cues", "high", "cues", acquisition_cues),
    AuditRule("synthetic_parents", "high", "numbers", rules_samples.synthetic_without_parents),
    AuditRule("synthetic_gate", "medium", "numbers", rules_samples.synthetic_unproven),
    AuditRule("unreadable", "medium", "unreadable", rules_samples.unreadable),
    AuditRule("groups", "medium", "numbers", rules_samples.missing_groups),
    AuditRule("duplicates", "low", "duplicates", rules_samples.repeats),
    AuditRule("cues", "medium", "cues", picture_cues),
    AuditRule("shapes", "low", "files", rules_pictures.shapes),
    AuditRule("few_groups", "medium", "numbers", rules_samples.few_groups),
    AuditRule("between_groups", "low", "numbers", between_groups),
    AuditRule("synthetic", "low", "numbers", rules_samples.synthetic),
    AuditRule("deep_images", "low", "files", rules_pictures.deep_images),
    AuditRule("pages", "low", "files", rules_pictures.pages),
)


def recommend_for_values(document: ValueAuditDocument) -> tuple[Advice, ...]:
    """Recommendations for audited images with a number each, in order of harm; never empty, as `rules.recommend`."""
    return in_order_of_harm(VALUE_RULES, document) or (_nothing(document),)


def _nothing(document: ValueAuditDocument) -> Advice:
    column = document.target.column
    return Advice(
        rule=NOTHING,
        harm="low",
        title="Nothing found that would make a result wrong",
        why=f"Checked: {plural(document.n, 'image')} for readable files, repeated pictures and two numbers on one; "
        f"{plural(len(document.cues), 'cue')} of how the pictures were taken for telling the number. What was not "
        "recorded cannot be checked: wrong numbers on pictures that do not repeat, specimens without a group.",
        do=f"Train: `graticule train DATA --target {column} --out RUN`.",
    )
