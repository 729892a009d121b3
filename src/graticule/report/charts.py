"""Pictures of values with their intervals: cards, classes, folds, groups, learning curve."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from graticule.report.curves import funnel_limits
from graticule.report.quantities import figure_value, percent
from graticule.report.svg import dot, line, nice_ticks, short, svg, text


def interval_bar(figure: Any) -> Markup:
    """A figure on the scale 0 to 1, with its interval and a tick at the baseline; empty when not defined."""
    value, low, high, base = (figure_value(figure, key) for key in ("value", "low", "high", "baseline"))
    if value is None:
        return Markup("")
    left, width, middle = 4.0, 152.0, 8.0
    body = [line(left, middle, left + width, middle, "track")]
    if base is not None:
        body.append(line(left + width * base, middle - 6, left + width * base, middle + 6, "base"))
    if low is not None and high is not None:
        body.append(line(left + width * low, middle, left + width * high, middle, "span"))
    body.append(dot(left + width * value, middle, 3.6, "dot", percent(value)))
    return svg(160, 16, "The figure on a scale from 0 to 1, with its interval and the baseline", body)


def _axis_to_one(values: Sequence[float | None]) -> list[float]:
    """Ticks from a round number below every value up to 1."""
    known = [value for value in values if value is not None]
    return [tick for tick in nice_ticks(min([*known, 0.99]), 1.0) if tick >= 0.0]


def _draw_axis(left: float, width: float, bottom: float, ticks: Sequence[float]) -> list[str]:
    """Grid lines and percentages of a horizontal axis that spans the ticks."""
    body = []
    for tick in ticks:
        x = left + width * (tick - ticks[0]) / (ticks[-1] - ticks[0])
        body += [line(x, 4, x, bottom, "grid"), text(x, bottom + 15, f"{100 * tick:g}")]
    return body


def class_figure(per_class: dict[str, Any]) -> Markup:
    """Sensitivity (disc) and precision (open diamond) of each class with intervals, on one axis in percent."""
    left, width, row = 176.0, 560.0, 27.0
    bottom = row * len(per_class) + 8
    ends = [
        figure_value(m[key], end)
        for m in per_class.values()
        for key in ("sensitivity", "precision")
        for end in ("value", "low")
    ]
    ticks = _axis_to_one(ends)
    low, body = ticks[0], _draw_axis(left, width, bottom, ticks)

    def place(share: float) -> float:
        return left + width * (share - low) / (1.0 - low)

    for i, (name, figures) in enumerate(per_class.items()):
        y = 4 + row * (i + 0.5)
        body.append(text(left - 12, y + 4, short(name), "end"))
        for key, shift in (("sensitivity", -5.0), ("precision", 5.0)):
            value, start, stop = (figure_value(figures[key], end) for end in ("value", "low", "high"))
            if value is None:
                continue
            if start is not None and stop is not None:
                body.append(
                    line(place(start), y + shift, place(stop), y + shift, "span" if shift < 0 else "span second")
                )
            x, title = place(value), f"{short(name)}: {key} {percent(value)}"
            if key == "sensitivity":
                body.append(dot(x, y + shift, 4, "dot", title))
            else:
                body.append(f'<path class="open" d="M{x - 4.6:.5g},{y + shift:.5g}l4.6,-4.6 4.6,4.6 -4.6,4.6z"/>')
    body.append(text(left + width / 2, bottom + 32, "percent"))
    return svg(left + width + 16, bottom + 38, "Sensitivity and precision of each class with their intervals", body)


def fold_figure(rows: Sequence[tuple[str, Sequence[float | None], float | None]]) -> Markup:
    """One line per figure: a disc per fold and a tick at the headline value.

    Parameters
    ----------
    rows : sequence of (name, values, headline)
        Values per fold in [0, 1], in order of the folds.
    """
    left, width, row = 176.0, 560.0, 34.0
    bottom = row * len(rows) + 4
    ticks = _axis_to_one([value for _, values, _ in rows for value in values])
    low, body = ticks[0], _draw_axis(left, width, bottom, ticks)
    for i, (name, values, headline) in enumerate(rows):
        y = 4 + row * (i + 0.5)
        body.append(text(left - 12, y + 4, name, "end"))
        if headline is not None:
            x = left + width * (headline - low) / (1.0 - low)
            body.append(line(x, y - 11, x, y + 11, "base"))
        for fold, value in enumerate(values):
            if value is not None:
                x = left + width * (value - low) / (1.0 - low)
                body.append(dot(x, y, 5, "dot soft", f"fold {fold}: {percent(value)}"))
    body.append(text(left + width / 2, bottom + 32, "percent (AUC and average precision times 100)"))
    return svg(left + width + 16, bottom + 38, "Figures of each fold", body)


def group_figure(sizes: Sequence[int], shares: Sequence[float], overall: float) -> Markup:
    """Funnel plot: accuracy of each group against its number of images, with the limits of chance.

    Parameters
    ----------
    sizes : sequence of int
        Images per group.
    shares : sequence of float
        Accuracy per group.
    overall : float
        Accuracy over all images.
    """
    left, top, width, height = 48.0, 8.0, 660.0, 240.0
    bottom = top + height
    first, last = math.log(min(sizes) / 1.25), math.log(max(sizes) * 1.25)
    grid = np.unique(np.rint(np.geomspace(min(sizes), max(sizes), 120)).astype(np.int64))
    lower, upper = funnel_limits(grid, overall)
    ticks = _axis_to_one([*shares, overall, float(lower.min())])

    def place(n: float, share: float) -> tuple[float, float]:
        across = (math.log(n) - first) / (last - first)
        return left + width * across, bottom - height * (share - ticks[0]) / (1.0 - ticks[0])

    body = []
    for tick in ticks:
        y = place(1, tick)[1]
        body += [line(left, y, left + width, y, "grid"), text(left - 6, y + 4, f"{100 * tick:g}", "end")]
    y = place(1, overall)[1]
    body += [line(left, bottom, left + width, bottom, "axis"), line(left, y, left + width, y, "base")]
    for limit in (lower, upper):
        path = " ".join("{:.5g},{:.5g}".format(*place(n, share)) for n, share in zip(grid, limit, strict=True))
        body.append(f'<path class="limit" d="M{path}"/>')
    for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000):
        if first <= math.log(n) <= last:
            body.append(text(place(n, 1)[0], bottom + 20, f"{n:,}"))
    piles = Counter(zip(sizes, shares, strict=True))
    for (n, share), groups in sorted(piles.items()):
        x, y = place(n, share)
        title = f"{groups} group{'s' if groups > 1 else ''} of {n} images: {percent(share)}"
        body.append(dot(x, y, min(4.0 * math.sqrt(groups), 14.0), "dot soft", title))
    body.append(text(left + width / 2, bottom + 37, "images in the group"))
    middle = top + height / 2
    body.append(text(11, middle, "accuracy, percent", extra=f' transform="rotate(-90 11 {middle:g})"'))
    return svg(left + width + 16, bottom + 44, "Accuracy of each group against its number of images", body)


def learning_figure(points: Sequence[tuple[float, float, float | None, float | None]]) -> Markup:
    """Balanced accuracy against the number of training images.

    Parameters
    ----------
    points : sequence of (n_train, value, low, high)
    """
    left, top, width, height = 48.0, 8.0, 460.0, 220.0
    bottom = top + height
    values = [v for point in points for v in point[1:] if v is not None]
    ticks = nice_ticks(min(values), min(1.0, max(values)))
    low, high = ticks[0], ticks[-1]
    across = nice_ticks(0.0, max(point[0] for point in points))

    def place(n: float, value: float) -> tuple[float, float]:
        return left + width * n / across[-1], bottom - height * (value - low) / (high - low)

    body = []
    for tick in ticks:
        y = place(0, tick)[1]
        body += [line(left, y, left + width, y, "grid"), text(left - 6, y + 4, f"{100 * tick:g}", "end")]
    body += [text(place(tick, low)[0], bottom + 15, f"{tick:,.0f}") for tick in across]
    path = " ".join("{:.5g},{:.5g}".format(*place(n, value)) for n, value, *_ in points)
    body += [line(left, bottom, left + width, bottom, "axis"), f'<path class="join" d="M{path}"/>']
    for n, value, start, stop in points:
        x, y = place(n, value)
        if start is not None and stop is not None:
            body.append(line(x, place(n, start)[1], x, place(n, stop)[1], "span"))
        body.append(dot(x, y, 4, "dot", f"{n:,.0f} training images: {percent(value)}"))
    body.append(text(left + width / 2, bottom + 31, "training images"))
    middle = top + height / 2
    body.append(text(11, middle, "balanced accuracy, percent", extra=f' transform="rotate(-90 11 {middle:g})"'))
    return svg(left + width + 16, bottom + 38, "Learning curve: balanced accuracy against training images", body)
