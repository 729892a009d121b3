"""Pictures of directions as inline SVG: the half rose with the fitted peaks, and the wheel of colours."""

import math

import numpy as np
from markupsafe import Markup

from graticule.arrays import FloatArray
from graticule.report.svg import escape, line, svg, text

_SECTOR = 5  # degrees
_RADIUS = 128.0
_LEFT, _TOP = 34.0, 20.0


def _at(direction: float, radius: float, centre: tuple[float, float]) -> str:
    angle = math.radians(direction)
    return f"{centre[0] + radius * math.cos(angle):.2f} {centre[1] - radius * math.sin(angle):.2f}"


def _half_circle(radius: float, centre: tuple[float, float]) -> str:
    return f"M{_at(0, radius, centre)} A{radius:.2f} {radius:.2f} 0 0 0 {_at(180, radius, centre)}"


def half_rose(distribution: FloatArray, fitted: FloatArray, label: str, named: float | None = None) -> Markup:
    """Shares of directions over half a turn, 0 at the right, 90 at the top, with what the mixture says of them.

    Parameters
    ----------
    distribution, fitted : float arrays, shape (180,)
        Shares of each degree; all 0: nothing to draw.
    label : str
        What a screen reader says.
    named : float, optional
        The direction that is named, degrees.

    Notes
    -----
    The area of a sector is its share: a radius is the root of the density. The dashed half circle is the density of a
    picture without direction.
    """
    centre = (_LEFT + _RADIUS, _TOP + _RADIUS)
    shares = distribution.reshape(-1, _SECTOR).sum(axis=1)
    most = max(float(shares.max()) / _SECTOR, float(fitted.max()), 1 / 180)
    scale = _RADIUS / math.sqrt(most)
    ring = scale * math.sqrt(1 / 180)
    body = [f'<path class="frame" d="{_half_circle(_RADIUS, centre)} Z"/>']
    for tick in (30, 60, 90, 120, 150):
        x, y = map(float, _at(tick, _RADIUS, centre).split())
        body.append(line(*centre, x, y, "grid"))
    for tick in (0, 45, 90, 135, 180):
        x, y = map(float, _at(tick, _RADIUS + 12, centre).split())
        body.append(text(x, y + 4, f"{tick}°"))
    if not shares.any():
        body.append(text(centre[0], centre[1] - _RADIUS / 2, "no structure"))
        return svg(2 * (_LEFT + _RADIUS), _TOP + _RADIUS + 16, label, body)
    for k, share in enumerate(shares):
        radius = scale * math.sqrt(share / _SECTOR)
        start, end = k * _SECTOR, (k + 1) * _SECTOR
        body.append(
            f'<path class="sector" d="M{centre[0]:g} {centre[1]:g} L{_at(start, radius, centre)} '
            f'A{radius:.2f} {radius:.2f} 0 0 0 {_at(end, radius, centre)} Z">'
            f"<title>{start}° to {end}°: {100 * share:.1f} %</title></path>"
        )
    body.append(f'<path class="chance" d="{_half_circle(ring, centre)}"/>')
    angles = np.arange(180) + 0.5
    points = [_at(float(a), scale * math.sqrt(max(float(f), 0)), centre) for a, f in zip(angles, fitted, strict=True)]
    body.append(f'<path class="curve second" d="M{" L".join(points)}"/>')
    if named is not None:
        x, y = map(float, _at(named, _RADIUS, centre).split())
        body.append(line(*centre, x, y, "named"))
    return svg(2 * (_LEFT + _RADIUS), _TOP + _RADIUS + 16, label, body)


def colour_wheel(side: float = 132.0) -> Markup:
    """Which colour of a survey is which direction, as a ring."""
    centre, outer, inner = (side / 2, side / 2), side / 2 - 20, side / 2 - 38
    body = []
    for start in range(0, 360, 5):
        hue = 2 * (start + 2.5) % 360
        body.append(
            f'<path fill="hsl({hue:g} 100% 50%)" d="M{_at(start, inner, centre)} L{_at(start, outer, centre)} '
            f"A{outer:g} {outer:g} 0 0 0 {_at(start + 5.3, outer, centre)} L{_at(start + 5.3, inner, centre)} "
            f'A{inner:g} {inner:g} 0 0 1 {_at(start, inner, centre)} Z"/>'
        )
    for tick in (0, 45, 90, 135):
        x, y = map(float, _at(tick, outer + 10, centre).split())
        body.append(text(x, y + 4, f"{tick}°"))
    return svg(side, side, escape("Colour of each direction in the surveys"), body)
