"""A thousand bytes per image that tell whether two images show the same picture.

A fingerprint is a grey thumbnail, stretched to its own range so that a faint picture keeps its detail, with the size
and the contrast of the image in front. It is made in the worker processes that decode and kept with the features.
"""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.images.image import read_image
from graticule.images.intensity import IntensityError
from graticule.images.preprocess import Preprocessing, picture_of

FINGERPRINT_VERSION = "1"
SIDE = 32
_HEADER = 8
FINGERPRINT_SIZE = _HEADER + SIDE * SIDE
_TAILS = (0.5, 99.5)  # percentiles that become 0 and 255; a few hot pixels must not take the range


def grey_square(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """The image as grey values squeezed to a square, antialiased (bicubic).

    Parameters
    ----------
    pixels : uint8 array, shape (height, width) or (height, width, 3)
    side : int
        Pixels.

    Returns
    -------
    float32 array, shape (side, side)
        Grey levels, 0 to 255; weights of the channels as in ITU-R BT.601.
    """
    image = PIL.Image.fromarray(pixels).convert("L").convert("F")
    # whole blocks are averaged first where the image is much larger, which costs a tenth of the exact kernel
    shrunk: NDArray[Any] = np.asarray(image.resize((side, side), PIL.Image.Resampling.BICUBIC, reducing_gap=3.0))
    return shrunk.astype(np.float32)


def fingerprint(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The fingerprint of one image.

    Parameters
    ----------
    pixels : uint8 array, shape (height, width) or (height, width, 3)
        At least one pixel.

    Returns
    -------
    uint8 array, shape (FINGERPRINT_SIZE,)
        Height and width (two bytes each, at most 65,535), the range of the thumbnail in sixteenths of a grey level
        (two bytes), two bytes kept free, then the thumbnail row by row.
    """
    thumbnail = grey_square(pixels, SIDE)
    low, high = np.percentile(thumbnail, _TAILS)
    stretched = (thumbnail - low) * (255.0 / max(high - low, 1e-3))
    header = np.array([*pixels.shape[:2], round(16.0 * (high - low)), 0])
    code = np.empty(FINGERPRINT_SIZE, dtype=np.uint8)
    code[:_HEADER] = np.minimum(header, 65_535).astype("<u2").view(np.uint8)
    code[_HEADER:] = np.clip(np.rint(stretched), 0, 255).astype(np.uint8).ravel()
    return code


def fingerprint_of_file(file: Path, preprocessing: Preprocessing) -> NDArray[np.uint8] | None:
    """`fingerprint` of a file as the network sees it; None where the intensity policy does not fit it.

    Raises
    ------
    ImageError
        When it cannot be read.
    """
    try:
        return fingerprint(picture_of(read_image(file, preprocessing.selection), preprocessing).shown)
    except IntensityError:
        return None


def sizes_and_contrast(fingerprints: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What stands in front of the thumbnails, without unpacking these.

    Parameters
    ----------
    fingerprints : uint8 array, shape (n, FINGERPRINT_SIZE)

    Returns
    -------
    sizes : float32 array, shape (n, 2)
        Height and width, pixels.
    contrast : float32 array, shape (n,)
        Grey levels between the darkest and the brightest part.

    Raises
    ------
    ValueError
        When the array has another shape.
    """
    if fingerprints.ndim != 2 or fingerprints.shape[1] != FINGERPRINT_SIZE:
        raise ValueError(f"fingerprints have shape (n, {FINGERPRINT_SIZE}), found {fingerprints.shape}")
    header = np.ascontiguousarray(fingerprints[:, :_HEADER]).view("<u2").astype(np.float32)
    return header[:, :2], header[:, 2] / 16.0


def unpack(
    fingerprints: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What fingerprints hold.

    Parameters
    ----------
    fingerprints : uint8 array, shape (n, FINGERPRINT_SIZE)

    Returns
    -------
    thumbnails : float32 array, shape (n, SIDE, SIDE)
        0 to 255.
    sizes, contrast
        As of `sizes_and_contrast`.

    Raises
    ------
    ValueError
        When the array has another shape.
    """
    sizes, contrast = sizes_and_contrast(fingerprints)
    return fingerprints[:, _HEADER:].reshape(-1, SIDE, SIDE).astype(np.float32), sizes, contrast
