"""An image as persons see it, on 8 bits and as small as it is shown: pure functions of a file, for workers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from graticule.arrays import Pixels
from graticule.formats.selection import EVERYTHING, Selection
from graticule.images.burnt_in.infobar import find_bar
from graticule.images.image import read_image
from graticule.images.intensity import IntensityError, choose_intensity, pixel_range, to_uint8
from graticule.images.preprocess import Preprocessing


@dataclass(frozen=True)
class Shown:
    """An image for people.

    Attributes
    ----------
    pixels : uint8 array, shape (height, width) or (height, width, 3)
        As stored, upright, on 8 bits by the model's intensity policy.
    pixel_size_nm : float or None
    bar : (top, bottom) or None
        Rows that the model does not see.
    """

    pixels: Pixels
    pixel_size_nm: float | None
    bar: tuple[int, int] | None


def shown_as_model_reads(file: Path, preprocessing: Preprocessing) -> Shown:
    """An image as a model reads it; values that its intensity policy does not fit are shown by their own range.

    Raises
    ------
    ImageError
        When the file is gone or cannot be read.
    """
    image = read_image(file, preprocessing.selection)
    try:
        pixels = to_uint8(image, preprocessing.intensity)
    except IntensityError:
        pixels = to_uint8(image, choose_intensity("auto", [pixel_range(image)])[0])
    bar = find_bar(pixels, image.metadata) if preprocessing.info_bar == "crop" else None
    return Shown(pixels, image.metadata.pixel_size_nm, None if bar is None else (bar.top, bar.bottom))


def read_rgb(file: Path, selection: Selection = EVERYTHING, side: int = 0) -> Pixels:
    """Pixels of an image for people: values of other depths by their percentiles.

    Parameters
    ----------
    file : Path
    selection : Selection
    side : int
        Most pixels of its longest side; 0: as stored.

    Returns
    -------
    uint8 array, shape (H, W, 3)

    Raises
    ------
    ImageError
        When the file cannot be read.
    """
    image = read_image(file, selection)
    pixels = to_uint8(image, choose_intensity("auto", [pixel_range(image)])[0])
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    return np.asarray(shrunk(PIL.Image.fromarray(rgb), side))


def shrunk(image: PIL.Image.Image, side: int) -> PIL.Image.Image:
    """The image with at most `side` pixels at its longest side (0: as it is)."""
    longest = max(image.size)
    if not 0 < side < longest:
        return image
    width, height = (max(1, round(edge * side / longest)) for edge in image.size)
    return image.resize((width, height), PIL.Image.Resampling.LANCZOS, reducing_gap=3.0)
