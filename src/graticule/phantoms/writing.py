"""Image files of phantoms. They are not made durable: what a power cut takes can be drawn again."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graticule.files import writing

_RUN_LENGTH = 3  # zlib's Z_RLE: as small as the default on noise, in half the time


def write_png(file: Path, image: NDArray[np.uint8]) -> None:
    """Grey levels or RGB as PNG."""
    with writing(file, durable=False) as sink:
        Image.fromarray(image).save(sink, format="PNG", compress_level=1, compress_type=_RUN_LENGTH)


def write_jpeg(file: Path, image: NDArray[np.uint8], quality: int) -> None:
    """Grey levels as JPEG of a quality from 1 to 95."""
    with writing(file, durable=False) as sink:
        Image.fromarray(image).save(sink, format="JPEG", quality=quality)


def write_mask(file: Path, mask: NDArray[np.uint16]) -> None:
    """Object numbers as PNG of 16 bit."""
    with writing(file, durable=False) as sink:
        Image.fromarray(mask).save(sink, format="PNG")
