"""The formats that are read, in one list."""

from __future__ import annotations

import struct

import numpy as np
import PIL.Image
import pytest
from tests.formats.pictures import RGB, read, saved
from tests.formats.test_bmp import bmp
from tests.formats.test_jpeg import jpeg
from tests.formats.test_png import png

from graticule.errors import ImageError
from graticule.formats import raster


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TGA", "WEBP"])
def test_lossless_everyday_formats_are_exact(kind: str) -> None:
    palette = PIL.Image.fromarray(RGB).quantize(32)
    source = palette if kind == "GIF" else PIL.Image.fromarray(RGB)
    image = read(saved(source, kind, **({"lossless": True} if kind == "WEBP" else {})), "picture.tga")
    np.testing.assert_array_equal(image.pixels, np.asarray(source.convert("RGB")))
    assert (image.bits, image.mode) == (8, "RGB, 8 bit")
    assert image.file_format.upper() == kind


def test_the_name_is_only_a_note() -> None:
    image = read(saved(RGB, "PNG"), "cells/picture.JPG")
    assert image.notes == ("named .jpg, but it is a PNG file",)
    assert read(saved(RGB, "PNG"), "picture.png").notes == read(saved(RGB, "PNG"), "picture").notes == ()


BOMBS = {
    "PNG": png((60_000, 60_000, 1, 0, 0, 0, 0), bytes(9)),
    "JPEG": jpeg().replace(struct.pack(">HH", 64, 80), struct.pack(">HH", 60_000, 60_000), 1),
    "BMP": bmp(60_000, 60_000, 1, bytes(9), extra=bytes(8)),
    "GIF": saved(PIL.Image.fromarray(RGB).quantize(8), "GIF").replace(struct.pack("<HH", 13, 9), b"\xff\xff\xff\xff"),
    "WEBP": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0",
    "TGA": struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 60_000, 60_000, 24, 0) + bytes(9),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_sizes_are_checked_before_decoding(kind: str) -> None:
    with pytest.raises(ImageError, match="allowed") as raised:
        read(BOMBS[kind], "picture.tga")
    assert f"{raster.MAX_PIXELS:,}" in str(raised.value) or "GiB" in str(raised.value)
