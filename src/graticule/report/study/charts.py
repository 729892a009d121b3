"""Pictures of a study: the error of each method with its interval, and what methods say against the truth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from graticule.arrays import FloatArray
from graticule.report.svg import dot, line, nice_ticks, svg, text

_ROW, _LEFT, _WIDTH = 30.0, 300.0, 420.0
_MOST_POINTS = 500


def method_errors(
    methods: Sequence[Mapping[str, Any]],
    floor: float | None,
    title: str = "Mean absolute error of each method, with its interval",
) -> Markup:
    """A figure of each method, "mae": filled where it was trained, with its interval; a line at the floor."""
    top = max(max(row["mae"]["value"], row["mae"]["high"] or 0.0) for row in methods)
    ticks = nice_ticks(0.0, top)
    bottom = _ROW * len(methods) + 8

    def place(value: float) -> float:
        return _LEFT + _WIDTH * value / ticks[-1]

    body = []
    for tick in ticks:
        body += [line(place(tick), 4, place(tick), bottom, "grid"), text(place(tick), bottom + 16, f"{tick:g}")]
    if floor is not None:
        body += [
            line(place(floor), 4, place(floor), bottom, "base"),
            text(place(floor), bottom + 34, f"floor {floor:.3f}"),
        ]
    for i, row in enumerate(methods):
        y, mae = _ROW * (i + 0.5) + 4, row["mae"]
        body.append(text(_LEFT - 12, y + 4, row["short"], "end"))
        if mae["low"] is not None and mae["high"] is not None:
            body.append(line(place(mae["low"]), y, place(mae["high"]), y, "span"))
        body.append(dot(place(mae["value"]), y, 5.0, "dot" if row["trained"] else "dot soft", f"{mae['value']:.3f}"))
        body.append(text(place(max(mae["value"], mae["high"] or 0.0)) + 10, y + 4, f"{mae['value']:.3f}", "start"))
    return svg(_LEFT + _WIDTH + 60, bottom + 42, title, body)


def against_truth(target: FloatArray, value: FloatArray, name: str) -> Markup:
    """What a method says against the true fraction, with the line on which they agree."""
    left, top, side = 40.0, 8.0, 220.0

    def at(x: float, y: float) -> tuple[float, float]:
        return left + side * x, top + side * (1 - min(max(y, 0.0), 1.0))

    body = []
    for tick in (0.0, 0.5, 1.0):
        x, y = at(tick, tick)
        body += [line(x, top, x, top + side, "grid"), line(left, y, left + side, y, "grid")]
        body += [text(x, top + side + 16, f"{tick:g}"), text(left - 6, y + 4, f"{tick:g}", "end")]
    body.append(line(*at(0, 0), *at(1, 1), "base"))
    shown = np.unique(np.linspace(0, len(target) - 1, min(len(target), _MOST_POINTS)).astype(np.int64))
    body += [dot(*at(target[i], value[i]), 2.2, "dot", f"true {target[i]:.2f}, said {value[i]:.2f}") for i in shown]
    body.append(text(left + side / 2, top + side + 34, "true fraction"))
    return svg(left + side + 12, top + side + 44, f"{name}, against the true fraction", body)
