"""JPEG: complete or refused, with its inks, depths and first picture."""

from __future__ import annotations

import io
import re
import struct
import time
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from tests.formats.pictures import RNG, SMOOTH, read, refused, saved


def jpeg(**options: Any) -> bytes:
    return saved(SMOOTH, "JPEG", quality=90, **options)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}, {"subsampling": 2}])
def test_a_jpeg_without_its_end_is_never_half_grey(options: dict[str, Any]) -> None:
    data = jpeg(**options)
    whole = read(data)
    independent = np.asarray(PIL.Image.open(io.BytesIO(data))).astype(int)
    assert np.abs(whole.pixels.astype(int) - independent).max() <= 1
    for share in (0.4, 0.6, 0.8, 0.9, 0.99):
        cut = data[: int(len(data) * share)]
        assert refused(cut, "is cut off")
        if share <= 0.9:  # with an end mark put behind, a loss inside the very last block cannot be told
            assert refused(cut + b"\xff\xd9", "is cut off")
    assert refused(data[:-2], "no end marker")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
def test_bytes_that_fill_up_to_a_marker_change_nothing(options: dict[str, Any]) -> None:
    data = jpeg(**options)
    filled = re.sub(rb"\xff(?=[\xc0-\xcf\xd9\xda\xdb\xdd])", b"\xff" * 5, data)
    assert len(filled) > len(data) + 20
    assert np.array_equal(read(filled).pixels, read(data).pixels)
    assert refused(filled[:-2], "no end marker")


def test_a_long_run_of_bytes_before_no_marker_is_passed_over_at_once() -> None:
    start = time.perf_counter()
    assert refused(jpeg()[:2] + b"\xff" * 1_000_000 + bytes(9), "no end marker")
    assert time.perf_counter() - start < 2


def test_a_grey_picture_is_not_taken_for_missing_data() -> None:
    for value in (127, 128, 129):
        data = saved(np.full((40, 40), value, np.uint8), "JPEG", quality=100)
        assert (read(data).pixels == value).all()


def test_inks_of_adobe_are_stored_inverted_and_others_are_not() -> None:
    for colour in ((200, 30, 60), (20, 180, 90), (250, 250, 250), (5, 5, 5)):
        inks = PIL.Image.new("RGB", (16, 16), colour).convert("CMYK")
        adobe = saved(inks, "JPEG", quality=95)
        assert b"Adobe" in adobe
        assert (
            np.abs(read(adobe).pixels.astype(int) - colour[0]).max() <= 6
            or np.abs(read(adobe).pixels.astype(int) - np.array(colour)).max() <= 6
        )
        start = adobe.index(b"\xff\xee")
        (length,) = struct.unpack_from(">H", adobe, start + 2)
        plain = adobe[:start] + adobe[start + 2 + length :]
        negative = np.asarray(imagecodecs.jpeg_decode(plain)).astype(int)
        expected = (255 - negative[..., :3]) * (255 - negative[..., 3:]) / 255
        shown = read(plain).pixels.astype(int)
        shown = shown[..., None] if shown.ndim == 2 else shown
        assert np.abs(shown - expected).max() <= 1


def test_twelve_bit_jpeg_keeps_its_values() -> None:
    values = np.asarray(SMOOTH[:, :, 0], np.uint16) * 16
    image = read(bytes(imagecodecs.jpeg_encode(values, level=100, bitspersample=12)))
    assert (image.bits, image.mode, image.pixels.dtype) == (12, "grey, 12 bit", np.uint16)
    assert np.abs(image.pixels.astype(int) - values.astype(int)).max() <= 16


@pytest.mark.parametrize("bits", [2, 5, 8, 10, 12, 16])
def test_lossless_jpeg_of_every_depth(bits: int) -> None:
    values = RNG.integers(0, 2**bits, (9, 13)).astype(np.uint8 if bits <= 8 else np.uint16)
    data = bytes(imagecodecs.jpeg8_encode(values, lossless=True, predictor=1, bitspersample=bits))
    image = read(data)
    expected = np.floor(values * 255.0 / (2**bits - 1) + 0.5) if bits < 8 else values
    np.testing.assert_array_equal(image.pixels, expected)
    assert image.bits == max(8, bits)
    for share in (0.5, 0.9):
        assert refused(data[: int(len(data) * share)] + b"\xff\xd9", "is cut off")


def test_multi_picture_jpeg_gives_the_first() -> None:
    data = saved(SMOOTH, "MPO", save_all=True, append_images=[PIL.Image.fromarray(SMOOTH[::-1].copy())], quality=95)
    image = read(data)
    assert image.notes == ("first of 2 pictures (MPO)",)
    assert np.abs(image.pixels.astype(int) - SMOOTH.astype(int)).mean() < 6


def test_a_broken_exif_block_costs_nothing_but_a_note() -> None:
    data = jpeg()
    expected = read(data).pixels
    for block in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0junk"):
        broken = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
        image = read(broken)
        np.testing.assert_array_equal(image.pixels, expected)
        assert all("EXIF" in note for note in image.notes)
