"""From an image to the square uint8 input of a network.

Image ── intensity ──> 8 bits ── info bar, marks ──> picture ── scale, resize ──> (size, size, 3)
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
import PIL.Image

from graticule.arrays import Pixels
from graticule.errors import OptionError
from graticule.formats.selection import Selection
from graticule.images.beyond import check_contrast
from graticule.images.burnt_in.infobar import Bar, crop_bar, find_bar
from graticule.images.burnt_in.ultrasound import ScanMarks, find_marks, mask_marks
from graticule.images.image import Image
from graticule.images.intensity import Intensity, pixel_kind, to_uint8
from graticule.images.options import INFO_BARS, MARKS

MOST_PIXELS = 8192
FULL_RANGE = Intensity()
EVERYTHING = Selection()


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become network input; stored in the bundle, part of the cache key.

    Attributes
    ----------
    size : int
        Side of the square input in pixels.
    resample : str
        "bicubic", with antialiasing when shrinking (Pillow's).
    intensity : Intensity
        How values of any depth become 8 bits.
    info_bar : "crop" or "keep"
        Whether the info bar of an electron microscope is cut off.
    marks : "keep" or "mask"
        Whether text, calipers and borders burnt into ultrasound frames are masked.
    scale_nm : float or None
        None: the whole picture is squeezed into the input. Else the side of one input pixel on the specimen, in
        nanometres: the picture is resampled to it, centred, and what is missing around it filled with the median of
        its border.
    selection : Selection
        Which plane, channels or page of a file with several.
    """

    size: int
    resample: str = "bicubic"
    intensity: Intensity = FULL_RANGE
    info_bar: str = "crop"
    marks: str = "keep"
    scale_nm: float | None = None
    selection: Selection = EVERYTHING

    def __post_init__(self) -> None:
        known = self.resample == "bicubic" and self.info_bar in INFO_BARS and self.marks in MARKS
        if (
            not known
            or not 1 <= self.size <= MOST_PIXELS
            or not (self.scale_nm is None or 0 < self.scale_nm < math.inf)
        ):
            raise OptionError(
                f"preprocessing {asdict(self)} is not known; allowed: bicubic, info bar {' or '.join(INFO_BARS)}, "
                f"marks {' or '.join(MARKS)}, a size from 1 to {MOST_PIXELS:,}, a scale above 0 nm"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values for bundle.json."""
        return asdict(self) | {"intensity": self.intensity.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Undo `to_json`.

        Raises
        ------
        OptionError
            When a setting is missing or unknown.
        """
        try:
            size, scale = content["size"], content["scale_nm"]
            if type(size) is not int or type(scale) not in (int, float, type(None)):
                raise TypeError("a size is a whole number, a scale a number")
            parts = {
                "intensity": Intensity.from_json(content["intensity"]),
                "selection": Selection.from_json(content["selection"]),
            }
            return cls(**(dict(content) | parts))
        except (KeyError, TypeError, ValueError) as error:
            raise OptionError(
                f"preprocessing {dict(content)} is not known (written by another version?): train again"
            ) from error

    def key(self) -> str:
        """Canonical text of all settings that change the input of a file that is accepted."""
        return json.dumps(
            replace(self, intensity=replace(self.intensity, kinds=None, outside=(0.0, 0.0))).to_json(), sort_keys=True
        )


@dataclass(frozen=True)
class Picture:
    """An image on 8 bits as the network is to see it, before it is resized.

    Attributes
    ----------
    whole : uint8 array, shape (height, width) or (height, width, 3)
        With info bar and marks.
    shown : uint8 array
        Without what the preprocessing takes away.
    bar : Bar or None
        The info bar found, cut off or not.
    marks : ScanMarks or None
        Marks burnt into the picture, where they were masked.
    """

    whole: Pixels
    shown: Pixels
    bar: Bar | None
    marks: ScanMarks | None = None


def picture_of(image: Image, preprocessing: Preprocessing) -> Picture:
    """Apply intensity policy, cut the info bar off and mask burnt-in marks, as the preprocessing says.

    Raises
    ------
    IntensityError
        When the policy does not cover the image's pixel kind, or leaves one grey level of a picture that has more.
    """
    whole = to_uint8(image, preprocessing.intensity)
    bar = find_bar(whole, image.metadata)
    stored, shown = image.pixels, whole
    if bar is not None and preprocessing.info_bar == "crop":
        stored, shown = crop_bar(stored, bar), crop_bar(whole, bar)
    if whole is not image.pixels:
        check_contrast(stored, shown, pixel_kind(image), preprocessing.intensity)
    marks = None
    if preprocessing.marks == "mask":
        marks = find_marks(shown)
        shown = mask_marks(shown, marks)
    return Picture(whole, shown, bar, marks)


def fit(shown: Pixels, preprocessing: Preprocessing, pixel_size_nm: float | None = None) -> Pixels:
    """The network input of a picture, uint8 of shape (size, size, 3), RGB.

    Parameters
    ----------
    shown : uint8 array, shape (height, width) or (height, width, 3)
    preprocessing : Preprocessing
    pixel_size_nm : float, optional
        Side of the picture's pixels on the specimen; needed with `scale_nm`.

    Raises
    ------
    ValueError
        With `scale_nm` and no pixel size.
    """
    side = (preprocessing.size, preprocessing.size)
    if preprocessing.scale_nm is not None:
        if pixel_size_nm is None:
            raise ValueError("a physical scale needs the pixel size of the picture")
        shown = _at_scale(shown, pixel_size_nm / preprocessing.scale_nm, preprocessing.size)
    resized: Pixels = shown
    if shown.shape[:2] != side:
        resized = np.asarray(PIL.Image.fromarray(shown).resize(side, PIL.Image.Resampling.BICUBIC))
    return resized if resized.ndim == 3 else np.repeat(resized[:, :, None], 3, axis=2)


def prepare(image: Image, preprocessing: Preprocessing, pixel_size_nm: float | None = None) -> Pixels:
    """The network input of one image: `picture_of`, then `fit`."""
    return fit(picture_of(image, preprocessing).shown, preprocessing, pixel_size_nm)


def _at_scale(shown: Pixels, factor: float, size: int) -> Pixels:
    """Resample by a factor and centre on a square of `size` pixels; what lies outside is cut, what lacks is filled."""
    height, width = shown.shape[:2]
    # the part of the picture that will be seen, in its own pixels
    seen = [min(float(edge), size / factor) for edge in (width, height)]
    left, top = (width - seen[0]) / 2, (height - seen[1]) / 2
    new = [min(size, max(1, round(edge * factor))) for edge in seen]
    scaled = np.asarray(
        PIL.Image.fromarray(shown).resize(
            (new[0], new[1]), PIL.Image.Resampling.BICUBIC, box=(left, top, left + seen[0], top + seen[1])
        )
    )
    border = np.concatenate([scaled[0], scaled[-1], scaled[:, 0], scaled[:, -1]])
    canvas = np.empty((size, size, *scaled.shape[2:]), np.uint8)
    canvas[:] = np.median(border, axis=0).astype(np.uint8)
    row, column = (size - new[1]) // 2, (size - new[0]) // 2
    canvas[row : row + new[1], column : column + new[0]] = scaled
    return canvas
