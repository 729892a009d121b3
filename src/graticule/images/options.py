"""The options on how images are read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from graticule.errors import OptionError
from graticule.formats.selection import Selection
from graticule.options import Allowed, Options, one_of, option, whole_numbers

POLICIES = ("auto", "full", "percentile", "image")
INFO_BARS = ("crop", "keep")
MARKS = ("keep", "mask")
SCALES = ("squeeze", "physical")
_INTENSITIES = f"{', '.join(POLICIES)}, or LOW:HIGH such as 0:4095"


def parse_window(text: str) -> tuple[float, float]:
    """ "LOW:HIGH" as two numbers, low < high.

    Raises
    ------
    OptionError
    """
    first, colon, second = text.partition(":")
    try:
        low, high = float(first), float(second)
    except ValueError:
        low = high = math.nan
    if not (colon and math.isfinite(low) and math.isfinite(high) and low < high):
        raise OptionError(f"--intensity {text}: allowed are {_INTENSITIES}")
    return low, high


def _is_intensity(text: str) -> bool:
    try:
        return text in POLICIES or bool(parse_window(text))
    except OptionError:
        return False


def _numbers(channels: str) -> list[str]:
    return [part.strip() for part in str(channels).split(",")]


@dataclass(frozen=True)
class CutOptions(Options):
    """What is taken off a picture before it is looked at."""

    info_bar: str = option("crop", "Info bars of electron microscopes are cut off or kept.", allowed=one_of(*INFO_BARS))
    marks: str = option("keep", "Text, calipers and borders burnt into ultrasound frames.", allowed=one_of(*MARKS))


@dataclass(frozen=True)
class SelectionOptions(Options):
    """Which picture of a file with several."""

    z: str | None = option(
        None,
        "Plane of a stack, from 0, or the maximum.",
        metavar="N|max",
        allowed=Allowed("whole numbers from 0, or max", lambda z: z == "max" or str(z).isdecimal()),
    )
    channel: str | None = option(
        None,
        "One or three channels from 0, such as 0 or 2,1,0.",
        metavar="LIST",
        allowed=Allowed(
            "one or three numbers from 0, such as 0 or 2,1,0",
            lambda channels: len(_numbers(channels)) in (1, 3) and all(n.isdecimal() for n in _numbers(channels)),
        ),
    )
    page: int | None = option(None, "Page of a file with several, from 0.", metavar="N", allowed=whole_numbers(0))

    def selection(self) -> Selection:
        """Plane, channels and page as numbers; OptionError where they are none."""
        self.check()
        return Selection(
            z=int(self.z) if self.z not in (None, "max") else self.z,
            channel=None if self.channel is None else tuple(map(int, _numbers(self.channel))),
            page=self.page,
        )


@dataclass(frozen=True)
class ReadingOptions(CutOptions, SelectionOptions):
    """Options on reading images that several verbs share."""

    intensity: str = option(
        "auto",
        "How 16-bit and floating-point values become 8 bits: by the values found, the full range, percentiles of "
        "the data set or of each image, or a fixed window.",
        metavar="|".join((*POLICIES, "LOW:HIGH")),
        allowed=Allowed(_INTENSITIES, _is_intensity),
    )
    scale: str = option(
        "squeeze", "Whole picture into the input, or all images at one pixel size.", allowed=one_of(*SCALES)
    )
    size_features: bool = option(
        False, "Let width and height of the stored image join the features.", method="features"
    )


@dataclass(frozen=True)
class DepthOptions(Options):
    """Which bit depths are taken."""

    any_depth: bool = option(False, "Take images of another bit depth than the training images, from their full range.")
