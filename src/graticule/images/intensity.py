"""From pixel values of any depth to the 8 bits of a network's input: explicit, chosen once, stored in the bundle.

A pixel kind is a depth and type, such as "8 bit", "12 bit", "16 bit signed" or "32 bit float". Values are mapped
linearly from a window [low, high] to 0 to 255 and clipped. 8-bit values stay as they are unless a window is given.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.errors import OptionError
from graticule.images.image import Image
from graticule.images.options import POLICIES, parse_window

PERCENTILES = (0.1, 99.9)
# the depths of cameras: a 16-bit file is taken for the smallest one that holds all of its values
_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
_UNIT_RANGES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_FILLED = 0.25
EIGHT = "8 bit"
ANY_DEPTH = "any depth"
_KIND = re.compile(r"[1-9][0-9]? bit( signed| float)?")


class IntensityError(ValueError):
    """Pixel values that the policy does not cover; the reader's caller names the file.

    Attributes
    ----------
    beyond : str
        Why the picture cannot be judged where its values lie beyond the window, see `graticule.images.beyond`; else "".
    """

    def __init__(self, message: str, beyond: str = "") -> None:
        super().__init__(message)
        self.beyond = beyond


@dataclass(frozen=True)
class Intensity:
    """How pixel values become 8 bits.

    Attributes
    ----------
    policy : "full" or "image"
        "full": a kind's window, or where there is none the whole range of its depth. "image": the percentiles 0.1 and
        99.9 of each image by itself.
    windows : tuple of (kind, low, high)
        Values that become 0 and 255; the kind `ANY_DEPTH` stands for every one.
    kinds : tuple of str, or None
        Pixel kinds that are accepted; None: any.
    outside : tuple of two float
        Largest share of the values of a training image that lies below and above its window; 0 where not recorded.
    """

    policy: str = "full"
    windows: tuple[tuple[str, float, float], ...] = ()
    kinds: tuple[str, ...] | None = None
    outside: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        known = self.policy in ("full", "image") and all(_is_window(low, high) for _, low, high in self.windows)
        if not known or not all(0.0 <= share <= 1.0 for share in self.outside):
            raise OptionError(
                f"intensity {self} is not known; allowed: full or image, windows with low < high, shares from 0 to 1"
            )
        kinds = [kind for kind, _, _ in self.windows] + list(self.kinds or ())
        if not all(kind == ANY_DEPTH or _KIND.fullmatch(kind) for kind in kinds):
            raise OptionError(f"intensity {self} names kinds of pixels such as '8 bit' and '16 bit signed' otherwise")

    def to_json(self) -> dict[str, Any]:
        """Plain values for bundle.json and cache keys."""
        return {
            "policy": self.policy,
            "windows": [list(window) for window in self.windows],
            "kinds": None if self.kinds is None else list(self.kinds),
            "outside": list(self.outside),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Undo `to_json`."""
        windows = tuple((str(kind), float(low), float(high)) for kind, low, high in content["windows"])
        kinds = content["kinds"]
        below, above = content.get("outside", (0.0, 0.0))  # not in the bundles of earlier versions
        return cls(
            str(content["policy"]), windows, None if kinds is None else tuple(kinds), (float(below), float(above))
        )

    def window(self, kind: str) -> tuple[float, float] | None:
        """The values of a kind that become 0 and 255; None where the whole range of its type does."""
        return next(((low, high) for name, low, high in self.windows if name in (kind, ANY_DEPTH)), None)

    def words(self) -> str:
        """For people: what happens to the values."""
        if self.policy == "image":
            return "each image from its own percentiles 0.1 and 99.9"
        told = [f"{kind} from {low:g} to {high:g}" for kind, low, high in self.windows]
        return "; ".join(told) or "full range of the pixel type"


def _is_window(low: float, high: float) -> bool:
    return low < high and math.isfinite(high - low)


@dataclass(frozen=True)
class PixelRange:
    """Values of one image: its kind, smallest and largest value, and the percentiles 0.1 and 99.9."""

    kind: str
    low: float
    high: float
    percentile_low: float
    percentile_high: float


def pixel_kind(image: Image) -> str:
    """Depth and type of an image's values, without grey or colour: "8 bit", "16 bit signed", "32 bit float"."""
    return image.mode.partition(", ")[2]


def pixel_range(image: Image) -> PixelRange:
    """Extremes and percentiles of an image's values."""
    low, high = _percentiles(image.pixels)
    return PixelRange(pixel_kind(image), float(image.pixels.min()), float(image.pixels.max()), low, high)


def _percentiles(pixels: NDArray[Any]) -> tuple[float, float]:
    """The `PERCENTILES` of all values, equal to those of `np.percentile`; from counts where values are few."""
    if pixels.dtype == np.uint8:
        # Pillow counts without widening the values first, ten times faster than sorting; one table per channel
        counts = np.reshape(PIL.Image.fromarray(pixels).histogram(), (-1, 256)).sum(axis=0)
    elif pixels.dtype == np.uint16:
        counts = np.bincount(pixels.ravel())
    else:
        low, high = np.percentile(pixels, PERCENTILES)
        return float(low), float(high)
    first, last = (_percentile_of_counts(np.cumsum(counts), percent) for percent in PERCENTILES)
    return first, last


def _percentile_of_counts(cumulative: NDArray[np.int64], percent: float) -> float:
    """A percentile, linear between ranks, of whole numbers from 0 of which there are so many up to each."""
    last = int(cumulative[-1]) - 1
    place = last * (percent / 100)
    rank = math.floor(place)
    below, above = np.searchsorted(cumulative, (rank, min(rank + 1, last)), side="right").tolist()
    share = place - rank
    # from the nearer end, as NumPy does, so that the last digit is the same
    return float(above - (above - below) * (1 - share) if share >= 0.5 else below + (above - below) * share)


def full_range(image: Image) -> tuple[float, float]:
    """Range of an image's pixel type: 0 to 4095 for 12 bits, 0 to 1 for floating point.

    Raises
    ------
    IntensityError
        When floating-point values lie outside 0 to 1: they have no full range.
    """
    whole = type_range(pixel_kind(image))
    if whole is None:
        low, high = float(image.pixels.min()), float(image.pixels.max())
        if low < 0 or high > 1:
            raise IntensityError(
                f"floating-point values from {low:g} to {high:g} have no full range; choose --intensity auto, "
                "percentile, image or LOW:HIGH when training"
            )
        return 0.0, 1.0
    return whole


def type_range(kind: str) -> tuple[float, float] | None:
    """The values that a pixel kind can hold: 0 to 4095 for "12 bit"; None for floating point, which has no limits."""
    bits, _, form = kind.partition(" bit")
    if form == " float":
        return None
    half = 2.0 ** (int(bits) - 1)
    return (-half, half - 1) if form == " signed" else (0.0, 2 * half - 1)


def holds_every_value(intensity: Intensity, kind: str) -> bool:
    """Whether no value of a pixel kind can lie outside its window."""
    whole, window = type_range(kind), intensity.window(kind)
    return whole is not None and (window is None or (window[0] <= whole[0] and whole[1] <= window[1]))


def to_uint8(image: Image, intensity: Intensity) -> NDArray[np.uint8]:
    """Values of an image on 8 bits, same shape, rounded.

    Raises
    ------
    IntensityError
        When the kind is not accepted, or has neither a window nor a full range.
    """
    kind = pixel_kind(image)
    if intensity.kinds is not None and kind not in intensity.kinds:
        raise IntensityError(
            f"its values are of {kind}, the model was trained on {' and '.join(intensity.kinds)}; convert it, or "
            "accept the full range of every depth with --any-depth"
        )
    if intensity.policy == "image":
        found = pixel_range(image)
        return _scaled(image.pixels, found.percentile_low, found.percentile_high)
    window = intensity.window(kind)
    if window is None and image.pixels.dtype == np.uint8:
        pixels: NDArray[np.uint8] = image.pixels
        return pixels
    return _scaled(image.pixels, *(window or full_range(image)))


def _scaled(pixels: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return pixels
    width = high - low if high > low else 1.0
    # 32 bits hold every 16-bit value exactly and are twice as fast
    values: NDArray[Any] = pixels.astype(np.float32 if pixels.dtype.itemsize <= 2 else np.float64)
    values -= low
    values *= 255.0 / width
    return np.asarray(np.rint(np.clip(values, 0.0, 255.0, out=values), out=values).astype(np.uint8))


def choose_intensity(request: str, ranges: Sequence[PixelRange], unseen: int = 0) -> tuple[Intensity, str]:
    """The policy for a data set, and one sentence that says what was chosen and why.

    "auto" leaves 8-bit values alone. Deeper integers are mapped from 0 to the top of the smallest camera depth that
    holds all values (10, 12, 14, 16 ... bits); floating point from 0 (or the negative) to the smallest of 1, 255,
    1023 ... 65535 that holds them. Where values fill less than a quarter of that, the window is taken from the
    percentiles of the data set.

    Parameters
    ----------
    request : str
        "auto", "full", "percentile" (of the data set), "image" (percentiles of each image) or "LOW:HIGH".
    ranges : sequence of PixelRange
        Of the images looked at; 8-bit ones may be left out.
    unseen : int
        Images that were not looked at since none of their values can lie outside the window.

    Raises
    ------
    OptionError
        When the request is none of these.
    """
    kinds = sorted({found.kind for found in ranges})
    if request == "full":
        return Intensity(), "full range of the pixel type, as asked for"
    if request == "image":
        return Intensity("image"), "each image from its own percentiles 0.1 and 99.9, as asked for"
    if request not in POLICIES:
        low, high = parse_window(request)
        return Intensity(windows=((ANY_DEPTH, low, high),)), f"values from {low:g} to {high:g}, as asked for"
    windows = tuple(
        (kind, *_window([found for found in ranges if found.kind == kind], percentile=request == "percentile"))
        for kind in kinds
        if request == "percentile" or kind != EIGHT
    )
    chosen = Intensity(windows=windows)
    if not windows:
        return chosen, "8-bit values as they are"
    n = sum(found.kind != EIGHT or request == "percentile" for found in ranges)
    of = f"{n:,} image{'s' * (n != 1)}"
    how = f"percentiles 0.1 and 99.9 of {of}" if request == "percentile" else f"chosen by the values of {of}"
    others = f"; none of {unseen:,} others can hold a value outside" if unseen else ""
    return chosen, f"{chosen.words()} ({how}{others})"


def reason(request: str, chosen: Intensity) -> str:
    """Why a data set has its intensity policy, for the record: who or what decided."""
    if request != "auto":
        return f"chosen by the user with --intensity {request}"
    if not chosen.windows:
        return "by default: the images hold 8-bit values, which are left alone"
    return (
        "by default: the smallest usual range that holds the values found, or their percentiles where they fill less "
        f"than {_FILLED:.0%} of it"
    )


def _window(ranges: Sequence[PixelRange], *, percentile: bool) -> tuple[float, float]:
    """Window of one kind over a data set; never empty."""
    low, high = min(r.low for r in ranges), max(r.high for r in ranges)
    used = min(r.percentile_low for r in ranges), max(r.percentile_high for r in ranges)
    if not percentile:
        bottom, top = _nominal(ranges[0].kind, low, high)
        if used[1] - used[0] >= _FILLED * (top - bottom) and bottom <= low and high <= top:
            return bottom, top
    return used if used[1] > used[0] else (low, high if high > low else low + 1.0)


def _nominal(kind: str, low: float, high: float) -> tuple[float, float]:
    """The smallest usual range that holds values from low to high."""
    most = max(abs(low), abs(high))
    if "float" in kind:
        top = next((top for top in _UNIT_RANGES if most <= top), most)
        return (-top if low < 0 else 0.0), top
    signed = "signed" in kind
    bits = next((b for b in _DEPTHS if most <= 2.0 ** (b - signed) - 1 + (low < 0)), 32)
    return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if low < 0 else (0.0, 2.0 ** (bits - signed) - 1)
