"""Info bars drawn at random: the makers' habits, with what differs between models, years and settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from graticule.phantoms.infobar import DrawnBar, scale_bar

_LAYOUTS = ("zeiss", "thermo", "jeol", "hitachi", "tescan")
_TONES = ((0, 255), (0, 230), (255, 0), (240, 20), (28, 250), (64, 255), (128, 255), (128, 0), (190, 10))


@dataclass(frozen=True)
class Variant:
    """What is drawn of a bar: layout, place, rows, greys, what it holds and how large the text is.

    `content` is "text", "scale" (a scale bar alone), "logo" or "blank"; `second` is the ground of the right-hand part
    (the same as `ground` without one); `slope` is the change of the ground's grey from its first row to its last.
    """

    layout: str
    place: str
    height: int
    ground: int
    second: int
    ink: int
    content: str
    text_share: float
    frame: bool
    slope: int


def draw_variant(rng: np.random.Generator, size: int, mean_grey: int) -> Variant:
    """A random variant for an image of `size` rows; every tenth bar has the picture's own mean grey as ground."""
    ground, ink = _TONES[int(rng.integers(len(_TONES)))]
    if rng.random() < 0.1:
        ground, ink = mean_grey, 255 if mean_grey < 128 else 0
    layout = str(rng.choice(_LAYOUTS))
    two_tone = rng.random() < (0.6 if layout == "tescan" else 0.1)
    slope = int(rng.integers(4, 16)) if rng.random() < 0.1 else 0
    return Variant(
        layout=layout,
        place="top" if rng.random() < 0.2 else "bottom",
        height=max(8, round(size * rng.uniform(0.04, 0.14))),
        ground=ground,
        second=int(np.clip(ground + (50 if ground < 128 else -50), 0, 255)) if two_tone else ground,
        ink=ink,
        content=str(rng.choice(["text", "scale", "logo", "blank"], p=[0.7, 0.12, 0.08, 0.1])),
        text_share=float(rng.uniform(0.6, 0.95)),
        frame=bool(rng.random() < 0.35),
        slope=slope if ground < 128 else -slope,
    )


def stamp_variant(
    image: NDArray[np.uint8], rng: np.random.Generator, variant: Variant | None = None
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The image with a random bar over its lowest or highest rows, and the bar's first row and the row after its last.

    Parameters
    ----------
    image : uint8 array, shape (h, w)
        At least 64 rows and 64 columns.
    rng : numpy.random.Generator
    variant : Variant or None
        What to draw; None draws it from `rng`.
    """
    height, width = image.shape
    chosen = draw_variant(rng, height, round(float(image.mean()))) if variant is None else variant
    panel = _ground(chosen, width)
    ink = Image.new("L", (width, chosen.height), 0)
    bar = DrawnBar(ImageDraw.Draw(ink), width, chosen.height, 255, *scale_bar(_log_uniform(rng, 1, 500), width))
    _write(bar, chosen, rng)
    share = np.asarray(ink, dtype=np.float64) / 255
    stamped = image.copy()
    top = 0 if chosen.place == "top" else height - chosen.height
    stamped[top : top + chosen.height] = np.rint(panel + share * (chosen.ink - panel)).astype(np.uint8)
    return stamped, (top, top + chosen.height)


def _ground(variant: Variant, width: int) -> NDArray[np.float64]:
    """The bar's ground, shape (height, width): one grey, two greys side by side, or fading downwards."""
    ground = np.full((variant.height, width), float(variant.ground))
    ground[:, round(0.72 * width) :] = variant.second
    ground += variant.slope * np.linspace(0, 1, variant.height)[:, None]
    return np.asarray(np.rint(np.clip(ground, 0, 255)))


def _write(bar: DrawnBar, variant: Variant, rng: np.random.Generator) -> None:
    """Lay text, scale bar, rules and logo over the ground."""
    if variant.frame:
        bar.draw.rectangle((0, 0, bar.width - 1, bar.height - 1), outline=bar.ink)
    if variant.content == "scale":
        _draw_scale(bar, variant, 0.1 * bar.width, 0.3 * bar.height, bar.height * 0.5)
    elif variant.content == "logo":
        bar.text(0.74 * bar.width, 0.2 * bar.height, variant.layout.upper(), 0.55 * bar.height)
    elif variant.content == "text":
        _write_text(bar, variant, rng)


def _write_text(bar: DrawnBar, variant: Variant, rng: np.random.Generator) -> None:
    """Settings in one to three lines, in cells where the make rules them off; then the scale bar and the name."""
    lines = {"jeol": 1, "hitachi": 1, "zeiss": 2, "thermo": 2, "tescan": 3}[variant.layout]
    if bar.height < 13 * lines:
        lines = max(1, bar.height // 13)
    pitch = bar.height / lines
    size = float(max(6, round(min(0.8 * pitch * variant.text_share, bar.width / 26))))
    gap = max(1.0, 0.5 * (pitch - 1.25 * size))
    words = _settings(variant.layout, rng)
    x, used = 0.015 * bar.width, 0
    ruled = variant.layout in ("thermo", "tescan", "zeiss")
    while used < len(words) and x < 0.55 * bar.width:
        cell = words[used : used + lines]
        ends = [bar.text(x, i * pitch + gap, word, size) for i, word in enumerate(cell)]
        x, used = max(ends) + 0.8 * size, used + lines
        if ruled:
            bar.rule((x - 0.4 * size, 0, x - 0.4 * size, bar.height))
    if variant.layout == "tescan":
        for i in range(1, lines):
            bar.rule((0, round(i * pitch), bar.width, round(i * pitch)))
    _draw_scale(bar, variant, min(x + size, 0.72 * bar.width), max(2.0, 0.12 * bar.height), size)
    if variant.layout in ("zeiss", "tescan", "jeol"):
        bar.text(0.86 * bar.width, gap, variant.layout.upper(), size)


def _draw_scale(bar: DrawnBar, variant: Variant, x: float, y: float, size: float) -> None:
    """A scale bar with its caption: a ruler of eleven ticks, a line with end marks, or a thick line."""
    end, thick = x + bar.scale_px, max(1, bar.height // 16)
    if variant.layout == "hitachi":
        for tick in range(11):
            at = x + tick * bar.scale_px / 10
            bar.rule((at, y, at, y + (4 if tick % 5 else 7) * thick))
        y += 4 * thick
    else:
        bar.rule((x, y + thick, end, y + thick), thick)
        if variant.layout != "jeol":
            for at in (x, end):
                bar.rule((at, y - thick, at, y + 3 * thick))
    if y + 4 * thick + size < bar.height:
        bar.text(x + 2, y + 3 * thick, bar.scale_text, min(size, 0.5 * bar.height))


def _settings(layout: str, rng: np.random.Generator) -> list[str]:
    """Beam energy, working distance, magnification and so on, as the make words them."""
    energy, distance = float(rng.choice([1, 2, 5, 10, 15, 20, 30])), float(rng.uniform(2, 20))
    power, number = _log_uniform(rng, 0.1, 200), int(rng.integers(1, 9999))
    spot, field = float(rng.uniform(1, 6)), _log_uniform(rng, 0.5, 3000)
    words = {
        "zeiss": f"EHT = {energy:.2f} kV|WD = {distance:.1f} mm|Signal A = SE2|Mag = {power:.2f} K X"
        f"|Date :{number % 28 + 1} May 2019|Photo No. = {number}",
        "thermo": f"HV|{energy:.2f} kV|spot|{spot:.1f}|det|ETD|WD|{distance:.1f} mm"
        f"|mag|{1000 * power:,.0f} x|HFW|{field:.3g} µm",
        "jeol": f"JEOL  SEI  {energy:.1f}kV  X{1000 * power:,.0f}|WD {distance:.1f}mm",
        "hitachi": f"SU8000 {energy:.1f}kV {distance:.1f}mm x{power:.1f}k SE(UL)|{number}",
        "tescan": f"SEM HV: {energy:.1f} kV|View field: {field:.3g} µm|SEM MAG: {power:.2f} kx"
        f"|WD: {distance:.2f} mm|Det: SE|Date(m/d/y): 05/{number % 28 + 1:02d}/19",
    }
    return words[layout].split("|")


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
