"""BMP: what Pillow reads of it, with checks around."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats.pictures import RNG, read, refused


def bmp(width: int, height: int, bits: int, body: bytes, *, compression: int = 0, extra: bytes = b"") -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 0, 0) + extra
    return struct.pack("<2sIHHI", b"BM", 0, 0, 0, 14 + len(info)) + info + body


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_bmp_palettes(bits: int) -> None:
    indices = RNG.integers(0, 2**bits, (5, 11), dtype=np.uint8)
    palette = RNG.integers(0, 256, (2**bits, 4), dtype=np.uint8)
    planes = np.unpackbits(indices[:, :, None], axis=2)[:, :, 8 - bits :].reshape(5, -1)
    rows = np.packbits(planes, axis=1)
    stride = (11 * bits + 31) // 32 * 4
    body = np.pad(rows, ((0, 0), (0, stride - rows.shape[1])))
    expected = palette[indices][:, :, 2::-1]
    np.testing.assert_array_equal(read(bmp(11, -5, bits, body.tobytes(), extra=palette.tobytes())).pixels, expected)
    upward = bmp(11, 5, bits, body[::-1].tobytes(), extra=palette.tobytes())
    np.testing.assert_array_equal(read(upward).pixels, expected)
    assert refused(upward[: -stride - 1], "rows of the BMP are missing")


def test_bmp_of_sixteen_bits() -> None:
    values = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    body = values.astype("<u2").tobytes()
    six = bmp(256, -256, 16, body, compression=3, extra=struct.pack("<3I", 0xF800, 0x07E0, 0x001F))
    expected = np.stack([values >> 11, values >> 5 & 63, values & 31], axis=2) * (255 / np.array([31, 63, 31]))
    np.testing.assert_array_equal(read(six).pixels, np.rint(expected))
    five = np.stack([values >> 10 & 31, values >> 5 & 31, values & 31], axis=2) * (255 / 31)
    np.testing.assert_array_equal(read(bmp(256, -256, 16, body)).pixels, np.rint(five))
    odd = bmp(4, -3, 16, bytes(24), compression=3, extra=struct.pack("<3I", 0xF000, 0x0F00, 0x00F0))
    assert refused(odd, "bitfields layout")


def test_bmp_kinds_that_are_not_read_are_named() -> None:
    assert refused(bmp(4, 4, 2, bytes(16), extra=bytes(16)), "a BMP of 2 bits with compression 0 is not supported")
    assert refused(bmp(4, 4, 24, bytes(48), compression=4), "a BMP of 24 bits with compression 4 is not supported")
    assert refused(bmp(4, 4, 8, bytes(16)), "palette is missing")
    good = bmp(4, 4, 24, bytes(48))
    assert refused(good[:30], "inside the BMP header")
    assert refused(good[:10] + struct.pack("<I", 20) + good[14:], "do not start after the header")


def test_transparency_of_a_bmp_lies_on_white() -> None:
    values = RNG.integers(1, 256, (3, 4, 4), dtype=np.uint8)
    extra = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 56, 4, -3, 1, 32, 3, 48, 0, 0, 0, 0) + extra

    def picture(pixels: NDArray[np.uint8]) -> bytes:
        return struct.pack("<2sIHHI", b"BM", 0, 0, 0, 14 + len(info)) + info + pixels.tobytes()

    share = values[:, :, 3:] / 255
    np.testing.assert_array_equal(
        read(picture(values)).pixels, np.rint(values[:, :, 2::-1] * share + 255 * (1 - share)).astype(np.uint8)
    )
    values[:, :, 3] = 0
    hidden = read(picture(values))
    np.testing.assert_array_equal(hidden.pixels, values[:, :, 2::-1])
    assert hidden.notes == ("transparency that hides everything was passed over",)


def test_the_unused_byte_of_a_bmp_is_not_transparency() -> None:
    values = RNG.integers(1, 256, (3, 4, 4), dtype=np.uint8)
    assert np.array_equal(read(bmp(4, -3, 32, values.tobytes())).pixels, values[:, :, 2::-1])


def test_bmp_run_lengths() -> None:
    code = bytes((3, 1, 0, 3, 2, 3, 1, 0, 0, 0, 0, 2, 2, 0, 2, 2, 2, 3, 0, 1))
    palette = np.array([[0, 0, 0, 0], [10, 20, 30, 0], [40, 50, 60, 0], [70, 80, 90, 0]], np.uint8)
    extra = palette.tobytes()
    image = read(bmp(6, 2, 8, code, compression=1, extra=extra))
    lower = palette[[1, 1, 1, 2, 3, 1], 2::-1]
    upper = palette[[0, 0, 2, 2, 3, 3], 2::-1]  # what is skipped is of colour 0
    np.testing.assert_array_equal(image.pixels, np.stack([upper, lower]))
    assert image.compression == "run length"
    assert refused(bmp(6, 2, 8, code[:-4], compression=1, extra=extra), "cannot be decoded")
    assert refused(bmp(6, -2, 8, code, compression=1, extra=extra), "from the top")
    assert refused(
        bmp(6, 2, 8, bytes((6, 9, 0, 0, 6, 9, 0, 1)), compression=1, extra=extra), "colour 9 of a BMP palette of 4"
    )
