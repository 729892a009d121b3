"""How a figure is written with its interval, and the words for the methods that made it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graticule.evaluate.catalogue import Unit

THIN = "\u202f"
DASH = "–"


METHODS = {
    "wilson": "Wilson's score interval for a proportion (Wilson 1927)",
    "clopper-pearson": "each rate of confusion at its exact limits (Clopper and Pearson 1934), all at the worse or all "
    "at the better end",
    "bootstrap": "standard error from a bootstrap over images, drawn within each class (Efron 1979), in the form of "
    "interval that suits the measure",
    "cluster-t": "cluster-robust variance over groups with Student's t (Liang and Zeger 1986)",
    "group-bootstrap": "standard error from a bootstrap over whole groups (Davison and Hinkley 1997), in the form of "
    "interval that suits the measure",
    "too_few_groups": "no interval, since the value rests on fewer than 10 groups",
}


def figure_value(figure: Any, key: str = "value") -> float | None:
    """Read a number out of a figure: a mapping with `value`, a bare number, or null; NaN counts as null."""
    number = figure.get(key) if isinstance(figure, Mapping) else (figure if key == "value" else None)
    if isinstance(number, Mapping):
        return figure_value(number)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        return None
    return float(number)


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share as a percentage, or a dash when it is not defined."""
    return DASH if value is None else f"{100 * value:.{digits}f}{THIN}%"


def decimal(value: float | None) -> str:
    """Write a number with three decimals, or a dash when it is not defined."""
    return DASH if value is None else f"{value:.3f}"


def whole_number(value: float | None) -> str:
    """Write a whole number with thousands separated, or a dash when it is unknown."""
    return DASH if value is None else f"{int(value):,}"


def written(value: float | None, unit: Unit) -> str:
    """Write a number in its unit."""
    return percent(value) if unit == "percent" else decimal(value)


@dataclass(frozen=True)
class ShownFigure:
    """A figure as the page writes it.

    Attributes
    ----------
    raw : float or None
        The value itself, for sorting and for reading the page by machine.
    value, interval, span : str
        "95.1 %", "94.2–95.9" (or empty) and "94.2 to 95.9 %" (or empty).
    hint : str
        What a reader learns by pointing at it: the method, or why nothing is there.
    """

    raw: float | None
    value: str
    interval: str
    span: str
    hint: str


def show(figure: Any, unit: Unit) -> ShownFigure:
    """Write one figure with its interval."""
    value, low, high = (figure_value(figure, key) for key in ("value", "low", "high"))
    if value is None:
        return ShownFigure(None, DASH, "", "", "not defined")
    method = str(figure.get("method", "")) if isinstance(figure, Mapping) else ""
    if low is None or high is None:
        return ShownFigure(value, written(value, unit), "", "", METHODS.get(method, "no interval"))
    level = figure_value(figure, "level") or 0.95
    scale, digits = (100.0, 1) if unit == "percent" else (1.0, 3)
    ends = f"{scale * low:.{digits}f}", f"{scale * high:.{digits}f}"
    hint = f"{100 * level:g}{THIN}% interval; {METHODS.get(method, method)}"
    span = f"{ends[0]} to {ends[1]}" + (f"{THIN}%" if unit == "percent" else "")
    return ShownFigure(value, written(value, unit), f"{ends[0]}{DASH}{ends[1]}", span, hint)
