"""Formats for everyone: JPEG, PNG, BMP, GIF, WebP and TGA give right values, and say what they chose."""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from graticule.errors import ImageError, OptionError
from graticule.formats import raster
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


def test_a_single_picture_takes_selections_that_fit() -> None:
    data = saved(RGB, "PNG")
    np.testing.assert_array_equal(read(data, selection=Selection(z="max", channel=(2,), page=0)).pixels, RGB[:, :, 2])
    np.testing.assert_array_equal(read(data, selection=Selection(z=0, channel=(2, 1, 0))).pixels, RGB[:, :, ::-1])
    for selection, cause in (
        (Selection(z=1), "--z 0 or max"),
        (Selection(page=1), "--page 0"),
        (Selection(channel=(3,)), "--channel 0 to 2"),
    ):
        with pytest.raises(ImageError, match=cause):
            read(data, selection=selection)


def test_of_several_frames_the_first_is_read_or_the_option_is_refused() -> None:
    frames = [PIL.Image.fromarray(SMOOTH), PIL.Image.fromarray(SMOOTH[::-1].copy())]
    made = {kind: saved(frames[0], kind, save_all=True, append_images=frames[1:]) for kind in ("WEBP", "PNG", "MPO")}
    made["GIF"] = saved(frames[0].quantize(16), "GIF", save_all=True, append_images=[frames[1].quantize(16)])
    for data in made.values():
        first = read(data)
        for selection in (Selection(z=0), Selection(page=0), Selection(z="max", page=0)):
            assert read(data, selection=selection).digest() == first.digest()
        for selection in (Selection(z="max"), Selection(z=1), Selection(page=1)):
            with pytest.raises(ImageError, match=r"--page 0|--z 0"):
                read(data, selection=selection)
    assert read(saved(SMOOTH, "PNG"), selection=Selection(z="max")).digest() == read(saved(SMOOTH, "PNG")).digest()


def test_selections_out_of_range_are_errors_of_the_option() -> None:
    for values in ({"z": -1}, {"z": "min"}, {"page": -1}, {"channel": (0, 1)}, {"channel": ()}, {"channel": (-1,)}):
        with pytest.raises(OptionError, match="--"):
            Selection(**values)  # type: ignore[arg-type]


# JPEG


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


# PNG


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


# BMP


def bmp(width: int, height: int, bits: int, body: bytes, *, compression: int = 0, extra: bytes = b"") -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 0, 0) + extra
    return struct.pack("<2sIHHI", b"BM", 0, 0, 0, 14 + len(info)) + info + body


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
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
    if bits > 2:
        independent = PIL.Image.open(io.BytesIO(upward)).convert("RGB")
        np.testing.assert_array_equal(read(upward).pixels, np.asarray(independent))


def test_bmp_masks_of_any_width() -> None:
    values = RNG.integers(0, 2**16, (3, 4), dtype=np.uint16)
    masks = (0xF800, 0x07E0, 0x001F)
    data = bmp(4, -3, 16, values.astype("<u2").tobytes(), compression=3, extra=struct.pack("<3I", *masks))
    expected = np.stack([values >> 11, values >> 5 & 63, values & 31], axis=2) / np.array([31, 63, 31]) * 255
    np.testing.assert_array_equal(read(data).pixels, np.rint(expected))
    assert refused(bmp(4, -3, 16, bytes(24), compression=3, extra=struct.pack("<3I", 0xF800, 0xFF00, 1)), "overlap")


def test_the_unused_byte_of_a_bmp_is_not_transparency() -> None:
    values = RNG.integers(1, 256, (3, 4, 4), dtype=np.uint8)
    assert np.array_equal(read(bmp(4, -3, 32, values.tobytes())).pixels, values[:, :, 2::-1])


def test_bmp_run_lengths() -> None:
    code = bytes((3, 1, 0, 3, 2, 3, 1, 0, 0, 0, 0, 2, 2, 0, 2, 2, 0, 1))
    palette = np.array([[0, 0, 0, 0], [10, 20, 30, 0], [40, 50, 60, 0], [70, 80, 90, 0]], np.uint8)
    extra = palette.tobytes()
    image = read(bmp(6, 2, 8, code, compression=1, extra=extra))
    lower = palette[[1, 1, 1, 2, 3, 1], 2::-1]
    white = np.full((2, 3), 255)
    upper = np.concatenate([white, palette[[2, 2], 2::-1], white])
    np.testing.assert_array_equal(image.pixels, np.stack([upper, lower]))
    assert image.notes == ("pixels that the file skips lie on white",)
    assert refused(bmp(6, 2, 8, code[:-2], compression=1, extra=extra), "no end")
    assert refused(bmp(6, -2, 8, code, compression=1, extra=extra), "from the top")
    assert refused(bmp(6, 2, 8, bytes((6, 9, 0, 1)), compression=1, extra=extra), "colour 9 of a BMP palette of 4")


# GIF, WebP, TGA


def test_gif_gives_its_first_frame() -> None:
    palette = PIL.Image.fromarray(RGB).quantize(8)
    data = saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)])
    image = read(data)
    np.testing.assert_array_equal(image.pixels, np.asarray(palette.convert("RGB")))
    assert image.notes == ("first of 2 frames",)
    independent = np.asarray(imagecodecs.gif_decode(data))
    np.testing.assert_array_equal(image.pixels, independent[0, :, :, :3])


def test_gif_faults() -> None:
    palette = PIL.Image.fromarray(SMOOTH).quantize(64)
    data = saved(palette, "GIF")
    for share in (0.1, 0.5, 0.9):
        assert refused(data[: int(len(data) * share)], "cut off")
    assert read(data[:-1]).notes == ("the end mark of the GIF file is missing",)
    frame = data.index(b"\x2c\0\0\0\0")
    taller = bytearray(data)
    for place in (8, frame + 7):
        struct.pack_into("<H", taller, place, 2 * SMOOTH.shape[0])
    assert refused(bytes(taller), "cannot be decoded")  # the stream ends at half of the height


def test_webp() -> None:
    alpha = np.dstack([RGB, RNG.integers(0, 256, (9, 13), dtype=np.uint8)])
    data = saved(alpha, "WEBP", lossless=True, exact=True)
    expected = on_white(PIL.Image.fromarray(alpha))
    assert np.abs(read(data).pixels.astype(int) - expected.astype(int)).max() <= 1
    lossy = saved(SMOOTH, "WEBP", quality=80)
    np.testing.assert_array_equal(read(lossy).pixels, np.asarray(imagecodecs.webp_decode(lossy))[..., :3])
    for share in (0.1, 0.5, 0.95):
        assert refused(lossy[: int(len(lossy) * share)], "cut off")
    frames = [PIL.Image.fromarray(RGB), PIL.Image.fromarray(RGB[::-1].copy())]
    animated = read(saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    np.testing.assert_array_equal(animated.pixels, RGB)
    assert animated.notes == ("first of 2 frames",)


def test_tga_needs_a_plausible_header_and_a_name_or_footer() -> None:
    data = saved(RGB, "TGA")
    bare = data.removesuffix(b"TRUEVISION-XFILE.\0")
    np.testing.assert_array_equal(read(data).pixels, RGB)
    np.testing.assert_array_equal(read(bare, "picture.tga").pixels, RGB)
    assert refused(bare, "by its first bytes", "picture.png")
    assert refused(b"\0\0\x07" + bare[3:], "by its first bytes", "picture.tga")
    assert refused(data[:60], "rows of the TGA file are missing", "picture.tga")
    packed = saved(SMOOTH, "TGA", compression="tga_rle")
    np.testing.assert_array_equal(read(packed).pixels, SMOOTH)
    assert refused(packed[: len(packed) // 2], "cannot be decoded", "picture.tga")


# limits


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


def test_memory_is_estimated_from_type_and_channels() -> None:
    raster.check_size(13_000, 13_000, 4)
    with pytest.raises(raster.Refused, match="GiB"):
        raster.check_size(13_000, 13_000, 8)
    with pytest.raises(raster.Refused, match="no pixels"):
        raster.check_size(0, 5, 1)
