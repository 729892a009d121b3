"""Drawing primitives for inline SVG; every colour is a class that the style sheet resolves."""

import html
import math
from collections.abc import Sequence

from markupsafe import Markup

from graticule.plain_text import visible


def short(text: str, width: int = 24) -> str:
    """Cut a name to `width` characters, in its middle, so that both ends stay readable."""
    if len(text) <= width:
        return text
    head = (width - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Two or more round positions that cover [low, high], in steps of 1, 2 or 5 times a power of ten."""
    low = low if high - low > 1e-6 else high - 0.01
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def escape(words: str) -> str:
    """Words as text or attribute of markup; what would act instead of show is written out."""
    return html.escape(visible(words))


def svg(width: float, height: float, label: str, body: Sequence[str]) -> Markup:
    """A whole plot of `width` x `height` units; `label` is what a screen reader says."""
    inside = "".join(body)
    # Safe as markup: every text in it went through text() or escape().
    return Markup(
        f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" style="--w:{width:g}px" role="img" '
        f'aria-label="{escape(label)}">{inside}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "middle", extra: str = "") -> str:
    """Words at a point; `anchor` is start, middle or end, `extra` further attributes."""
    return f'<text x="{x:.5g}" y="{y:.5g}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line of the class `kind`."""
    return f'<line class="{kind}" x1="{x1:.5g}" y1="{y1:.5g}" x2="{x2:.5g}" y2="{y2:.5g}"/>'


def dot(x: float, y: float, radius: float, kind: str, title: str) -> str:
    """A dot of the class `kind` that shows `title` under the pointer."""
    circle = f'<circle class="{kind}" cx="{x:.5g}" cy="{y:.5g}" r="{radius:.3g}">'
    return f"{circle}<title>{escape(title)}</title></circle>"
