"""Info bars as the makers of electron microscopes burn them into the lowest or highest rows of an image.

The layouts follow the habits of five makers in height, greys, text and scale bar; none is a copy. The micrograph is
what the bar leaves: it hides image rows, as it does in the field.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from graticule.errors import OptionError
from graticule.phantoms.lettering import font

_LAYOUT = 512  # columns for which the bars are laid out


@dataclass(frozen=True)
class Acquisition:
    """What a bar reports: pixel size (nm), beam energy (kV), working distance (mm) and a running number."""

    pixel_size_nm: float
    energy_kv: float
    working_distance_mm: float
    number: int


@dataclass(frozen=True)
class DrawnBar:
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


@dataclass(frozen=True)
class Make:
    """Height in rows of a 512-row image, greys of ground and text, what fills the bar, and its place (bottom, top)."""

    height: int
    ground: int
    ink: int
    fill: Callable[[DrawnBar, Acquisition], None]
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
    stamped = image.copy()
    if rows is not None:
        stamped[rows[0] : rows[1]] = np.asarray(_panel(make, image.shape[1], acquisition))
    return stamped


def append_bar(
    image: NDArray[np.uint8], make: str, acquisition: Acquisition
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """The image with the make's info bar below (or above) it, drawn for 512 columns and shrunk with the picture.

    Returns
    -------
    image : uint8 array, shape (h + bar, w)
    rows : tuple of int
        First row of the bar and the row after its last one.
    """
    width = image.shape[1]
    full = _panel(make, _LAYOUT, replace(acquisition, pixel_size_nm=acquisition.pixel_size_nm * width / _LAYOUT))
    height = round(full.height * width / _LAYOUT)
    bar = np.asarray(full.resize((width, height), Image.Resampling.LANCZOS))
    if MAKES[make].place == "top":
        return np.concatenate([bar, image]), (0, height)
    return np.concatenate([image, bar]), (image.shape[0], image.shape[0] + height)


def _panel(make: str, width: int, acquisition: Acquisition) -> Image.Image:
    style = MAKES[make]
    panel = Image.new("L", (width, style.height), style.ground)
    length_px, caption = scale_bar(acquisition.pixel_size_nm, width)
    style.fill(DrawnBar(ImageDraw.Draw(panel), width, style.height, style.ink, length_px, caption), acquisition)
    return panel


def drawn_settings(rng: np.random.Generator, pixel_size_nm: float) -> Acquisition:
    """Settings at random: beam energy and working distance say nothing about what is seen."""
    return Acquisition(
        pixel_size_nm=pixel_size_nm,
        energy_kv=float(rng.choice([2.0, 3.0, 5.0, 10.0, 15.0])),
        working_distance_mm=round(float(rng.uniform(4, 13)), 1),
        number=int(rng.integers(1, 9999)),
    )


def scale_bar(pixel_size_nm: float, width: int) -> tuple[int, str]:
    """Length in pixels and caption of a scale bar of 1, 2 or 5 times a power of ten, at most a fifth of the width."""
    longest = 0.2 * width * pixel_size_nm
    power = 10.0 ** np.floor(np.log10(longest))
    length = max(factor * power for factor in (0.5, 1.0, 2.0, 5.0) if factor * power <= longest)
    caption = f"{length:g} nm" if length < 1000 else f"{length / 1000:g} µm"
    return round(length / pixel_size_nm), caption


def _magnification(acquisition: Acquisition, width: int) -> float:
    """Magnification on a print of 120 mm width."""
    return 120e6 / (acquisition.pixel_size_nm * width)


def _zeiss(bar: DrawnBar, shot: Acquisition) -> None:
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


def _thermo(bar: DrawnBar, shot: Acquisition) -> None:
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


def _jeol(bar: DrawnBar, shot: Acquisition) -> None:
    bar.rule((bar.width - 20 - bar.scale_px, 4, bar.width - 20, 4), 3)
    bar.text(bar.width - 20 - bar.scale_px, 8, bar.scale_text, 13)
    power = f"{_magnification(shot, bar.width):,.0f}"
    text = f"JEOL   SEI  {shot.energy_kv:.1f}kV  X{power}  WD {shot.working_distance_mm:.1f}mm"
    bar.text(10, 8, text, 13)


def _hitachi(bar: DrawnBar, shot: Acquisition) -> None:
    power = _magnification(shot, bar.width) / 1000
    text = f"S4800-{shot.number:04d} {shot.energy_kv:.1f}kV {shot.working_distance_mm:.1f}mm x{power:.1f}k SE(M)"
    bar.text(6, 6, text, 13)
    left = bar.width - 16 - bar.scale_px
    for tick in range(11):
        x = left + tick * bar.scale_px / 10
        bar.rule((x, 2, x, 8 if tick % 5 == 0 else 5))
    bar.text(left, 9, bar.scale_text.replace("µ", "u"), 13)


def _tescan(bar: DrawnBar, shot: Acquisition) -> None:
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
