"""Values beyond the window that a model reads: counted while decoding, and what they mean for a decision.

A window is clipped at both ends. An image from a camera in another mode may lie outside of it as a whole: it becomes
one flat colour, and its score would say nothing. So each image has the shares of its values outside as a fact, and the
bundle holds the largest ones among the training images.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.images.image import Image
from graticule.images.intensity import Intensity, IntensityError, pixel_kind

# twice what a window of percentiles leaves out on each side
SPARED = 0.002
BRIGHTER = "brighter than what the model was trained on"
DARKER = "darker than what the model was trained on"

Shares = tuple[float, float]


def outside_window(image: Image, intensity: Intensity) -> Shares:
    """Shares of an image's values below and above its window, 0 to 1; nothing lies outside the range of a type."""
    window = intensity.window(pixel_kind(image)) if intensity.policy == "full" else None
    if window is None:
        return 0.0, 0.0
    low, high = window
    below, above = np.count_nonzero(image.pixels < low), np.count_nonzero(image.pixels > high)
    return below / image.pixels.size, above / image.pixels.size


def check_contrast(stored: NDArray[Any], mapped: NDArray[np.uint8], kind: str, intensity: Intensity) -> None:
    """Refuse, with an IntensityError, a picture of one grey level that is none as stored.

    Parameters
    ----------
    stored, mapped : arrays of one shape
        Values before and after `to_uint8`.
    kind : str
        `pixel_kind` of the picture.
    intensity : Intensity
    """
    if stored is mapped or mapped.min() != mapped.max() or stored.min() == stored.max():
        return
    least, most, level = float(stored.min()), float(stored.max()), int(mapped.flat[0])
    told, why = "what is read of them", ""
    window = intensity.window(kind)
    if window is not None:
        told = f"the range from {window[0]:g} to {window[1]:g} that is read"
        why = BRIGHTER if level == 255 and most > window[1] else DARKER if level == 0 and least < window[0] else ""
    where = {BRIGHTER: ": they are brighter than it", DARKER: ": they are darker than it"}.get(why, "")
    raise IntensityError(
        f"its values from {least:g} to {most:g} become one grey level in {told}{where}. Record it as the training "
        "images were, or train with another --intensity",
        why,
    )


def beyond(outside: Shares, intensity: Intensity) -> str:
    """`BRIGHTER` or `DARKER` for an image of which more lies outside than of any training image, else "".

    Parameters
    ----------
    outside : tuple of two float
        Shares of its values below and above the window, from `outside_window`.
    intensity : Intensity
        With the largest shares among the training images.
    """
    below, above = (
        share if share > max(SPARED, most) else 0.0 for share, most in zip(outside, intensity.outside, strict=True)
    )
    if not below and not above:
        return ""
    return BRIGHTER if above >= below else DARKER


def largest(outside: Sequence[Shares]) -> Shares:
    """The largest shares below and above among n images; 0 without any."""
    return max((below for below, _ in outside), default=0.0), max((above for _, above in outside), default=0.0)
