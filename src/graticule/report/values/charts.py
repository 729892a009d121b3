"""Pictures of predicted numbers: against the truth, their errors, their limits, and against simpler methods."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from graticule.arrays import FloatArray, IntArray
from graticule.report.axes import Panel, tick_label, ticks_over
from graticule.report.svg import dot, escape, line, short, svg, text

# colours of groups; more groups than colours share them
HUES = 8
MOST_POINTS = 1500
_BINS = 8
_LETTER = 6.4  # width of a letter of a label, on average


@dataclass(frozen=True)
class Points:
    """Images to draw.

    Attributes
    ----------
    target, value, low, high : float arrays, shape (n,)
        NaN limits: none.
    group : int array, shape (n,)
        Number of the group, for its colour.
    title : list of str
        What is shown under the pointer.
    """

    target: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    group: IntArray
    title: Sequence[str]

    def __len__(self) -> int:
        return len(self.target)

    @property
    def error(self) -> FloatArray:
        """Predicted less true, shape (n,)."""
        return self.value - self.target

    @property
    def drawn(self) -> IntArray:
        """Rows that are drawn: all, or evenly chosen ones where there are too many to see."""
        return np.unique(np.linspace(0, len(self) - 1, min(len(self), MOST_POINTS)).astype(np.int64))


def _mark(points: Points, i: int, x: float, y: float, radius: float) -> str:
    return dot(x, y, radius, f"mark g{int(points.group[i]) % HUES}", points.title[i])


def _radius(n: int) -> float:
    return 3.4 if n <= 300 else 2.6 if n <= 800 else 2.0


def truth_figure(points: Points, name: str, unit: str) -> Markup:
    """Predicted against true values, with limits, and the line on which they agree."""
    known = np.isfinite(points.low) & np.isfinite(points.high)
    ends = [points.target, points.value, points.low[known], points.high[known]]
    ticks = ticks_over([float(f(each)) for each in ends if len(each) for f in (np.min, np.max)])
    panel = Panel(58.0, 8.0, 420.0, 420.0, ticks, ticks)
    body = panel.frame(f"true {name}{unit}", f"predicted {name}{unit}")
    x1, y1 = panel.at(ticks[0], ticks[0])
    x2, y2 = panel.at(ticks[-1], ticks[-1])
    body.append(line(x1, y1, x2, y2, "same"))
    drawn = points.drawn
    for i in drawn:
        if known[i]:
            (x, low), (_, high) = (panel.at(points.target[i], end[i]) for end in (points.low, points.high))
            body.append(line(x, low, x, high, f"reach g{points.group[i] % HUES}"))
    body += [_mark(points, i, *panel.at(points.target[i], points.value[i]), _radius(len(drawn))) for i in drawn]
    return svg(494, 470, f"Predicted against true {name}, with limits and the line of agreement", body)


def error_figure(points: Points, by: str, name: str, unit: str, agreement: tuple[float, float] | None) -> Markup:
    """Errors against the true ("target") or the predicted ("value") number, with their running mean.

    Parameters
    ----------
    points : Points
    by : "target" or "value"
    name, unit : str
    agreement : (float, float) or None
        Limits between which 95 % of the errors lie.
    """
    across, error = getattr(points, by), points.error
    spread = [float(error.min()), float(error.max()), 0.0, *(agreement or ())]
    panel = Panel(58.0, 8.0, 400.0, 250.0, ticks_over([float(across.min()), float(across.max())]), ticks_over(spread))
    word = "true" if by == "target" else "predicted"
    body = panel.frame(f"{word} {name}{unit}", f"predicted less true{unit}")
    body.append(panel.level(0.0, "same"))
    body += [panel.level(limit, "limit") for limit in agreement or ()]
    drawn = points.drawn
    body += [_mark(points, i, *panel.at(across[i], error[i]), _radius(len(drawn))) for i in drawn]
    bins = np.array_split(np.argsort(across, kind="stable"), min(_BINS, max(len(points) // 8, 1)))
    middle = [(float(across[rows].mean()), float(error[rows].mean())) for rows in bins if len(rows)]
    if len(middle) > 1:
        body.append(panel.path(middle, "join strong"))
    return svg(474, 300, f"Errors against the {word} {name}", body)


def group_error_figure(points: Points, names: Sequence[str], unit: str, several: str) -> Markup:
    """Errors of each group's images, groups in order of their mean error; the tick is the mean."""
    means = np.bincount(points.group, weights=points.error) / np.bincount(points.group)
    order = np.argsort(means, kind="stable")
    error = points.error
    ticks = ticks_over([float(error.min()), float(error.max()), 0.0])
    panel = Panel(58.0, 8.0, 860.0, 230.0, [0.0, float(len(order))], ticks)
    body = panel.frame(f"{several}, in order of their mean error", f"predicted less true{unit}", across=False)
    body.append(panel.level(0.0, "same"))
    step = panel.width / len(order)
    drawn = set(points.drawn.tolist())
    for place, g in enumerate(order):
        rows = np.flatnonzero(points.group == g).tolist()
        (x, low), (_, top) = (panel.at(place + 0.5, float(end(error[rows]))) for end in (np.min, np.max))
        body.append(line(x, low, x, top, "reach"))
        body += [_mark(points, i, x, panel.at(0.0, error[i])[1], min(_radius(len(drawn)), max(step / 3, 1.2)))
                 for i in rows if i in drawn]  # fmt: skip
        y = panel.at(0.0, float(means[g]))[1]
        half = min(max(step * 0.35, 1.5), 8.0)
        title = f"{names[g]}: mean error {tick_label(float(f'{means[g]:.3g}'))}, {len(rows)} images"
        body.append(f"<g>{line(x - half, y, x + half, y, 'base')}<title>{escape(title)}</title></g>")
    return svg(934, 282, f"Errors of the images of each of {len(order)} {several}", body)


def coverage_figure(
    thirds: Sequence[tuple[float, float, float | None, float | None]], level: float, unit: str
) -> Markup:
    """Share of intervals that hold, against their mean width, for each third of the images by width.

    Parameters
    ----------
    thirds : sequence of (width, coverage, low, high)
    level : float
        What is promised.
    unit : str
    """
    shares = [share for _, *own in thirds for share in own if share is not None]
    y = [tick for tick in ticks_over([*shares, level, 1.0], 5) if tick <= 1.0 + 1e-9]
    panel = Panel(58.0, 8.0, 380.0, 220.0, ticks_over([0.0, *(width for width, *_ in thirds)], 5), y)
    body = [*panel.frame(f"mean width of the limits{unit}", "hold the true value, percent", percent=True)]
    body.append(panel.level(level, "base"))
    body.append(panel.path([(width, share) for width, share, *_ in thirds], "join"))
    for name, (width, share, low, high) in zip(("narrowest", "middle", "widest"), thirds, strict=False):
        x, at = panel.at(width, share)
        if low is not None and high is not None:
            body.append(line(x, panel.at(width, low)[1], x, panel.at(width, high)[1], "span"))
        body.append(dot(x, at, 4, "dot", f"{name} third: {100 * share:.1f} % of limits {width:.3g} wide hold"))
    return svg(454, 270, "Share of limits that hold the true value against their width", body)


def methods_figure(rows: Sequence[tuple[str, float, float | None, float | None]], unit: str) -> Markup:
    """Mean absolute error of the model (first) and of simpler methods, with intervals, from 0.

    Parameters
    ----------
    rows : sequence of (name, error, low, high)
    unit : str
    """
    row = 27.0
    # as wide as the longest name
    left = min(310.0, 30.0 + _LETTER * max(len(short(name, 50)) for name, *_ in rows))
    ticks = ticks_over([0.0, *(v for _, *own in rows for v in own if v is not None)])
    height = row * len(rows)
    panel = Panel(left, 4.0, 430.0, height, ticks, [0.0, 1.0])
    body = []
    for tick in ticks:
        x, _ = panel.at(tick, 0.0)
        body += [line(x, panel.top, x, panel.bottom, "grid"), text(x, panel.bottom + 15, tick_label(tick))]
    for i, (name, error, low, high) in enumerate(rows):
        y = panel.top + row * (i + 0.5)
        kind = "" if i == 0 else " second"
        body.append(text(left - 12, y + 4, short(name, 50), "end"))
        if low is not None and high is not None:
            body.append(line(panel.at(low, 0)[0], y, panel.at(high, 0)[0], y, f"span{kind}"))
        title = f"{name}: {error:.3g}"
        body.append(dot(panel.at(error, 0)[0], y, 4, "dot" if i == 0 else "open", title))
    body.append(text(left + panel.width / 2, panel.bottom + 32, f"mean absolute error{unit}"))
    return svg(left + panel.width + 24, height + 44, "Mean absolute error of the model and of simpler methods", body)


def learning_value_figure(points: Sequence[tuple[float, float, float | None, float | None]], unit: str) -> Markup:
    """Mean absolute error against the number of training images; points are (n, error, low, high)."""
    x = ticks_over([0.0, *(n for n, *_ in points)], 5)
    y = ticks_over([0.0, *(v for _, *own in points for v in own if v is not None)], 5)
    panel = Panel(58.0, 8.0, 400.0, 220.0, x, y)
    body = panel.frame("training images", f"mean absolute error{unit}")
    body.append(panel.path([(n, error) for n, error, *_ in points], "join"))
    for n, error, low, high in points:
        across, at = panel.at(n, error)
        if low is not None and high is not None:
            body.append(line(across, panel.at(n, max(low, y[0]))[1], across, panel.at(n, min(high, y[-1]))[1], "span"))
        body.append(dot(across, at, 4, "dot", f"{n:,.0f} training images: {error:.3g}"))
    return svg(474, 270, "Learning curve: mean absolute error against training images", body)


def fold_panel(test: FloatArray, rest: FloatArray, edges: FloatArray, name: str) -> Markup:
    """Distribution of the true numbers of a fold (bars) over that of the others (outline), as shares."""
    shares = [np.histogram(each, edges)[0] / max(len(each), 1) for each in (test, rest)]
    top = float(max(share.max() for share in shares)) or 1.0
    panel = Panel(8.0, 6.0, 190.0, 84.0, [float(edges[0]), float(edges[-1])], [0.0, 1.1 * top])
    body = panel.bars(shares[0].tolist(), edges.tolist())
    bins = zip(shares[1], edges, edges[1:], strict=False)
    steps = [(float(edge), float(share)) for share, *ends in bins for edge in ends]
    body.append(panel.path(steps, "outline"))
    body.append(line(panel.left, panel.bottom, panel.left + panel.width, panel.bottom, "axis"))
    for edge, anchor in ((edges[0], "start"), (edges[-1], "end")):
        body.append(text(panel.at(float(edge), 0.0)[0], panel.bottom + 14, tick_label(float(f"{edge:.4g}")), anchor))
    return svg(206, 108, f"True {name} of a fold and of the others", body)
