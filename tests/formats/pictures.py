"""Small pictures as files of everyday formats, read or refused."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image

RNG = np.random.default_rng(5)
RGB = RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)
GREY = RGB[:, :, 0].copy()
SMOOTH = np.asarray(PIL.Image.fromarray(RGB).resize((80, 64), PIL.Image.Resampling.BICUBIC))


def saved(pixels: NDArray[Any] | PIL.Image.Image, kind: str, **options: Any) -> bytes:
    image = pixels if isinstance(pixels, PIL.Image.Image) else PIL.Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def read(data: bytes, name: str = "picture", selection: Selection | None = None) -> Image:
    return decode_image(data, name, selection or Selection())


def refused(data: bytes, cause: str, name: str = "picture") -> str:
    """The cause of the error that a file gives; it matches."""
    with pytest.raises(ImageError, match=cause) as raised:
        read(data, name)
    return raised.value.cause


def on_white(rgba: PIL.Image.Image) -> NDArray[np.uint8]:
    white = PIL.Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    white.alpha_composite(rgba)
    return np.asarray(white.convert("RGB"))
