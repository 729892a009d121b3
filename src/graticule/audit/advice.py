"""What the rules of an audit have in common: what a rule finds, and how counts and names are written."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

from graticule.audit.document import Advice, AuditedImages, Harm

Document = TypeVar("Document", bound=AuditedImages)


@dataclass(frozen=True)
class Finding:
    """What a rule finds.

    Attributes
    ----------
    title, why, do : str
        As in `graticule.audit.document.Advice`.
    harm : "high", "medium", "low" or None
        None: that of the rule.
    """

    title: str
    why: str
    do: str
    harm: Harm | None = None


@dataclass(frozen=True)
class AuditRule(Generic[Document]):
    """A row of the rules.

    Attributes
    ----------
    key : str
        A stable name; two rules may share it.
    harm : "high", "medium" or "low"
        How wrong a result can be that is got without following it, where a finding does not say otherwise.
    section : str
        The section of the page that it rests on.
    find : function of the document
        Reads one part of it; no finding where there is nothing to mend.
    """

    key: str
    harm: Harm
    section: str
    find: Callable[[Document], list[Finding]]


def in_order_of_harm(rules: Sequence[AuditRule[Document]], document: Document) -> tuple[Advice, ...]:
    """What the rules find in a document: high before medium before low, within each the order of the rules."""
    harms = get_args(Harm)
    found = [
        Advice(rule=rule.key, harm=one.harm or rule.harm, title=one.title, why=one.why, do=one.do)
        for rule in rules
        for one in rule.find(document)
    ]
    return tuple(sorted(found, key=lambda item: harms.index(item.harm)))


def named(names: Collection[object] | Mapping[str, int], most: int = 5) -> str:
    """The first names in quotes, with their counts in a mapping, and how many more there are."""
    if isinstance(names, Mapping):
        quoted = [f"“{name}” ({n:,})" for name, n in names.items()]
    else:
        quoted = [f"“{name}”" for name in names]
    more = f" and {len(quoted) - most:,} more" if len(quoted) > most else ""
    return ", ".join(quoted[:most]) + more


def length(nanometres: float) -> str:
    """Write a length with three digits in nm, µm or mm: "210 nm", "1.2 µm"."""
    for unit, factor in (("nm", 1.0), ("µm", 1e3)):
        # above, three digits would be written as a power of ten
        if nanometres < 999.5 * factor:
            return f"{nanometres / factor:.3g} {unit}"
    return f"{nanometres / 1e6:.3g} mm"
