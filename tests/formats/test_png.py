"""PNG: chunks and checksums, interlace, transparency, the default picture of an animation."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest
from tests.formats.pictures import GREY, RGB, RNG, chunk, on_white, read, refused, saved


def png(header: tuple[int, ...], rows: bytes, *before: bytes, after: bytes = b"") -> bytes:
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    return start + b"".join(before) + chunk(b"IDAT", zlib.compress(rows)) + after + chunk(b"IEND", b"")


ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


@pytest.mark.parametrize("shape", [(9, 13), (1, 1), (1, 5), (4, 3), (3, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_interlaced_png(shape: tuple[int, int], dtype: type) -> None:
    values = RNG.integers(0, np.iinfo(dtype).max, (*shape, 3), dtype=dtype)
    values[0, 0] = (1, 2, 3)
    rows = b""
    for y, x, dy, dx in ADAM7:
        part = values[y::dy, x::dx]
        if part.size:
            rows += b"".join(b"\0" + row.astype(values.dtype.newbyteorder(">")).tobytes() for row in part)
    header = (shape[1], shape[0], 8 * values.dtype.itemsize, 2, 0, 0, 1)
    np.testing.assert_array_equal(read(png(header, rows)).pixels, values)
    assert refused(png(header, rows[:-1]), "rows of the PNG file are missing")


def test_png_palette_with_transparency_agrees_with_pillow() -> None:
    palette = PIL.Image.fromarray(RGB).quantize(16)
    data = saved(palette, "PNG", transparency=bytes(range(0, 256, 16)))
    expected = on_white(PIL.Image.open(io.BytesIO(data)).convert("RGBA"))
    assert np.abs(read(data).pixels.astype(int) - expected.astype(int)).max() <= 1


def test_png_transparent_colour_of_sixteen_bits() -> None:
    values = np.array([[0, 7, 65535, 300]], np.uint16)
    data = png((4, 1, 16, 0, 0, 0, 0), b"\0" + values.astype(">u2").tobytes(), chunk(b"tRNS", b"\0\7"))
    assert read(data).pixels.tolist() == [[0, 65535, 65535, 300]]


def test_png_faults() -> None:
    good = saved(RGB, "PNG")
    place = good.index(b"IDAT") + 10
    flipped = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
    assert refused(flipped, "bad checksum of PNG chunk IDAT")
    rows = b"".join(b"\0" + row.tobytes() for row in GREY)
    header = (13, 9, 8, 0, 0, 0, 0)
    np.testing.assert_array_equal(read(png(header, rows)).pixels, GREY)
    assert refused(png(header, rows[:-14]), "cannot be decoded")  # the stream ends early, its checksums are right
    assert refused(png((13, 9, 3, 0, 0, 0, 0), rows), "3 bits of PNG colour type 0")
    assert refused(good[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", *header)) + chunk(b"IEND", b""), "no picture data")
    assert refused(png(header, rows, chunk(b"ABCD", b"")), "unknown PNG chunk ABCD")
    image = read(png(header, rows, b"\0\0\0\1zTXtxbad!") + b"PK\3\4 and more")
    assert image.notes == ("damaged PNG chunk zTXt was passed over", "13 bytes follow the picture")
    assert read(good[:-3]).notes == ("the end chunk of the PNG file is damaged",)


def test_animated_png_gives_its_first_frame() -> None:
    frames = [PIL.Image.fromarray(RGB), PIL.Image.fromarray(RGB[::-1].copy())]
    image = read(saved(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    np.testing.assert_array_equal(image.pixels, RGB)
    assert image.notes == ("first of 2 frames",)


def test_orientation_in_xmp_alone_is_not_applied() -> None:
    packet = b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><tiff:Orientation>6</tiff:Orientation>"
    good = saved(RGB, "PNG")
    assert np.array_equal(read(good[:33] + chunk(b"iTXt", packet) + good[33:]).pixels, RGB)
