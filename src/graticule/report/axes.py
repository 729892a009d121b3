"""A plot with two axes of numbers in any unit: ticks, grid, titles, and where a point lies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from graticule.report.svg import line, nice_ticks, text


def ticks_over(values: Sequence[float], about: int = 6) -> list[float]:
    """Two or more round positions that cover the values, however large or small their unit makes them."""
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        pad = 0.05 * abs(high) or 1.0
        low, high = low - pad, high + pad
    power = 10.0 ** math.floor(math.log10(high - low))
    return [tick * power for tick in nice_ticks(low / power, high / power, about)]


def tick_label(tick: float) -> str:
    """A tick as it stands at an axis, with a true minus."""
    return f"{tick + 0.0:.6g}".replace("-", "−")


@dataclass(frozen=True)
class Panel:
    """The area that two axes span.

    Attributes
    ----------
    left, top, width, height : float
        Of the area, in units of the drawing.
    x, y : list of float
        Ticks; the first and the last are the ends of the axes.
    """

    left: float
    top: float
    width: float
    height: float
    x: Sequence[float]
    y: Sequence[float]

    @property
    def bottom(self) -> float:
        """Where the horizontal axis lies."""
        return self.top + self.height

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the drawing."""
        across = (x - self.x[0]) / (self.x[-1] - self.x[0])
        up = (y - self.y[0]) / (self.y[-1] - self.y[0])
        return self.left + self.width * across, self.bottom - self.height * up

    def frame(self, x_title: str, y_title: str, *, percent: bool = False, across: bool = True) -> list[str]:
        """Grid, ticks and titles; `percent`: the upward axis is a share, written in percent; `across`: x has ticks."""
        body = []
        for tick in self.y:
            _, y = self.at(self.x[0], tick)
            body.append(line(self.left, y, self.left + self.width, y, "grid"))
            body.append(text(self.left - 6, y + 4, tick_label(100 * tick if percent else tick), "end"))
        for tick in self.x if across else ():
            x, _ = self.at(tick, self.y[0])
            body.append(line(x, self.top, x, self.bottom, "grid"))
            body.append(text(x, self.bottom + 15, tick_label(tick)))
        body.append(line(self.left, self.bottom, self.left + self.width, self.bottom, "axis"))
        body.append(text(self.left + self.width / 2, self.bottom + 33, x_title))
        middle = self.top + self.height / 2
        body.append(text(12, middle, y_title, extra=f' transform="rotate(-90 12 {middle:g})"'))
        return body

    def level(self, y: float, kind: str) -> str:
        """A horizontal line across the area."""
        _, at = self.at(self.x[0], y)
        return line(self.left, at, self.left + self.width, at, kind)

    def bars(self, heights: Sequence[float], edges: Sequence[float]) -> list[str]:
        """A bar over each pair of neighbouring edges, from the horizontal axis up."""
        found = []
        for height, left, right in zip(heights, edges, edges[1:], strict=False):
            (x1, y), (x2, _) = self.at(left, height), self.at(right, 0.0)
            place = f'x="{x1 + 0.6:.5g}" y="{y:.5g}" width="{x2 - x1 - 1.2:.5g}" height="{self.bottom - y:.5g}"'
            found.append(f'<rect class="bar-of" {place}/>')
        return found

    def path(self, points: Sequence[tuple[float, float]], kind: str) -> str:
        """A broken line through points."""
        found = " ".join("{:.5g},{:.5g}".format(*self.at(x, y)) for x, y in points)
        return f'<path class="{kind}" d="M{found}"/>'
