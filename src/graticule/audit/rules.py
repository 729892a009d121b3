"""What to mend before training: the findings of an audit turned into recommendations, gravest first."""

from typing import get_args

from graticule.audit import rules_pictures, rules_samples
from graticule.audit.advice import AuditRule, in_order_of_harm
from graticule.audit.document import Advice, AuditDocument, Harm
from graticule.plain_text import plural

NOTHING = "nothing"
HARMS: tuple[Harm, ...] = get_args(Harm)

# in order of harm, most harmful first
RULES: tuple[AuditRule[AuditDocument], ...] = (
    AuditRule("classes", "high", "classes", rules_samples.too_few_classes),
    AuditRule("conflicts", "high", "conflicts", rules_samples.two_labels),
    AuditRule("leaks", "high", "leaks", rules_samples.leaks),
    AuditRule("shortcuts", "high", "shortcuts", rules_pictures.acquisition_shortcuts),
    AuditRule("synthetic_parents", "high", "classes", rules_samples.synthetic_without_parents),
    AuditRule("synthetic_gate", "medium", "classes", rules_samples.synthetic_unproven),
    AuditRule("unreadable", "medium", "unreadable", rules_samples.unreadable),
    AuditRule("groups", "medium", "classes", rules_samples.missing_groups),
    AuditRule("components", "medium", "duplicates", rules_samples.large_components),
    AuditRule("duplicates", "low", "duplicates", rules_samples.repeats),
    AuditRule("shortcuts", "medium", "shortcuts", rules_pictures.picture_shortcuts),
    AuditRule("pixel_sizes", "low", "instrument", rules_pictures.pixel_sizes),
    AuditRule("shapes", "low", "files", rules_pictures.shapes),
    AuditRule("small_classes", "medium", "classes", rules_samples.small_classes),
    AuditRule("few_groups", "medium", "classes", rules_samples.few_groups),
    AuditRule("imbalance", "low", "classes", rules_samples.imbalance),
    AuditRule("synthetic", "low", "classes", rules_samples.synthetic),
    AuditRule("deep_images", "low", "files", rules_pictures.deep_images),
    AuditRule("pages", "low", "files", rules_pictures.pages),
    AuditRule("info_bars", "low", "instrument", rules_pictures.info_bars),
    AuditRule("burnt_in_marks", "low", "instrument", rules_pictures.burnt_in_marks),
)


def recommend(document: AuditDocument) -> tuple[Advice, ...]:
    """Recommendations for an audited data set, in order of harm.

    A pure function of the document: each rule reads one part of it and says what was found, why it would make a result
    wrong, and what to do. The thresholds are those of the evaluation: a component is large above one fold of five; a
    class is small below 30 images, or below 5 images or groups; fewer than 10 groups carry no interval.

    Returns
    -------
    tuple of Advice
        High before medium before low, within each the order of the rules. Never empty: where no rule finds anything,
        one entry of the rule "nothing" says what was checked.
    """
    return in_order_of_harm(RULES, document) or (_nothing(document),)


def _nothing(document: AuditDocument) -> Advice:
    checked = [
        f"{plural(document.n, 'image')} for readable files, repeated pictures and two labels on one",
        "classes for size and balance",
    ]
    if document.associations:
        cues = plural(len(document.associations), "cue")
        checked.append(f"{cues} of how the pictures were taken for giving the class away")
    if document.groups:
        checked.append("groups for their number and spread")
    return Advice(
        rule=NOTHING,
        harm="low",
        title="Nothing found that would make a result wrong",
        why=f"Checked: {'; '.join(checked)}. What was not recorded cannot be checked: wrong labels on pictures that do "
        "not repeat, specimens without a group, an instrument that left no trace.",
        do="Train: `graticule train DATA --out RUN`.",
    )
