"""Info bars as the makers of electron microscopes burn them into the lowest or highest rows of an image.

The layouts follow the habits of five makers in height, greys, text and scale bar; none is a copy. The micrograph is
what the bar leaves: it hides image rows, as it does in the field.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from graticule.errors import OptionError


@dataclass(frozen=True)
class Acquisition:
    """What a bar reports: pixel size (nm), beam energy (kV), working distance (mm) and a running number."""

    pixel_size_nm: float
    energy_kv: float
    working_distance_mm: float
    number: int


@dataclass(frozen=True)
class _Bar:
    """One bar being drawn: the context, its width and height, text grey, and the scale bar's length and caption."""

    draw: ImageDraw.ImageDraw
    width: int
    height: int
    ink: int
    scale_px: int
    scale_text: str

    def text(self, x: float, y: float, text: str, size: float) -> float:
        """Write `text` with its top left at (x, y), pixels, and return the x where it ends."""
        face = font(size)
        self.draw.text((x, y), text, fill=self.ink, font=face)
        return x + float(face.getlength(text))

    def rule(self, box: tuple[float, float, float, float], width: int = 1) -> None:
        """A straight line from (x, y) to (x, y)."""
        self.draw.line(box, fill=self.ink, width=width)


@lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont:
    """The face in which all burnt-in text is written: DejaVu Sans, which comes with matplotlib, has the micro sign."""
    # located, not imported: matplotlib would make folders in the user's home
    face = metadata.distribution("matplotlib").locate_file("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf")
    return ImageFont.truetype(str(face), size)


@dataclass(frozen=True)
class Make:
    """Height in rows of a 512-row image, greys of ground and text, what fills the bar, and its place (bottom, top)."""

    height: int
    ground: int
    ink: int
    fill: Callable[[_Bar, Acquisition], None]
    place: str = "bottom"


def bar_rows(make: str | None, size: int) -> tuple[int, int] | None:
    """First row of the bar and the row after its last one, in an image of `size` rows; None without a bar.

    Raises
    ------
    OptionError
        If the make is unknown.
    """
    if make is None:
        return None
    if make not in MAKES:
        raise OptionError(f"unknown info bar {make!r}; known: {', '.join(sorted(MAKES))}")
    style = MAKES[make]
    return (0, style.height) if style.place == "top" else (size - style.height, size)


def stamp(image: NDArray[np.uint8], make: str, acquisition: Acquisition) -> NDArray[np.uint8]:
    """The image with the rows of the make's info bar replaced by it; shape and type as given."""
    rows = bar_rows(make, image.shape[0])
    style = MAKES[make]
    panel = Image.new("L", (image.shape[1], style.height), style.ground)
    length_px, caption = _scale(acquisition.pixel_size_nm, image.shape[1])
    draw = ImageDraw.Draw(panel)
    style.fill(_Bar(draw, image.shape[1], style.height, style.ink, length_px, caption), acquisition)
    stamped = image.copy()
    if rows is not None:
        stamped[rows[0] : rows[1]] = np.asarray(panel)
    return stamped


def _scale(pixel_size_nm: float, width: int) -> tuple[int, str]:
    """Length in pixels and caption of a scale bar of 1, 2 or 5 times a power of ten, at most a fifth of the width."""
    longest = 0.2 * width * pixel_size_nm
    power = 10.0 ** np.floor(np.log10(longest))
    length = max(factor * power for factor in (0.5, 1.0, 2.0, 5.0) if factor * power <= longest)
    caption = f"{length:g} nm" if length < 1000 else f"{length / 1000:g} µm"
    return round(length / pixel_size_nm), caption


def _magnification(acquisition: Acquisition, width: int) -> float:
    """Magnification on a print of 120 mm width."""
    return 120e6 / (acquisition.pixel_size_nm * width)


def _zeiss(bar: _Bar, shot: Acquisition) -> None:
    bar.draw.rectangle((0, 0, bar.width - 1, bar.height - 1), outline=bar.ink)
    bar.text(16, 3, bar.scale_text, 10.5)
    bar.rule((16, 26, 16 + bar.scale_px, 26), 3)
    bar.rule((16, 21, 16, 31))
    bar.rule((16 + bar.scale_px, 21, 16 + bar.scale_px, 31))
    bar.text(140, 4, f"EHT = {shot.energy_kv:.2f} kV", 10.5)
    bar.text(140, 21, f"WD = {shot.working_distance_mm:.1f} mm", 10.5)
    bar.text(262, 4, "Signal A = SE2", 10.5)
    bar.text(262, 21, f"Mag = {_magnification(shot, bar.width) / 1000:.2f} K X", 10.5)
    bar.rule((392, 0, 392, bar.height))
    bar.text(404, 9, "ZEISS", 19)


def _thermo(bar: _Bar, shot: Acquisition) -> None:
    cells = (
        ("HV", f"{shot.energy_kv:.2f} kV"),
        ("mag", f"{_magnification(shot, bar.width):,.0f} x".replace(",", " ")),
        ("WD", f"{shot.working_distance_mm:.1f} mm"),
        ("det", "ETD"),
        ("HFW", f"{shot.pixel_size_nm * bar.width / 1000:.3g} µm"),
    )
    x = 6.0
    for name, value in cells:
        end = max(bar.text(x, 2, name, 10), bar.text(x, 16, value, 11))
        bar.rule((end + 5, 0, end + 5, bar.height))
        x = end + 11
    middle = (x + bar.width) / 2
    bar.rule((middle - bar.scale_px / 2, 9, middle - bar.scale_px / 2 + bar.scale_px, 9))
    for end in (middle - bar.scale_px / 2, middle - bar.scale_px / 2 + bar.scale_px):
        bar.rule((end, 5, end, 13))
    bar.text(middle - 14, 16, bar.scale_text, 11)


def _jeol(bar: _Bar, shot: Acquisition) -> None:
    bar.rule((bar.width - 20 - bar.scale_px, 4, bar.width - 20, 4), 3)
    bar.text(bar.width - 20 - bar.scale_px, 8, bar.scale_text, 13)
    power = f"{_magnification(shot, bar.width):,.0f}"
    text = f"JEOL   SEI  {shot.energy_kv:.1f}kV  X{power}  WD {shot.working_distance_mm:.1f}mm"
    bar.text(10, 8, text, 13)


def _hitachi(bar: _Bar, shot: Acquisition) -> None:
    power = _magnification(shot, bar.width) / 1000
    text = f"S4800-{shot.number:04d} {shot.energy_kv:.1f}kV {shot.working_distance_mm:.1f}mm x{power:.1f}k SE(M)"
    bar.text(6, 6, text, 13)
    left = bar.width - 16 - bar.scale_px
    for tick in range(11):
        x = left + tick * bar.scale_px / 10
        bar.rule((x, 2, x, 8 if tick % 5 == 0 else 5))
    bar.text(left, 9, bar.scale_text.replace("µ", "u"), 13)


def _tescan(bar: _Bar, shot: Acquisition) -> None:
    rows = (
        (f"SEM HV: {shot.energy_kv:.1f} kV", f"WD: {shot.working_distance_mm:.2f} mm"),
        (f"View field: {shot.pixel_size_nm * bar.width / 1000:.3g} µm", "Det: SE"),
        (f"SEM MAG: {_magnification(shot, bar.width) / 1000:.2f} kx", f"Name: {shot.number:04d}"),
    )
    for i, (left, right) in enumerate(rows):
        bar.text(8, 4 + 19 * i, left, 13)
        bar.text(160, 4 + 19 * i, right, 13)
        bar.rule((0, 21 + 19 * i, bar.width, 21 + 19 * i))
    for x in (152, 262, 396):
        bar.rule((x, 0, x, bar.height))
    middle = 329 - bar.scale_px // 2
    bar.draw.rectangle((middle, 28, middle + bar.scale_px, 33), outline=bar.ink)
    bar.text(312, 41, bar.scale_text, 13)
    bar.text(406, 4, "MIRA3 TESCAN", 13)
    bar.text(406, 42, "Powder laboratory", 11)


MAKES: dict[str, Make] = {
    "hitachi": Make(28, 0, 255, _hitachi),
    "jeol": Make(30, 0, 235, _jeol),
    "tescan": Make(60, 12, 240, _tescan),
    "thermo": Make(34, 24, 255, _thermo),
    "zeiss": Make(42, 255, 0, _zeiss),
}


# Variants: the same makers' habits, with what differs between models, years and settings drawn at random.
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
    bar = _Bar(ImageDraw.Draw(ink), width, chosen.height, 255, *_scale(_log_uniform(rng, 1, 500), width))
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


def _write(bar: _Bar, variant: Variant, rng: np.random.Generator) -> None:
    """Lay text, scale bar, rules and logo over the ground."""
    if variant.frame:
        bar.draw.rectangle((0, 0, bar.width - 1, bar.height - 1), outline=bar.ink)
    if variant.content == "scale":
        _draw_scale(bar, variant, 0.1 * bar.width, 0.3 * bar.height, bar.height * 0.5)
    elif variant.content == "logo":
        bar.text(0.74 * bar.width, 0.2 * bar.height, variant.layout.upper(), 0.55 * bar.height)
    elif variant.content == "text":
        _write_text(bar, variant, rng)


def _write_text(bar: _Bar, variant: Variant, rng: np.random.Generator) -> None:
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


def _draw_scale(bar: _Bar, variant: Variant, x: float, y: float, size: float) -> None:
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
