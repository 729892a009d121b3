"""TIFF files made by tifffile, what the program reads of them, and the texts of OME."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image


def read(data: bytes, name: str = "picture.tif", **selection: Any) -> Image:
    return decode_image(data, name, Selection(**selection))


def refused(data: bytes, cause: str, name: str = "picture.tif", **selection: Any) -> str:
    """The cause of the error that a file gives; it matches."""
    with pytest.raises(ImageError, match=cause) as raised:
        read(data, name, **selection)
    return raised.value.cause


def written(*pages: tuple[NDArray[Any], dict[str, Any]], **options: Any) -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, **options) as writer:
        for pixels, page in pages:
            photometric = "rgb" if pixels.shape[-1] == 3 else "minisblack"
            writer.write(pixels, **({"photometric": photometric, "metadata": None} | page))
    return stream.getvalue()


def described(images: str, uuid: str = "urn:uuid:1") -> str:
    root = f' UUID="{uuid}"' if uuid else ""
    return f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"{root}>{images}</OME>'


def pixels_of(blocks: str, z: int = 1, c: int = 1, t: int = 1, *, order: str = "XYZCT", more: str = "") -> str:
    sizes = f'SizeX="23" SizeY="17" SizeZ="{z}" SizeC="{c}" SizeT="{t}"'
    return f'<Image ID="I:0"><Pixels DimensionOrder="{order}" Type="uint16" {sizes}>{more}{blocks}</Pixels></Image>'


def block(uuid: str = "", file: str = "", **attributes: int) -> str:
    inner = f'<UUID FileName="{file}">{uuid}</UUID>' if uuid or file else ""
    listed = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<TiffData {listed}>{inner}</TiffData>"


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def exact(image: Image, expected: NDArray[Any]) -> bool:
    """Whether an image has these pixels, of this type."""
    return image.pixels.dtype == expected.dtype and np.array_equal(image.pixels, expected)
