"""The directions of one image, from its file or its pixels: a pure function for workers and for Python."""

import hashlib
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.arrays import BoolArray, Pixels
from graticule.directions.lgo import GradientOrientation, local_gradient_orientation
from graticule.directions.measure import measure_directions
from graticule.directions.options import LGO_FIJI
from graticule.directions.outcome import Directions
from graticule.directions.survey import colour_survey, with_wheel
from graticule.directions.tensor import least_side
from graticule.errors import ImageError
from graticule.images.decode import with_sidecar
from graticule.images.image import Image, decode_image, read_file, read_image
from graticule.images.luminance import brightness_of, rows_beside
from graticule.images.shown import shrunk
from graticule.jobs.options import PictureOptions

TILE = 336  # pixels of a picture on the page


@dataclass(frozen=True)
class FileToMeasure:
    """An image file, the file of its mask or None, and whether its survey is wanted whole and small."""

    path: Path
    mask: Path | None = None
    survey: bool = False
    tile: bool = False


@dataclass(frozen=True)
class MeasuredPicture:
    """What was found in a picture.

    Attributes
    ----------
    directions : Directions
    repaired, shipped : GradientOrientation
        Local Gradient Orientation, and as the plug-in computes it, where that was asked for.
    bar : bool
        Whether an info bar was cut off.
    survey : uint8 array, shape (r, c, 3), or None
        The picture coloured by direction, where it was asked for.
    """

    directions: Directions
    repaired: GradientOrientation
    shipped: GradientOrientation | None
    bar: bool
    survey: Pixels | None = None


@dataclass(frozen=True)
class MeasuredFile:
    """An image file and what was found; `error` says why there is nothing.

    Attributes
    ----------
    sha256 : str
    width, height : int
        As stored, pixels.
    found : MeasuredPicture or None
    survey : bytes
        The survey with its wheel as PNG, or nothing.
    error : str
    """

    sha256: str = ""
    width: int = 0
    height: int = 0
    found: MeasuredPicture | None = None
    survey: bytes = b""
    error: str = ""


def unmeasured(cause: str) -> MeasuredFile:
    """What stands for a file that gave nothing."""
    return MeasuredFile(error=cause)


def image_from(values: NDArray[Any]) -> Image:
    """An array as an image.

    Raises
    ------
    ImageError
        When it has not two dimensions or three with three channels, holds nothing, no numbers, or NaN or infinity.
    """
    name = f"an array of shape {values.shape} and type {values.dtype}"
    if values.ndim != 2 and not (values.ndim == 3 and values.shape[2] == 3):
        raise ImageError(
            name, "is no picture: give (height, width), or (height, width, 3) for RGB; of a stack give one plane"
        )
    if values.dtype.kind not in "buif" or not values.size:
        raise ImageError(name, "is no picture: give whole or floating-point numbers, at least one")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError(name, "holds values that are not finite (NaN or infinity)")
    if values.dtype in (np.bool_, np.float16, np.int64, np.uint64):
        values = values.astype(np.uint8 if values.dtype == np.bool_ else np.float64)
    return Image(values)


def measure_image(
    image: Image, name: str, options: PictureOptions, mask: BoolArray | None = None, *, survey: bool = False
) -> MeasuredPicture:
    """Measure the directions of an image.

    Parameters
    ----------
    image : Image
    name : str
        For messages.
    options : PictureOptions
    mask : bool array, shape (height, width), optional
        True where the image counts, of its stored size.
    survey : bool
        Whether the picture is coloured, too.

    Raises
    ------
    ImageError
        When the picture is smaller than the window needs, or the mask has another size.
    """
    bright = brightness_of(image, info_bar=options.info_bar, marks=options.marks)
    grey, counts = bright.grey, bright.counts
    least = least_side(options.sigma)
    if min(grey.shape) < least:
        beside = " without its info bar" if bright.bar is not None else ""
        raise ImageError(
            name,
            f"its {grey.shape[1]} x {grey.shape[0]} pixels{beside} are too few: at a sigma of {options.sigma:g} each "
            f"side needs {least}; a smaller sigma (from 1) needs fewer, a larger picture tells more",
        )
    if mask is not None:
        if mask.shape != (image.height, image.width):
            raise ImageError(
                name,
                f"its mask has {mask.shape[1]} x {mask.shape[0]} pixels, the image {image.width} x {image.height}; "
                "a mask must have the size of its image",
            )
        own = mask[rows_beside(bright.bar, image.height)]
        counts = own if counts is None else counts & own
    return MeasuredPicture(
        directions=measure_directions(grey, sigma=options.sigma, mask=counts, along=options.direction),
        repaired=local_gradient_orientation(grey, mask=counts),
        shipped=local_gradient_orientation(grey, as_shipped=True) if options.method == LGO_FIJI else None,
        bar=bright.bar is not None,
        survey=colour_survey(grey, options.sigma, counts) if survey else None,
    )


def _read_mask(file: Path) -> BoolArray:
    pixels = read_image(file).pixels
    return np.asarray(pixels.any(axis=2) if pixels.ndim == 3 else pixels != 0)


def measure_file(file: FileToMeasure, options: PictureOptions) -> MeasuredFile:
    """Measure the directions of an image file.

    Raises
    ------
    ImageError
        When it or its mask cannot be read, or as `measure_image`.
    """
    data = read_file(file.path)
    image = with_sidecar(decode_image(data, str(file.path), options.selection()), file.path)
    mask = None if file.mask is None else _read_mask(file.mask)
    found = measure_image(image, str(file.path), options, mask, survey=file.survey or file.tile)
    survey = _png(with_wheel(found.survey)) if file.survey and found.survey is not None else b""
    tile = None if found.survey is None or not file.tile else smaller(found.survey)
    return MeasuredFile(
        sha256=hashlib.sha256(data).hexdigest(),
        width=image.width,
        height=image.height,
        found=replace(found, survey=tile),
        survey=survey,
    )


def smaller(survey: Pixels) -> Pixels:
    """A survey as it is shown beside others."""
    return np.asarray(shrunk(PIL.Image.fromarray(survey), TILE))


def _png(pixels: Pixels) -> bytes:
    sink = io.BytesIO()
    PIL.Image.fromarray(pixels).save(sink, format="PNG", compress_level=6)
    return sink.getvalue()
