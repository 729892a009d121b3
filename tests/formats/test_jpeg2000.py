"""JPEG 2000: bits as they were stored, complete or refused, and what the boxes of a file say of its channels."""

from __future__ import annotations

import contextlib
import io
import struct
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from tests.formats.pictures import RGB, RNG, SMOOTH, on_white, read, refused, saved

from graticule.errors import ImageError
from graticule.formats import jpeg2000
from graticule.formats.depth import told_depth


def coded(values: NDArray[Any], **options: Any) -> bytes:
    """A JPEG 2000 file whose bits are those given."""
    return bytes(imagecodecs.jpeg2k_encode(values, **{"level": 0, "reversible": True, **options}))


def boxed(stream: bytes, space: int, *more: bytes) -> bytes:
    """A JP2 file of a code stream with an enumerated colour space and further boxes in its header."""
    size = jpeg2000.size_of(stream)
    about = struct.pack(">IIHBBBB", size.height, size.width, size.components, size.precision - 1, 7, 0, 0)
    header = box(b"ihdr", about) + box(b"colr", struct.pack(">BBBI", 1, 0, 0, space)) + b"".join(more)
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return start + box(b"jp2h", header) + box(b"jp2c", stream)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


@pytest.mark.parametrize("codecformat", ["JP2", "J2K"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_bit_is_kept(channels: int, bits: int, codecformat: str, tmp_path: Any) -> None:
    shape = (9, 13, 3) if channels == 3 else (9, 13)
    values = RNG.integers(0, 2**bits, shape, dtype=np.uint8 if bits == 8 else np.uint16)
    data = coded(values, bitspersample=bits, codecformat=codecformat)
    image = read(data, "picture.jp2")
    np.testing.assert_array_equal(image.pixels, values)
    assert (image.bits, image.file_format, image.compression) == (bits, "JPEG 2000", "JPEG 2000, lossless")
    assert image.notes == ()
    (tmp_path / "a.jp2").write_bytes(data)
    assert told_depth(tmp_path / "a.jp2") == ("8 bit" if bits == 8 else f"JPEG 2000 {bits - 1:02x}")


def test_few_bits_are_scaled_and_signed_values_stay() -> None:
    few = RNG.integers(0, 8, (9, 13), dtype=np.uint8)
    np.testing.assert_array_equal(read(coded(few, bitspersample=3)).pixels, np.rint(few * 255.0 / 7))
    signed = RNG.integers(-3000, 3000, (9, 13)).astype(np.int16)
    image = read(coded(signed))
    np.testing.assert_array_equal(image.pixels, signed)
    assert image.mode == "grey, 16 bit signed"


def test_lossy_pictures_agree_with_an_independent_reader() -> None:
    data = saved(SMOOTH, "JPEG2000", quality_mode="rates", quality_layers=[8], irreversible=True)
    image = read(data)
    assert image.compression == "JPEG 2000, lossy"
    np.testing.assert_array_equal(image.pixels, np.asarray(PIL.Image.open(io.BytesIO(data))))


def test_transparency_lies_on_white_where_the_file_says_that_it_is_one() -> None:
    alpha = np.dstack([RGB, RNG.integers(0, 256, (9, 13), dtype=np.uint8)])
    data = saved(alpha, "JPEG2000", irreversible=False)
    expected = on_white(PIL.Image.fromarray(alpha))
    assert np.abs(read(data).pixels.astype(int) - expected.astype(int)).max() <= 1
    stream = jpeg2000.code_stream(data)
    assert refused(stream, "4 channels of JPEG 2000 are not supported where the file does not say")
    told = box(b"cdef", struct.pack(">13H", 4, 0, 0, 1, 1, 0, 2, 2, 0, 3, 3, 1, 0))
    np.testing.assert_array_equal(read(boxed(stream, 16, told)).pixels, read(data).pixels)
    colour = box(b"cdef", struct.pack(">10H", 3, 0, 0, 1, 1, 0, 2, 2, 1, 0))
    assert refused(boxed(coded(RGB, codecformat="J2K"), 16, colour), "3 channels")


def test_luminance_and_chrominance_become_rgb() -> None:
    grey = np.dstack([RGB[:, :, 0], np.full((9, 13, 2), 128, np.uint8)])
    image = read(boxed(coded(grey, codecformat="J2K", mct=False), 18))
    np.testing.assert_array_equal(image.pixels, RGB[:, :, 0])
    assert refused(boxed(coded(RGB, codecformat="J2K"), 14), "colour space 14")
    assert refused(boxed(coded(RGB[:, :, 0].copy(), codecformat="J2K"), 16, box(b"pclr", bytes(9))), "palette")


@pytest.mark.parametrize("codecformat", ["JP2", "J2K"])
@pytest.mark.parametrize("tile", [None, (32, 32)])
def test_a_stream_that_is_cut_off_is_refused_wherever_it_ends(tile: Any, codecformat: str) -> None:
    options = {"tile_size": tile} if tile else {}
    data = saved(SMOOTH, "JPEG2000", no_jp2=codecformat == "J2K", **options)
    np.testing.assert_array_equal(read(data).pixels, SMOOTH)
    places = [*range(40, len(data) - 1, 97), len(data) - 3, len(data) - 2]
    for place in places:
        assert refused(data[:place], "cut off|damaged")
    tiles = [at for at in range(len(data)) if data[at : at + 4] == b"\xff\x90\0\x0a"]
    assert len(tiles) == (6 if tile else 1)
    for place in tiles[1:]:  # behind a whole tile
        assert refused(data[:place], "no end marker")


def test_what_a_header_declares_is_checked_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg2000.imagecodecs, "jpeg2k_decode", lambda *_, **__: pytest.fail("was decoded"))
    data = bytearray(coded(RGB, codecformat="J2K"))
    place = data.index(struct.pack(">II", 13, 9))
    large = bytes(data[:place]) + struct.pack(">II", 60_000, 60_000) + bytes(8) + struct.pack(">II", 60_000, 60_000)
    assert refused(large + bytes(data[place + 24 :]), "allowed")
    assert refused(bytes(data[:42]) + b"\x07\1\2" + bytes(data[45:]), "unlike size or depth")
    deep = bytes(data[:42]) + b"\x13\1\1" * 3 + bytes(data[51:])
    assert refused(deep, "20 bits a sample")
    assert refused(boxed(bytes(data), 16).replace(b"jp2c", b"free"), "holds no code stream")


def test_no_flipped_bit_of_a_header_ends_in_anything_but_a_picture_or_a_cause() -> None:
    data = coded(RGB)
    end = data.index(b"\xff\x90")
    for place in range(12, end):
        for bit in (0, 3, 7):
            broken = bytearray(data)
            broken[place] ^= 1 << bit
            with contextlib.suppress(ImageError):
                assert read(bytes(broken)).pixels.size


def test_columns_of_colour_are_not_swapped() -> None:
    planes = np.zeros((4, 4, 3), np.uint8)
    planes[..., 0] = 200
    assert read(coded(planes)).pixels[0, 0].tolist() == [200, 0, 0]
