"""Pictures as inline SVG. Colours are CSS custom properties, so that one picture serves light, dark and print."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from graticule.report.curves import Curve, step_vertices, thin
from graticule.report.svg import dot, line, svg, text

GRID = 1000


def curve_path(curve: Curve, steps: bool, name: str) -> str:
    """One curve as an SVG path on a grid of 1000 cells, y upwards; stroke and colour come from where it is used."""
    points = thin(step_vertices(curve) if steps else curve, GRID)
    if not len(points):
        return ""
    d = "M" + " ".join(f"{x},{y}" for x, y in points.tolist())
    return f'<path id="{name}" vector-effect="non-scaling-stroke" d="{d}"/>'


def curve_backdrop(curves: Sequence[Curve], steps: bool, name: str) -> Markup:
    """All classes' curves, written once: the group has the id `name`, the curve of class k the id `name`-k."""
    paths = "".join(curve_path(curve, steps, f"{name}-{k}") for k, curve in enumerate(curves))
    return Markup(
        f'<svg class="defs" width="0" height="0" aria-hidden="true"><defs><g id="{name}">{paths}</g></defs></svg>'
    )


def zoom_window(point: tuple[float, float], steps: bool) -> float | None:
    """Side of the corner worth enlarging: 0.1, 0.2 or 0.4 of the axes, or None when the curve needs no lens."""
    reach = max(1.0 - point[1], 1.0 - point[0] if steps else point[0])
    return next((side for side in (0.1, 0.2, 0.4) if reach <= 0.7 * side), None)


def _lens(name: str, k: int, steps: bool, window: float, frame: tuple[float, float, float]) -> list[str]:
    """Enlarged upper corner of the unit square (left one, or right one for steps) at frame = (x, y, side)."""
    x, y, side = frame
    # A margin outside the unit square keeps lines that run along its edge whole.
    cells, margin = GRID * window, GRID * window * 0.04
    start = GRID - cells if steps else -margin
    move = f"translate({-start:g} {GRID + margin:g}) scale(1 -1)"
    uses = f'<use class="ghost" href="#{name}"/><use class="curve" href="#{name}-{k}"/>'
    view = f'viewBox="0 0 {cells + margin:g} {cells + margin:g}"'
    return [
        f'<rect class="lens" x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}"/>',
        f'<svg x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" {view}><g transform="{move}">{uses}</g></svg>',
        text(x + side / 2, y + side + 12, f"corner, {1 / window:g} ×"),
    ]


def curve_panel(
    curve: Curve, name: str, k: int, axes: tuple[str, str], chance: float | None, point: tuple[float, float] | None
) -> Markup:
    """Curve of class k over the faint curves of all classes.

    Parameters
    ----------
    curve : Curve
        Empty where not defined.
    name : str
        Id of the drawing made by `curve_backdrop`.
    axes : (str, str)
        Titles of x and y.
    chance : float or None
        Height of the line of chance, for curves drawn in steps; None draws the diagonal.
    point : (float, float) or None
        Where the decision for the highest-scoring class lies; a good classifier's corner is enlarged around it.
    """
    left, top, side = 22.0, 6.0, 186.0
    bottom, right, steps = top + side, left + side, chance is not None
    body = [f'<rect class="frame" x="{left}" y="{top}" width="{side}" height="{side}"/>']
    for tick, words in ((0.0, "0"), (1.0, "1")):
        body.append(text(left + side * tick, bottom + 13, words))
        body.append(text(left - 5, bottom - side * tick + 4, words, "end"))
    for tick in (0.25, 0.5, 0.75):
        body.append(line(left + side * tick, top, left + side * tick, bottom, "grid"))
        body.append(line(left, bottom - side * tick, right, bottom - side * tick, "grid"))
    ends = (0.0, 1.0) if chance is None else (chance, chance)
    body.append(line(left, bottom - side * ends[0], right, bottom - side * ends[1], "chance"))
    body.append(text(left + side / 2, bottom + 14, axes[0]))
    body.append(text(13, top + side / 2, axes[1], extra=f' transform="rotate(-90 13 {top + side / 2:g})"'))
    if not curve.defined:
        body.append(text(left + side / 2, top + side / 2, "not defined"))
        return svg(214, 212, f"{axes[1]} against {axes[0]}: not defined", body)
    move = f"translate({left:g} {bottom:g}) scale({side / GRID:g} {-side / GRID:g})"
    uses = f'<use class="ghost" href="#{name}"/><use class="curve" href="#{name}-{k}"/>'
    body.append(f'<g transform="{move}">{uses}</g>')
    if point is not None:
        window = zoom_window(point, steps)
        if window is not None:
            body += _lens(name, k, steps, window, (left + 14 if steps else right - 98, bottom - 108, 84.0))
        x, y = left + side * point[0], bottom - side * point[1]
        body.append(dot(x, y, 3.6, "point", f"highest score wins: {axes[0]} {point[0]:.3f}, {axes[1]} {point[1]:.3f}"))
    return svg(214, 212, f"{axes[1]} against {axes[0]}", body)


def reliability_figure(diagram: Mapping[str, Any]) -> Markup:
    """Share right against confidence with its interval, disc area by number of images.

    Parameters
    ----------
    diagram : mapping
        As decisions.json holds it: lists "score", "accuracy", "low", "high" (None without an interval) and "n", an
        entry per bin.
    """
    left, top, side = 46.0, 8.0, 300.0
    bottom = top + side
    body = [f'<rect class="frame" x="{left}" y="{top}" width="{side}" height="{side}"/>']
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = left + side * tick, bottom - side * tick
        body += [line(x, top, x, bottom, "grid"), line(left, y, left + side, y, "grid")]
        body += [text(left - 6, y + 4, f"{tick:g}", "end"), text(x, bottom + 15, f"{tick:g}")]
    body.append(line(left, bottom, left + side, top, "chance"))
    most = max(diagram["n"], default=1)
    bins = zip(*(diagram[key] for key in ("score", "accuracy", "low", "high", "n")), strict=True)
    for score, accuracy, low, high, n in bins:
        x = left + side * score
        title = f"{n} images, mean confidence {score:.3f}, right {accuracy:.3f}"
        if low is not None and high is not None:
            body.append(line(x, bottom - side * low, x, bottom - side * high, "span"))
            title += f" ({low:.3f} to {high:.3f})"
        body.append(dot(x, bottom - side * accuracy, 2.5 + 3.5 * math.sqrt(n / most), "dot", title))
    body.append(text(left + side / 2, bottom + 31, "confidence: score of the class given"))
    body.append(text(12, top + side / 2, "share right", extra=f' transform="rotate(-90 12 {top + side / 2:g})"'))
    label = "Reliability diagram: share of images that were right against the score of the class given"
    return svg(left + side + 10, bottom + 38, label, body)
