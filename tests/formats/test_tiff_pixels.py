"""Pixels of a TIFF page: every type, depth and colour model gives its values, or a reason."""

from __future__ import annotations

import io
import struct

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from tests.formats.tiffs import exact, read, refused, tiff

RNG = np.random.default_rng(9)
RGB = RNG.integers(0, 256, (17, 23, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (17, 23), dtype=np.uint16)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "packbits", "lzma"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8"])
def test_types_are_kept(dtype: str, compression: str | None) -> None:
    values = (GREY16.astype(np.int64) % 251 - 125 if dtype[0] in "if" else GREY16).astype(dtype)
    image = read(tiff(values, photometric="minisblack", compression=compression, byteorder=">"))
    assert exact(image, values)
    kind = {"u": "", "i": " signed", "f": " float"}[dtype[0]]
    assert image.mode == f"grey, {8 * values.dtype.itemsize} bit{kind}"
    assert image.file_format == "TIFF"
    assert (image.compression == "") == (compression is None)


@pytest.mark.parametrize("predictor", [2, 3])
def test_predictors(predictor: int) -> None:
    values = GREY16.astype(np.float32) / 7 if predictor == 3 else GREY16
    assert exact(read(tiff(values, photometric="minisblack", compression="zlib", predictor=predictor)), values)


def test_half_precision_and_wide_integers() -> None:
    half = np.linspace(-2, 2, 8, dtype=np.float16).reshape(2, 4)
    assert exact(read(tiff(half, photometric="minisblack")), half.astype(np.float32))
    wide = np.array([[0, 2**32 - 1]], np.uint64)
    assert exact(read(tiff(wide, photometric="minisblack")), wide.astype(np.uint32))
    assert refused(tiff(wide + np.uint64(1), photometric="minisblack"), "beyond the range of 32 bits")


@pytest.mark.parametrize("bits", [1, 2, 3, 5, 6, 7, 9, 10, 12, 14])
def test_packed_bits(bits: int) -> None:
    values = RNG.integers(0, 2**bits, (5, 11)).astype(np.uint8 if bits < 8 else np.uint16)
    values[0, :2] = 0, 2**bits - 1
    stored = values.astype(bool) if bits == 1 else values
    image = read(tiff(stored, photometric="minisblack", bitspersample=bits))
    expected = np.rint(values / (2**bits - 1) * 255).astype(np.uint8) if bits < 8 else values
    assert exact(image, expected)
    assert image.bits == max(bits, 8)
    inverted = read(tiff(stored, photometric="miniswhite", bitspersample=bits))
    assert exact(inverted, (255 if bits < 8 else 2**bits - 1) - expected)


def test_bits_said_in_a_tag() -> None:
    values = GREY16 >> 4
    tag = [(281, "H", 1, 4095, True)]
    image = read(tiff(values, photometric="minisblack", extratags=tag))
    assert (image.bits, image.mode) == (12, "grey, 12 bit")
    assert exact(image, values)
    assert read(tiff(GREY16, photometric="minisblack", extratags=tag)).bits == 16  # the values say otherwise


def test_inks_become_colour_by_the_declared_rule() -> None:
    for dtype in (np.uint8, np.uint16):
        top = int(np.iinfo(dtype).max)
        inks = RNG.integers(0, top, (5, 7, 4)).astype(dtype)
        expected = np.rint((top - inks[..., :3].astype(float)) * (top - inks[..., 3:].astype(float)) / top)
        assert exact(read(tiff(inks, photometric="separated")), expected.astype(dtype))


def test_transparency_and_extra_channels() -> None:
    alpha = RNG.integers(0, 256, (17, 23, 1), dtype=np.uint8)
    four = np.concatenate([RGB, alpha], axis=2)
    share = alpha / 255
    flat = read(tiff(four, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_allclose(flat.pixels, RGB * share + 255 * (1 - share), atol=0.51)
    shown = np.minimum(RGB, alpha)
    joined = np.concatenate([shown, alpha], axis=2)
    flat = read(tiff(joined, photometric="rgb", extrasamples=["assocalpha"]))
    np.testing.assert_allclose(flat.pixels, shown + 255 * (1 - share), atol=0.51)
    image = read(tiff(four, photometric="rgb", extrasamples=["unspecified"]))
    assert exact(image, RGB)
    assert image.notes == ("1 extra channels were passed over",)


def test_five_channels_must_be_chosen_from() -> None:
    values = RNG.integers(0, 256, (6, 8, 5), dtype=np.uint8)
    for planar in ("contig", "separate"):
        stored = values if planar == "contig" else np.moveaxis(values, 2, 0)
        data = tiff(stored, photometric="minisblack", planarconfig=planar, metadata=None)
        assert refused(data, "5 channels.*--channel one or three of 0 to 4")
        assert exact(read(data, channel=(4,)), values[:, :, 4])
        assert exact(read(data, channel=(3, 0, 1)), values[:, :, [3, 0, 1]])
        assert refused(data, "no channel 5", channel=(5,))


def test_bilevel_fax_agrees_with_pillow() -> None:
    bilevel = PIL.Image.fromarray(np.kron(RGB[:, :, 0] > 128, np.ones((3, 3))).astype(bool))
    for compression in ("group3", "group4", "packbits", "tiff_lzw"):
        stream = io.BytesIO()
        bilevel.save(stream, "TIFF", compression=compression)
        assert exact(read(stream.getvalue()), np.asarray(bilevel.convert("L")))


def hand_made(entries: list[tuple[int, int, int]], body: bytes) -> bytes:
    """A little-endian TIFF of one strip behind its directory; entries are (tag, type, value)."""
    start = 8 + 2 + 12 * (len(entries) + 2) + 4
    full = sorted([*entries, (273, 4, start), (279, 4, len(body))])
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in full)
    return struct.pack("<2sHIH", b"II", 42, 8, len(full)) + directory + bytes(4) + body


def test_reversed_fill_order() -> None:
    values = GREY16.astype(np.uint8)
    entries = [(256, 3, 23), (257, 3, 17), (258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1), (278, 3, 17)]
    reversed_bits = bytes(imagecodecs.bitorder_decode(values.tobytes()))
    assert exact(read(hand_made([*entries, (266, 3, 2)], reversed_bits)), values)
    assert exact(read(hand_made([*entries, (266, 3, 1)], values.tobytes())), values)


def test_palette_entries_of_eight_bits() -> None:
    table = RNG.integers(0, 256, (3, 256), dtype=np.uint16)
    indices = RGB[:, :, 0]
    expected = np.moveaxis(table[:, indices], 0, 2).astype(np.uint8)
    assert exact(read(tiff(indices, photometric="palette", colormap=table)), expected)
    assert exact(read(tiff(indices, photometric="palette", colormap=table * 257)), expected)
