"""An ultrasound frame with known marks: a speckled sector on black with text, calipers, ruler, grey bar and logo.

Speckle is the envelope of circular complex Gaussian scatter seen through the point spread of the beam (fully developed
speckle: Burckhardt 1978), log-compressed to 60 dB. The overlay is drawn on top, as scanners do. As a family of phantoms
each frame has a mass: a cyst without echoes or a solid one with few.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from graticule.phantoms.lettering import font
from graticule.phantoms.powder import Micrograph

_DYNAMIC_RANGE_DB = 60.0
CLASSES = ("cyst", "solid")
FRAMES_PER_PATIENT = 2
_PIXEL_NM = 2e5
_ECHO = {"cyst": -1.9, "solid": -0.8}  # powers of ten against the tissue around
_PATIENT_KEY = 1_000_000  # a spawn key that no image uses
_SCANNERS = ("US-1", "US-2", "US-3")
_INKS = ((255, 255, 255), (230, 230, 230), (255, 255, 0), (0, 255, 255), (0, 255, 0))


@dataclass(frozen=True)
class UltrasoundFrame:
    """A frame and its truth.

    Attributes
    ----------
    pixels : uint8 array, shape (h, w, 3)
    sector : bool array, shape (h, w)
        The scanned area.
    marks : bool array, shape (h, w)
        Everything drawn over the frame, outside and inside the sector.
    """

    pixels: NDArray[np.uint8]
    sector: NDArray[np.bool_]
    marks: NDArray[np.bool_]


@dataclass(frozen=True)
class Mass:
    """An ellipse of other tissue: centre and half axes as shares of height and width, echo as a power of ten."""

    centre: tuple[float, float]
    axes: tuple[float, float]
    echo: float

    def covers(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Where it lies in a frame, shape (h, w)."""
        y, x = np.mgrid[: shape[0], : shape[1]]
        (cy, cx), (a, b) = (np.multiply(pair, shape) for pair in (self.centre, self.axes))
        return np.asarray(((y - cy) / a) ** 2 + ((x - cx) / b) ** 2 < 1)


def render_plain(class_index: int, index: int, seed: int) -> Micrograph:
    """Frame number `index` of a class without marks; the same for the same three numbers, whatever else is made.

    Neither probe, gain, speckle nor scanner depends on the class. Frames of one patient follow each other.
    """
    return _micrograph(class_index, index, seed, marked=False)


def render_marked(class_index: int, index: int, seed: int) -> Micrograph:
    """The frame of `render_plain` with text, ruler and calipers over it."""
    return _micrograph(class_index, index, seed, marked=True)


def phantom_frame(
    class_index: int, index: int, seed: int, *, marked: bool, shape: tuple[int, int] = (480, 640)
) -> tuple[UltrasoundFrame, Mass]:
    """The frame of `render_plain` or `render_marked` with its truth, in any shape."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(class_index, index)))
    centre = rng.uniform(0.35, 0.6), rng.uniform(0.42, 0.58)
    axes = rng.uniform(0.07, 0.13), rng.uniform(0.06, 0.11)
    mass = Mass(centre, axes, _ECHO[CLASSES[class_index]])
    return render_frame(int(rng.integers(2**31)), marked=marked, shape=shape, mass=mass), mass


def _micrograph(class_index: int, index: int, seed: int, *, marked: bool) -> Micrograph:
    frame, mass = phantom_frame(class_index, index, seed, marked=marked)
    place = (mass.covers(frame.sector.shape) & frame.sector).astype(np.uint16)
    patient = index // FRAMES_PER_PATIENT
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(class_index, _PATIENT_KEY, patient)))
    scanner = _SCANNERS[int(rng.integers(len(_SCANNERS)))]
    return Micrograph(frame.pixels, place, f"{CLASSES[class_index]}-{patient:03d}", _PIXEL_NM, scanner)


def render_frame(
    seed: int, *, marked: bool = True, shape: tuple[int, int] = (480, 640), mass: Mass | None = None
) -> UltrasoundFrame:
    """A frame of a curved (fan) or a linear (rectangle) probe; the same for the same arguments.

    Parameters
    ----------
    seed : int
        >= 0.
    marked : bool
        Draw the overlay. Without it the scan is the same.
    shape : tuple of int
        (h, w), each at least 320.
    mass : Mass, optional
        Drawn into the tissue.
    """
    rng = np.random.default_rng(seed)
    sector = _sector(shape, rng)
    scan = np.where(sector, _speckle(shape, rng, mass), 0).astype(np.uint8)
    ink = Image.new("RGBA", (shape[1], shape[0]), (0, 0, 0, 0))
    if marked:
        draw = ImageDraw.Draw(ink)
        _annotate(draw, sector, rng)
        _measure(draw, sector, rng)
    layer = np.asarray(ink, dtype=np.float64)
    share = layer[:, :, 3:] / 255
    pixels = np.rint(scan[:, :, None] * (1 - share) + layer[:, :, :3] * share).astype(np.uint8)
    return UltrasoundFrame(pixels, sector, share[:, :, 0] > 0.3)


def _sector(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    height, width = shape
    y, x = np.mgrid[:height, :width]
    if rng.random() < 0.4:
        half = rng.uniform(0.22, 0.31) * width
        deep = rng.uniform(0.78, 0.9) * height
        return np.asarray((abs(x - width / 2) <= half) & (y >= 0.12 * height) & (y <= deep))
    inner, outer = rng.uniform(0.08, 0.2) * height, rng.uniform(0.78, 0.9) * height
    apex = 0.12 * height - inner * np.cos(0.5)
    radius, angle = np.hypot(x - width / 2, y - apex), np.arctan2(x - width / 2, y - apex)
    reach = rng.uniform(0.5, 0.65)
    return np.asarray((radius >= inner) & (radius <= outer - apex) & (abs(angle) <= reach) & (y < 0.92 * height))


def _speckle(shape: tuple[int, int], rng: np.random.Generator, mass: Mass | None) -> NDArray[np.uint8]:
    from scipy import ndimage

    y, x = np.mgrid[: shape[0], : shape[1]]
    echo = np.exp(ndimage.gaussian_filter(rng.normal(0, 1, shape), 25) * 25.0)
    for _ in range(int(rng.integers(1, 4))):  # cysts are dark, lesions and interfaces bright
        cy, cx = rng.uniform(0.25, 0.75, 2) * shape
        a, b = rng.uniform(15, 60, 2)
        echo[((y - cy) / a) ** 2 + ((x - cx) / b) ** 2 < 1] *= 10 ** rng.uniform(-1.5, 0.7)
    if mass is not None:
        echo[mass.covers(shape)] *= 10**mass.echo
    sigma = rng.uniform(1.1, 1.7), rng.uniform(1.6, 3.0)  # axial, lateral
    field = [ndimage.gaussian_filter(rng.normal(0, 1, shape) * np.sqrt(echo), sigma) for _ in range(2)]
    envelope = np.hypot(*field)
    decibel = 20 * np.log10(np.maximum(envelope / np.quantile(envelope, 0.999), 1e-6))
    gain = rng.uniform(0.45, 0.85) * 255
    return np.asarray(np.clip(gain * (1 + decibel / _DYNAMIC_RANGE_DB), 14, 255), dtype=np.uint8)


def _annotate(draw: ImageDraw.ImageDraw, sector: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Text at the margins, logo, grey bar and depth ruler; a label within the scan now and then."""
    height, width = sector.shape
    ink, size = _INKS[int(rng.integers(2))], float(rng.integers(10, 16))
    lines = (f"FR {rng.integers(10, 60)}Hz", f"{rng.uniform(3, 15):.1f} MHz", f"Gn {rng.integers(20, 90)}", "MI 0.9")
    for i, line in enumerate(lines):
        draw.text((6, 0.2 * height + 1.4 * size * i), line, fill=ink, font=font(size))
    draw.text((70, 8), f"ID {rng.integers(10**6)}  {rng.integers(1, 28):02d}.05.2019", fill=ink, font=font(size))
    draw.ellipse((width - 50, 8, width - 30, 28), outline=ink, width=3)
    draw.text((width - 120, 8), "SONO", fill=ink, font=font(size + 3))
    for i in range(100):
        draw.line((8, 0.62 * height + i, 20, 0.62 * height + i), fill=(255 - 2 * i,) * 3)
    for i in range(9):
        y = 0.12 * height + i * 0.09 * height
        draw.line((width - 30, y, width - (18 if i % 4 else 12), y), fill=ink)
    if rng.random() < 0.5:
        draw.text((0.42 * width, 0.7 * height), "RT LOBE", fill=_INKS[int(rng.integers(5))], font=font(size + 2))


def _measure(draw: ImageDraw.ImageDraw, sector: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Pairs of crosses joined by dots."""
    rows, columns = np.nonzero(sector)
    for _ in range(int(rng.integers(1, 3))):
        pick = rng.integers(rows.size, size=2)
        ink, arm = _INKS[int(rng.integers(5))], int(rng.integers(4, 8))
        ends = [(int(columns[i]), int(rows[i])) for i in pick]
        for x, y in ends:
            thick = int(rng.integers(1, 3))
            draw.line((x - arm, y, x + arm, y), fill=ink, width=thick)
            draw.line((x, y - arm, x, y + arm), fill=ink, width=thick)
        (x0, y0), (x1, y1) = ends
        n = max(2, int(np.hypot(x1 - x0, y1 - y0) / 8))
        for t in np.linspace(0, 1, n)[1:-1]:
            x, y = round(x0 + t * (x1 - x0)), round(y0 + t * (y1 - y0))
            draw.rectangle((x, y, x + 1, y + 1), fill=ink)
