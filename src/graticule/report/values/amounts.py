"""Numbers in the target's unit: written with as many digits as their errors leave any sense in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from graticule.arrays import FloatArray
from graticule.report.quantities import DASH, METHODS, THIN, ShownFigure, figure_value

_MOST_DIGITS = 5


@dataclass(frozen=True)
class Amount:
    """How numbers are written.

    Attributes
    ----------
    unit : str
        May be empty.
    decimals : int or None
        After the point; None: as a power of ten.
    """

    unit: str
    decimals: int | None

    @classmethod
    def of(cls, unit: str, error: float | None, values: FloatArray) -> Self:
        """Two digits of the mean absolute error, or where that is 0, three of the range of the values."""
        spread = float(values.max() - values.min()) if len(values) else 0.0
        scale = error if error else 0.1 * spread
        if not scale:
            return cls(unit, 3)
        decimals = 1 - math.floor(math.log10(scale))
        largest = max(abs(float(values.max())), abs(float(values.min()))) if len(values) else 1.0
        odd = decimals > _MOST_DIGITS or largest >= 1e7
        return cls(unit, None if odd else max(decimals, 0))

    def plain(self, value: float | None) -> str:
        """A number without its unit, or a dash."""
        if value is None:
            return DASH
        written = f"{value:.3g}" if self.decimals is None else f"{value:,.{self.decimals}f}"
        if not written.lstrip("-").strip("0.,"):
            written = written.lstrip("-")
        return written.replace("-", "−") if "e" not in written else written

    def __call__(self, value: float | None) -> str:
        """A number with its unit, or a dash."""
        return self.plain(value) + (f"{THIN}{self.unit}" if self.unit and value is not None else "")

    def signed(self, value: float | None) -> str:
        """A difference with its sign and unit."""
        return ("+" if value is not None and value > 0 and self.plain(value).strip("0.,") else "") + self(value)

    @property
    def axis(self) -> str:
        """The unit as it follows the title of an axis."""
        return f", {self.unit}" if self.unit else ""

    def show(self, figure: Any, *, bare: bool = False) -> ShownFigure:
        """A figure with its interval; `bare`: one without a unit, such as a slope, with three decimals."""
        value, low, high = (figure_value(figure, key) for key in ("value", "low", "high"))
        write = _three if bare else self.plain
        tail = "" if bare or not self.unit else f"{THIN}{self.unit}"
        if value is None:
            return ShownFigure(None, DASH, "", "", "not defined")
        method = str(figure.get("method", "")) if isinstance(figure, Mapping) else ""
        if low is None or high is None:
            return ShownFigure(value, write(value) + tail, "", "", METHODS.get(method, "no interval"))
        level = figure_value(figure, "level") or 0.95
        hint = f"{100 * level:g}{THIN}% interval; {METHODS.get(method, method)}"
        span = f"{write(low)} to {write(high)}{tail}"
        return ShownFigure(value, write(value) + tail, f"{write(low)} to {write(high)}", span, hint)


def _three(value: float | None) -> str:
    return DASH if value is None else f"{round(value, 3) + 0.0:.3f}".replace("-", "−")
