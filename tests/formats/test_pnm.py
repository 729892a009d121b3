"""The PNM family: exact values from plain and raw files, and one error for what is cut off or not allowed."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image

RNG = np.random.default_rng(7)
SHAPES = {"grey": (9, 13), "colour": (9, 13, 3)}


def read(data: bytes, name: str = "picture.pgm", **selection: Any) -> Image:
    return decode_image(data, name, Selection(**selection))


def refused(data: bytes, cause: str, **selection: Any) -> str:
    """The cause of the error that a file gives; it matches."""
    with pytest.raises(ImageError, match=cause) as raised:
        read(data, **selection)
    return raised.value.cause


def raw(values: NDArray[Any], top: int) -> bytes:
    height, width = values.shape[:2]
    kind = b"P6" if values.ndim == 3 else b"P5"
    return kind + f"\n{width} {height}\n{top}\n".encode() + values.astype(">u2" if top > 255 else "u1").tobytes()


def plain(values: NDArray[Any], top: int) -> bytes:
    height, width = values.shape[:2]
    kind = "P3" if values.ndim == 3 else "P2"
    return f"{kind}\n{width} {height}\n{top}\n{' '.join(map(str, values.ravel()))}\n".encode()


def pfm(values: NDArray[Any], scale: float) -> bytes:
    height, width = values.shape[:2]
    kind = "PF" if values.ndim == 3 else "Pf"
    body = values[::-1].astype("<f4" if scale < 0 else ">f4").tobytes()
    return f"{kind}\n{width} {height}\n{scale}\n".encode() + body


@pytest.mark.parametrize("top", [255, 1023, 4095, 65535])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("write", [raw, plain])
def test_values_are_kept(write: Any, shape: str, top: int) -> None:
    values = RNG.integers(0, top + 1, SHAPES[shape])
    values[0, 0], values[0, 1] = 0, top
    image = read(write(values, top))
    np.testing.assert_array_equal(image.pixels, values)
    assert image.pixels.dtype == (np.uint8 if top == 255 else np.uint16)
    assert (image.bits, image.file_format, image.notes) == (top.bit_length(), "PNM", ())


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_agreement_with_pillow(mode: str) -> None:
    picture = PIL.Image.fromarray(RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)).convert(mode)
    stream = io.BytesIO()
    picture.save(stream, "PPM")
    np.testing.assert_array_equal(
        read(stream.getvalue()).pixels, np.asarray(picture.convert("RGB" if mode == "RGB" else "L"))
    )


@pytest.mark.parametrize("top", [1, 3, 15, 100, 200, 1000])
@pytest.mark.parametrize("write", [raw, plain])
def test_ranges_that_fill_no_bits(write: Any, top: int) -> None:
    values = RNG.integers(0, top + 1, SHAPES["grey"])
    values[0, :2] = 0, top
    image = read(write(values, top))
    if top < 255:
        np.testing.assert_array_equal(image.pixels, np.floor(values * 255 / top + 0.5))
        assert image.bits == 8
    else:
        np.testing.assert_array_equal(image.pixels, values)
        assert (image.bits, image.notes) == (10, ("white is 1000 in this file",))
    assert bool(image.notes) == bool(top & (top + 1))


@pytest.mark.parametrize("width", [1, 7, 8, 9, 16])
def test_bitmaps_of_which_1_is_black(width: int) -> None:
    bits = RNG.integers(0, 2, (5, width), dtype=np.uint8)
    expected = 255 * (1 - bits)
    packed = b"P4\n%d 5\n" % width + np.packbits(bits, axis=1).tobytes()
    np.testing.assert_array_equal(read(packed).pixels, expected)
    assert refused(packed[:-1], "cut off")
    for between in ("", " ", "\n"):
        text = f"P1\n{width} 5\n" + between.join(map(str, bits.ravel()))
        np.testing.assert_array_equal(read(text.encode()).pixels, expected)
        assert refused(text.encode()[:-1], "cut off")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [-1.0, 1.0, -2.5, 0.5])
def test_fractional_values_with_their_byte_order_and_scale(shape: str, scale: float) -> None:
    values = RNG.normal(size=SHAPES[shape]).astype(np.float32)
    image = read(pfm(values, scale), "picture.pfm")
    np.testing.assert_array_equal(image.pixels, values * np.float32(abs(scale)))
    assert (image.pixels.dtype, image.bits) == (np.float32, 32)
    assert bool(image.notes) == (abs(scale) != 1)
    if abs(scale) == 1:
        opened = np.asarray(PIL.Image.open(io.BytesIO(pfm(values, scale)))) if shape == "grey" else values
        np.testing.assert_array_equal(image.pixels, opened)
    assert refused(pfm(values, scale)[:-1], "cut off")
    values[0, 0] = np.nan
    assert refused(pfm(values, scale), "not finite")


def test_comments_and_white_space() -> None:
    values = RNG.integers(0, 256, (2, 3))
    body = values.astype(np.uint8).tobytes()
    for header in (
        b"P5 3 2 255 ",
        b"P5\n# by a camera\n3 2\n255\n",
        b"P5#c\n#d\r\n3# w\n \t2\n# 9 9\n255\n",
        b"P5\r3\r2\r255\r",
    ):
        np.testing.assert_array_equal(read(header + body).pixels, values)
    text = b"P2 # c\n3 2 255\n" + b"# 7\n".join(b"%d " % v for v in values.ravel())
    np.testing.assert_array_equal(read(text).pixels, values)


def test_a_value_that_looks_like_white_space_is_one() -> None:
    values = np.full((2, 3), 10)
    np.testing.assert_array_equal(read(raw(values, 255)).pixels, values)


def test_several_pictures_in_one_file() -> None:
    first, second = RNG.integers(0, 256, (2, 4, 5))
    data = raw(first, 255) + raw(second, 255) + raw(first, 4095)
    image = read(data)
    np.testing.assert_array_equal(image.pixels, first)
    assert image.notes == ("first of 3 pictures",)
    assert refused(data, "--z max cannot be followed", z="max")
    assert refused(data, "--page 0", page=1)
    assert read(raw(first, 255) + b"junk").notes == ("4 bytes follow the picture",)
    assert read(raw(first, 255) + b"\n").notes == ()


@pytest.mark.parametrize("write", [raw, plain])
def test_a_file_cut_anywhere_is_refused_or_whole(write: Any) -> None:
    values = RNG.integers(100, 256, SHAPES["colour"])
    data = write(values, 255)
    wrong = []
    for end in range(1, len(data)):
        try:
            image = read(data[:end])
        except ImageError:
            continue
        if not np.array_equal(image.pixels, values):
            wrong.append(end)
    # of a last number of three digits the first ones are a number too; it then lies at the very end
    assert all(end >= len(data) - 3 for end in wrong), wrong
    assert not wrong or write is plain


def test_faults() -> None:
    values = RNG.integers(0, 256, (4, 5))
    assert refused(raw(values, 100), "above the largest of 100")
    assert refused(plain(values + 100, 255), "above the largest of 255")
    assert refused(b"P2 2 1 255 1 99999999999999999999999999", "above the largest")
    assert refused(b"P2 2 1 255 1 x", "no number")
    assert refused(b"P2 2 1 255 1 -2", "no number")
    assert refused(b"P1 2 1 1 2", "no number")
    assert refused(b"P5 5 4 0 " + bytes(20), "allowed: 1 to 65535")
    assert refused(b"P5 5 4 65536 " + bytes(40), "allowed: 1 to 65535")
    assert refused(b"P5 0 4 255 ", "no pixels")
    assert refused(b"P5 -5 4 255 " + bytes(20), "no pixels")
    assert refused(b"P5 5.5 4 255 " + bytes(20), "no number")
    assert refused(b"P5 5 4", "inside the PNM header")
    assert refused(b"P5\n", "inside the PNM header")
    assert refused(b"Pf 5 4 0 " + bytes(80), "scale of the PFM file")
    assert refused(b"Pf 5 4 nan " + bytes(80), "header")
    assert refused(b"P7\nWIDTH 5\n", "PAM is not supported")
    assert refused(b"Picture 5 of 7", "by its first bytes")


def test_sizes_are_checked_before_anything_is_laid_out() -> None:
    start = time.perf_counter()
    for kind in ("P1", "P2", "P3", "P4", "P5", "P6", "PF", "Pf"):
        assert refused(f"{kind} 60000 60000 255 1 1".encode(), "allowed")
        assert refused(f"{kind} {'9' * 39} {'9' * 39} 255 1 1".encode(), "allowed")
    comment = b"P5\n" + b"#" * 1_000_000
    assert refused(comment, "inside the PNM header")
    assert refused(b"P5" + b" " * 1_000_000, "inside the PNM header")
    assert refused(b"P5" + b"#\n" * 500_000, "inside the PNM header")
    assert time.perf_counter() - start < 20
