"""What to mend before training: the findings of an audit turned into recommendations, gravest first."""

from __future__ import annotations

from collections.abc import Callable

from graticule.audit import rules_pictures, rules_samples
from graticule.audit.advice import HARMS, Advice, Document, advice, rows_of
from graticule.plain_text import plural

NOTHING = "nothing"

# in order of harm, most harmful first
_RULES: tuple[Callable[[Document], list[Advice]], ...] = (
    rules_samples.too_few_classes,
    rules_samples.two_labels,
    rules_samples.leaks,
    rules_pictures.acquisition_shortcuts,
    rules_samples.unreadable,
    rules_samples.missing_groups,
    rules_samples.large_components,
    rules_samples.repeats,
    rules_pictures.picture_shortcuts,
    rules_pictures.pixel_sizes,
    rules_pictures.shapes,
    rules_samples.small_classes,
    rules_samples.few_groups,
    rules_samples.imbalance,
    rules_samples.synthetic,
    rules_pictures.deep_images,
    rules_pictures.pages,
    rules_pictures.info_bars,
    rules_pictures.burnt_in_marks,
)


def recommend(document: Document) -> list[Advice]:
    """Recommendations for an audited data set, in order of harm.

    A pure function of the document: each rule reads one part of it and says what was found, why it would make a result
    wrong, and what to do. The thresholds are those of the evaluation: a component is large above one fold of five; a
    class is small below 30 images, or below 5 images or groups; fewer than 10 groups carry no interval.

    Parameters
    ----------
    document : mapping
        The content of audit.json; a part that is missing counts as not found.

    Returns
    -------
    list of dict
        Each with `rule` (a stable name), `harm` ("high", "medium" or "low"), `title`, `why` and `do`. High before
        medium before low, within each the order of the rules. Never empty: where no rule finds anything, one entry of
        the rule "nothing" says what was checked.
    """
    found = [item for rule in _RULES for item in rule(document)]
    found.sort(key=lambda item: HARMS.index(item["harm"]))
    return found or [_nothing(document)]


def _nothing(document: Document) -> Advice:
    checked = [
        f"{plural(int(document.get('n') or 0), 'image')} for readable files, repeated pictures and two labels on one",
        "classes for size and balance",
    ]
    cues = len(rows_of(document, "associations"))
    if cues:
        checked.append(f"{plural(cues, 'cue')} of how the pictures were taken for giving the class away")
    if document.get("groups"):
        checked.append("groups for their number and spread")
    return advice(
        NOTHING,
        "low",
        "Nothing found that would make a result wrong",
        f"Checked: {'; '.join(checked)}. What was not recorded cannot be checked: wrong labels on pictures that do not "
        "repeat, specimens without a group, an instrument that left no trace.",
        "Train: `graticule train DATA --out RUN`.",
    )
