"""Pictures of a comparison: differences with their intervals, row by row, on an axis around 0."""

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from graticule.report.quantities import figure_value
from graticule.report.svg import dot, line, nice_ticks, short, svg, text

MINUS = "−"
_MOST_DIGITS = 9


def signed(value: float | None, digits: int, scale: float = 1.0) -> str:
    """A difference with its sign, "+1.2" or "−1.2"; "0.0" has none, a dash where not defined."""
    if value is None:
        return "–"
    words = f"{abs(scale * value):.{digits}f}"
    sign = "" if float(words) == 0 else (MINUS if value < 0 else "+")
    return sign + words


def digits_for(ends: Iterable[float | None], scale: float, least: int) -> int:
    """Decimals with which none of these numbers is written as 0 or as another of them, unless it is; at least `least`.

    Parameters
    ----------
    ends : iterable of float or None
        A difference and its limits.
    scale : float
        Factor from a number to what is written.
    least : int
    """
    known = {round(scale * end, _MOST_DIGITS) for end in ends if end is not None} | {0.0}
    for digits in range(least, _MOST_DIGITS):
        if len({round(number, digits) for number in known}) == len(known):
            return digits
    return _MOST_DIGITS


def figure_digits(figure: Any, scale: float) -> int:
    """Decimals for a difference with its limits: 1 of percentage points, 3 of other numbers, more where needed."""
    ends = [figure_value(figure, end) for end in ("value", "low", "high")]
    return digits_for(ends, scale, 1 if scale == 100.0 else 3)


def difference_figure(
    rows: Sequence[tuple[str, Any]], unit: str, sides: tuple[str, str], label: str, scale: float = 100.0
) -> Markup:
    """One row per figure: a disc at the difference and a line over its interval; a tall line at 0.

    Parameters
    ----------
    rows : sequence of (name, figure)
        Differences; one that is not defined has an empty row.
    unit : str
        Title of the axis.
    sides : (str, str)
        What a difference left and right of 0 says.
    label : str
        What a screen reader says.
    scale : float
        Factor from a figure to the axis: 100 for percentage points.
    """
    left, width, row, top = 176.0, 560.0, 26.0, 20.0
    bottom = top + row * len(rows)
    ends = [figure_value(figure, end) for _, figure in rows for end in ("value", "low", "high")]
    known = [scale * end for end in ends if end is not None]
    ticks = nice_ticks(min([*known, 0.0]), max([*known, 0.0]), 6)

    def place(value: float) -> float:
        return left + width * (scale * value - ticks[0]) / (ticks[-1] - ticks[0])

    body = []
    for tick in ticks:
        x = place(tick / scale)
        words = f"{MINUS if tick < 0 else '+' if tick > 0 else ''}{abs(tick):g}"
        body += [line(x, top, x, bottom, "grid"), text(x, bottom + 15, words)]
    zero = place(0.0)
    body.append(line(zero, top - 6, zero, bottom, "base"))
    if zero > left + 60:
        body.append(text(zero - 8, top - 8, f"← {sides[0]}", "end"))
    if zero < left + width - 60:
        body.append(text(zero + 8, top - 8, f"{sides[1]} →", "start"))
    for i, (name, figure) in enumerate(rows):
        y = top + row * (i + 0.5)
        value, low, high = (figure_value(figure, end) for end in ("value", "low", "high"))
        body.append(text(left - 12, y + 4, short(name), "end"))
        if value is None:
            body.append(text(zero + 8, y + 4, "not defined", "start"))
            continue
        if low is not None and high is not None:
            body.append(line(place(low), y, place(high), y, "span"))
        words = signed(value, figure_digits(figure, scale), scale)
        body.append(dot(place(value), y, 4, "dot", f"{short(name)}: {words}"))
    body.append(text(left + width / 2, bottom + 32, unit))
    return svg(left + width + 16, bottom + 38, label, body)
