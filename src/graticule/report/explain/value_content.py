"""What the page of `graticule explain` of a number says: which part told how much, and how far to trust the maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from graticule.directions.feature_words import FAMILIES
from graticule.report.explain.content import DOING, condemned, confirmed, curve_plot, in_figures, map_rows, percents
from graticule.report.values.amounts import Amount

# so many times its share of the area, the border draws the eye
_DRAWN = 2.0
_NETWORK, _ORIENTATION = "network", "orientation"
PARTS = {_NETWORK: "network", _ORIENTATION: "orientation statistics", "image size": "size of the image"}
_DOING = {_NETWORK: DOING, _ORIENTATION: ("leaving out", "keeping only")}
_SMALL = 0.1


@dataclass(frozen=True)
class Added:
    """How what a part adds to a number is written: as a difference, or where logarithms are learnt as a factor."""

    amount: Amount
    logarithmic: bool

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Added":
        """For the numbers of explain.json."""
        numbers = np.array([row["predicted"] for row in document["rows"]], dtype=np.float64)
        return cls(Amount.of(str(document["unit"]), None, numbers), document["scale"] == "log")

    def __call__(self, added: float | None) -> str:
        """Such as "+0.12" or "× 1.3"."""
        if added is None:
            return "–"
        return f"× {np.exp(added):.2f}" if self.logarithmic else self.amount.signed(added)

    def size(self, added: float) -> str:
        """How much an amount is, whatever its sign."""
        return f"× or ÷ {np.exp(added):.3f}" if self.logarithmic else self._finer(1)(added)

    def fine(self, added: float) -> str:
        """What one statistic of many adds: with more digits."""
        return f"× {np.exp(added):.4f}" if self.logarithmic else self._finer(2).signed(added)

    def _finer(self, digits: int) -> Amount:
        decimals = self.amount.decimals
        return Amount(self.amount.unit, None if decimals is None else decimals + digits)

    def number(self, learnt: float) -> str:
        """A number from the scale that is learnt."""
        return self.amount(float(np.exp(learnt)) if self.logarithmic else learnt)


def border_words(document: Mapping[str, Any]) -> str:
    """What the border has to do with the number, in words."""
    share, area = document["border"]["share"], document["border"]["area"]
    if share is None:
        return "The maps are empty: nothing in these pictures moves the number."
    words = f"{percents(share)} of the maps lie on the border, which is {percents(area)} of the area"
    if share > _DRAWN * area:
        return f"{words}. The number may rest on how the pictures were cut or framed: look at the maps."
    return f"{words}: the border does not draw the eye."


def told_shares(document: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Of each part its words, its mean size, and its share of the sizes of all; the largest first."""
    told = document["told"] or {}
    total = sum(told.values())
    rows = [(PARTS[name], size, size / total if total > 0 else 0.0) for name, size in told.items()]
    return sorted(rows, key=lambda row: -row[1])


def family_shares(document: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """The same of the families of orientation statistics."""
    told = document["told_by_family"] or {}
    total = sum(told.values())
    rows = [(FAMILIES[name], size, size / total if total > 0 else 0.0) for name, size in told.items()]
    return sorted(rows, key=lambda row: -row[1])


def told_words(document: Mapping[str, Any]) -> str:
    """Which part told how much, in a sentence; empty where there is one part only, or no average picture."""
    rows = told_shares(document)
    if len(rows) < 2:
        return ""
    return (
        "What lifts or lowers the number above that of an average picture: "
        + ", ".join(f"{percents(share)} the {words}" for words, _, share in rows)
        + "."
    )


def explained_value_verdict(document: Mapping[str, Any]) -> tuple[str, bool]:
    """The answer at the top of the page, and whether it is bad news."""
    checks, bad, said = document["checks"], False, [told_words(document)]
    for part, own in checks.items():
        of = f" of the {PARTS[part]}" if len(checks) > 1 else ""
        if against := condemned(own, _DOING[part]):
            bad = True
            said.append(f"Do not trust the maps{of}: {', and '.join(against)}.")
        elif confirmed(own):
            said.append(f"The maps{of} mark places that the number rests on.")
        else:
            said.append(f"The checks do not all confirm the maps{of}: read them before the pictures.")
    said.append(border_words(document))
    return " ".join(one for one in said if one), bad


def value_check_rows(document: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Part, name, result and meaning of every check."""
    return [(PARTS[part], *row) for part, own in document["checks"].items() for row in map_rows(own, _DOING[part])]


def destroyed_rows(document: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Part, what was destroyed, signed and absolute rank correlation."""
    return [
        (PARTS[part], row["destroyed"], in_figures(row["signed"]), in_figures(row["absolute"]))
        for part, own in document["checks"].items()
        for row in own["randomised_weights"] or ()
    ]


def value_plots(document: Mapping[str, Any], added: Added) -> list[tuple[str, str, Markup]]:
    """Part, "deletion" or "insertion", and the plot of its curves."""
    return [
        (PARTS[part], which, _plot(own["fidelity"]["curves"], which, added))
        for part, own in document["checks"].items()
        for which in ("deletion", "insertion")
    ]


def _plot(curves: Mapping[str, Sequence[float]], which: str, added: Added) -> Markup:
    every = np.array([value for values in curves.values() for value in values])
    low, high = float(every.min()), float(every.max())
    span = (high - low) or 1.0
    low, span = low - _SMALL * span, (1 + 2 * _SMALL) * span
    scaled = {name: [(value - low) / span for value in values] for name, values in curves.items()}
    plain = Added(Amount("", added.amount.decimals), added.logarithmic)
    ticks = [(at, plain.number(low + at * span)) for at in (0.25, 0.5, 0.75)]
    return curve_plot(scaled, which, ticks, "number")


def tile_words(row: Mapping[str, Any], document: Mapping[str, Any], added: Added) -> list[tuple[str, str]]:
    """What each part added to the number of an average picture, in the order of the parts."""
    if row["told"] is None or document["average"] is None:
        return []
    parts = [(PARTS[name], added(amount)) for name, amount in row["told"].items()]
    return [("average picture", added.number(document["average"])), *parts]


def statistic_rows(row: Mapping[str, Any], added: Added) -> list[dict[str, str]]:
    """The orientation statistics that told most of one picture: words, value, distance from the average, amount."""
    rows = []
    for one in (row["statistics"] or {"single": []})["single"]:
        distance = (one["value"] - one["average"]) / one["deviation"] if one["deviation"] > 0 else 0.0
        rows.append(
            {
                "words": one["words"],
                "value": f"{one['value']:.3g}",
                "from": f"{distance:+.1f}".replace("-", "−"),
                "amount": added.fine(one["amount"]),
            }
        )
    return rows


def family_rows(row: Mapping[str, Any], added: Added) -> list[tuple[str, str]]:
    """What the families of orientation statistics told of one picture, the largest first; without those of nothing."""
    told = (row["statistics"] or {"by_family": {}})["by_family"]
    ordered = sorted(told.items(), key=lambda item: -abs(item[1]))
    return [(name, added(amount)) for name, amount in ordered if added(amount) != added(0.0)]
