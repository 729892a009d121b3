"""From an image to the square uint8 input of a network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.data.images import Image
from graticule.errors import OptionError


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become network input; stored in the bundle, part of the cache key.

    Attributes
    ----------
    size : int
        Side of the square input in pixels; the whole image is squeezed into it (no crop).
    resample : str
        "bicubic", with antialiasing when shrinking (Pillow's).
    intensity : str
        "full": 8-bit values as they are, 16-bit values scaled from their full range.
    """

    size: int
    resample: str = "bicubic"
    intensity: str = "full"

    def __post_init__(self) -> None:
        if (self.resample, self.intensity) != ("bicubic", "full") or self.size < 1:
            raise OptionError(f"preprocessing {asdict(self)} is not known; allowed: bicubic, full, a size from 1")

    def key(self) -> str:
        """Canonical text of all settings."""
        return json.dumps(asdict(self), sort_keys=True)


def prepare(image: Image, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The network input of one image, uint8 of shape (size, size, 3), RGB."""
    pixels = image.uint8()
    side = (preprocessing.size, preprocessing.size)
    resized: NDArray[Any] = np.asarray(PIL.Image.fromarray(pixels).resize(side, PIL.Image.Resampling.BICUBIC))
    return resized if resized.ndim == 3 else np.repeat(resized[:, :, None], 3, axis=2)
