"""Reading images: exact pixels from every format, and one error type for whatever cannot be read."""

from __future__ import annotations

import hashlib
import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest
import tifffile
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.images.image import MAX_PIXELS, Image, decode_image, read_image

RNG = np.random.default_rng(11)
GREY8 = RNG.integers(0, 256, (9, 13), dtype=np.uint8)
RGB8 = RNG.integers(0, 256, (9, 13, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (9, 13), dtype=np.uint16)
RGB16 = RNG.integers(0, 65536, (9, 13, 3), dtype=np.uint16)


def encoded(pixels: NDArray[Any], kind: str, mode: str | None = None, **options: Any) -> bytes:
    """Bytes written by Pillow."""
    image = PIL.Image.fromarray(pixels)
    stream = io.BytesIO()
    (image if mode is None else image.convert(mode)).save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    """Bytes written by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def png16(pixels: NDArray[np.uint16]) -> bytes:
    """Bytes of a 16-bit PNG."""
    return bytes(imagecodecs.png_encode(pixels))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def exact(data: bytes, expected: NDArray[Any]) -> bool:
    """Whether a file gives these pixels, of this type."""
    pixels = decode_image(data, "picture").pixels
    return pixels.dtype == expected.dtype and np.array_equal(pixels, expected)


EXACT = {
    "PNG grey 8": (encoded(GREY8, "PNG"), GREY8),
    "PNG RGB 8": (encoded(RGB8, "PNG"), RGB8),
    "PNG grey 16": (png16(GREY16), GREY16),
    "PNG RGB 16": (png16(RGB16), RGB16),
    "TIFF grey 8": (tiff(GREY8, photometric="minisblack"), GREY8),
    "TIFF RGB 8": (tiff(RGB8, photometric="rgb"), RGB8),
    "TIFF grey 16": (tiff(GREY16, photometric="minisblack"), GREY16),
    "TIFF RGB 16": (tiff(RGB16, photometric="rgb"), RGB16),
    "TIFF big-endian": (tiff(RGB16, photometric="rgb", byteorder=">"), RGB16),
    "BigTIFF": (tiff(RGB8, photometric="rgb", bigtiff=True), RGB8),
    "TIFF LZW": (tiff(RGB8, photometric="rgb", compression="lzw"), RGB8),
    "TIFF LZW predictor 16": (tiff(RGB16, photometric="rgb", compression="lzw", predictor=True), RGB16),
    "TIFF deflate": (tiff(GREY16, photometric="minisblack", compression="zlib"), GREY16),
    "TIFF packbits": (tiff(GREY8, photometric="minisblack", compression="packbits"), GREY8),
    "TIFF strips": (tiff(RGB8, photometric="rgb", rowsperstrip=2), RGB8),
    "TIFF tiles": (tiff(RGB8, photometric="rgb", tile=(16, 16), compression="zlib"), RGB8),
    "TIFF planar": (tiff(np.moveaxis(RGB8, 2, 0), photometric="rgb", planarconfig="separate"), RGB8),
    "TIFF planar 16 LZW": (
        tiff(np.moveaxis(RGB16, 2, 0), photometric="rgb", planarconfig="separate", compression="lzw"),
        RGB16,
    ),
    "TIFF MinIsWhite 8": (tiff(GREY8, photometric="miniswhite"), 255 - GREY8),
    "TIFF MinIsWhite 16": (tiff(GREY16, photometric="miniswhite"), 65535 - GREY16),
}


@pytest.mark.parametrize("name", EXACT)
def test_lossless_formats_give_their_pixels_exactly(name: str) -> None:
    assert exact(*EXACT[name])


@pytest.mark.parametrize("kind", ["L", "RGB"])
def test_jpeg_agrees_with_an_independent_decoder(kind: str) -> None:
    smooth = np.asarray(PIL.Image.fromarray(RGB8).resize((40, 32), PIL.Image.Resampling.BICUBIC))
    data = encoded(smooth, "JPEG", kind, quality=90)
    independent = np.asarray(PIL.Image.open(io.BytesIO(data)))
    pixels = decode_image(data, "picture").pixels
    assert pixels.shape == independent.shape
    assert np.abs(pixels.astype(int) - independent.astype(int)).max() <= 1


def test_cmyk_jpeg_keeps_its_colours() -> None:
    for colour in ((200, 30, 60), (20, 180, 90), (250, 250, 250), (5, 5, 5)):
        data = encoded(np.full((16, 16, 3), colour, np.uint8), "JPEG", "CMYK", quality=95)
        pixels = np.atleast_3d(decode_image(data, "picture").pixels)  # equal channels come as grey
        assert np.abs(pixels.astype(int) - np.array(colour)).max() <= 6


def test_palette() -> None:
    flat = (RGB8 // 128 * 255).astype(np.uint8)
    image = PIL.Image.fromarray(flat).quantize(8, dither=PIL.Image.Dither.NONE)
    for kind in ("PNG", "TIFF"):
        stream = io.BytesIO()
        image.save(stream, kind)
        assert exact(stream.getvalue(), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_use_the_full_range(bits: int) -> None:
    top = 2**bits - 1
    values = np.tile(np.arange(top + 1, dtype=np.uint8), 16)[: 16 * (top + 1)].reshape(-1, 16)
    expected = (values * (255 // top)).astype(np.uint8)
    raw = np.packbits(np.unpackbits(values.reshape(-1, 1), axis=1)[:, 8 - bits :].reshape(len(values), -1), axis=1)
    header = struct.pack(">IIBBBBB", 16, len(values), bits, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in raw)
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows))
    assert exact(png + png_chunk(b"IEND", b""), expected)
    stored = values.astype(bool) if bits == 1 else values
    assert exact(tiff(stored, photometric="minisblack", bitspersample=bits), expected)
    assert exact(tiff(stored, photometric="miniswhite", bitspersample=bits), 255 - expected)


def test_twelve_packed_bits_keep_their_values() -> None:
    values = np.array([[0, 1, 2048, 4095]], np.uint16)
    packed = np.array([0x00, 0x00, 0x01, 0x80, 0x0F, 0xFF], np.uint8)
    data = tiff(values, photometric="minisblack", bitspersample=12)
    assert packed.tobytes() in data
    assert exact(data, values)
    image = decode_image(data, "")
    assert (image.bits, image.mode) == (12, "grey, 12 bit")
    assert exact(tiff(values, photometric="miniswhite", bitspersample=12), 4095 - values)


def test_transparency_lies_on_white() -> None:
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 51]]], np.uint8)
    expected = np.array([[[10, 20, 30], [255, 255, 255], [204, 204, 204]]], np.uint8)
    assert exact(encoded(rgba, "PNG"), expected)
    assert exact(tiff(rgba, photometric="rgb", extrasamples=["unassalpha"]), expected)
    assert exact(encoded(rgba[:, :, [0, 3]], "PNG"), np.array([[10, 255, 204]], np.uint8))
    wide = rgba.astype(np.uint16) * 257
    assert exact(png16(wide), expected.astype(np.uint16) * 257)


def test_transparency_that_is_premultiplied_or_only_an_extra_channel() -> None:
    premultiplied = np.array([[[10, 20, 30, 255], [0, 0, 0, 0], [2, 4, 6, 51]]], np.uint8)
    data = tiff(premultiplied, photometric="rgb", extrasamples=["assocalpha"])
    assert exact(data, np.array([[[10, 20, 30], [255, 255, 255], [206, 208, 210]]], np.uint8))
    data = tiff(premultiplied, photometric="rgb", extrasamples=["unspecified"])
    assert exact(data, premultiplied[:, :, :3])


def test_transparent_colour_of_a_png() -> None:
    image = PIL.Image.fromarray(np.array([[7, 8, 9]], np.uint8))
    stream = io.BytesIO()
    image.save(stream, "PNG", transparency=8)
    assert exact(stream.getvalue(), np.array([[7, 255, 9]], np.uint8))


def test_grey_stored_as_colour_is_grey() -> None:
    assert exact(encoded(np.repeat(GREY8[:, :, None], 3, axis=2), "PNG"), GREY8)
    assert exact(tiff(np.repeat(GREY16[:, :, None], 3, axis=2), photometric="rgb"), GREY16)
    almost = np.repeat(GREY8[:, :, None], 3, axis=2).copy()
    almost[-1, -1, 2] ^= 1
    assert exact(encoded(almost, "PNG"), almost)


def stored_as(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    """What a camera stores: EXIF says where row 0 and column 0 of the stored picture are seen."""
    height, width = upright.shape[:2]
    seen: dict[int, Callable[[int, int], tuple[int, int]]] = {
        1: lambda r, c: (r, c),
        2: lambda r, c: (r, width - 1 - c),
        3: lambda r, c: (height - 1 - r, width - 1 - c),
        4: lambda r, c: (height - 1 - r, c),
        5: lambda r, c: (c, r),
        6: lambda r, c: (c, width - 1 - r),
        7: lambda r, c: (height - 1 - c, width - 1 - r),
        8: lambda r, c: (height - 1 - c, r),
    }
    rows, columns = (height, width) if orientation < 5 else (width, height)
    stored = np.empty((rows, columns, *upright.shape[2:]), upright.dtype)
    for r in range(rows):
        for c in range(columns):
            stored[r, c] = upright[seen[orientation](r, c)]
    return stored


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    assert exact(encoded(stored_as(RGB8, orientation), "PNG", exif=exif), RGB8)
    tag = [(274, "H", 1, orientation, True)]
    assert exact(tiff(stored_as(RGB8, orientation), photometric="rgb", extratags=tag), RGB8)
    assert exact(tiff(stored_as(GREY16, orientation), photometric="minisblack", extratags=tag), GREY16)
    blocks = np.kron(np.array([[0, 80, 160], [240, 40, 120]], np.uint8), np.ones((8, 8), np.uint8))
    assert exact(encoded(stored_as(blocks, orientation), "JPEG", exif=exif, quality=100), blocks)
    wide = png16(stored_as(GREY16, orientation))
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    assert exact(wide[:33] + png_chunk(b"eXIf", body) + wide[33:], GREY16)


def test_orientation_out_of_range_is_ignored() -> None:
    assert exact(tiff(GREY8, photometric="minisblack", extratags=[(274, "H", 1, 77, True)]), GREY8)


def test_format_is_told_by_content(tmp_path: Path) -> None:
    file = tmp_path / "picture.tif"
    file.write_bytes(EXACT["PNG RGB 8"][0])
    assert np.array_equal(read_image(file).pixels, RGB8)


def test_properties_of_an_image() -> None:
    image = Image(GREY16)
    assert (image.height, image.width, image.mode) == (9, 13, "grey, 16 bit")
    assert Image(RGB8).mode == "RGB, 8 bit"


def test_digest_tells_pixels_apart_and_formats_not() -> None:
    same = {decode_image(data, "").digest() for data in (EXACT["PNG RGB 8"][0], EXACT["TIFF LZW"][0])}
    assert len(same) == 1
    others = [RGB8[::-1], RGB8[:, :, ::-1], RGB8.astype(np.uint16), RGB8.reshape(13, 9, 3), GREY8]
    assert len({Image(pixels).digest() for pixels in others} | same) == 6
    assert Image(RGB8[::-1]).digest() == Image(RGB8[::-1].copy()).digest()


def refused(data: bytes, cause: str) -> str:
    """The cause of the one error that a file gives; it matches, fits one line and names the file."""
    with pytest.raises(ImageError, match=cause) as raised:
        decode_image(data, "folder/picture.png")
    assert str(raised.value).startswith("folder/picture.png: ")
    assert "\n" not in str(raised.value)
    assert "object at 0x" not in str(raised.value)
    return raised.value.cause


def test_refused_with_the_cause() -> None:
    assert refused(b"", "empty")
    assert refused(b"path,label\na.png,grain\n", "neither JPEG, PNG nor TIFF")
    assert refused(b"%PDF-1.7 and so on", "PDF is not supported")
    assert refused(EXACT["PNG RGB 8"][0][:8], "header is damaged")
    assert refused(tiff(np.stack([GREY8, GREY8]), photometric="minisblack"), "holds 2 planes .*--z 0 to 1 or max")
    assert refused(tiff(GREY8.astype(np.complex64), photometric="minisblack"), "complex64")
    assert refused(tiff(RGB8, photometric="ycbcr", compression="zlib"), "YCBCR")
    assert refused(tiff(np.zeros((9, 13, 5), np.uint8), photometric="minisblack", planarconfig="contig"), "5 channels")


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="No such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="directory"):
        read_image(tmp_path)


def test_image_error_survives_a_process_border() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(ImageError("a.png", "the file is empty")))
    assert (error.path, error.cause, str(error)) == ("a.png", "the file is empty", "a.png: the file is empty")


def test_headers_that_promise_huge_pictures() -> None:
    start = time.perf_counter()
    body = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    for depth in (8, 16):
        header = body[:8] + bytes([depth]) + body[9:]
        png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(100)))
        assert refused(png + png_chunk(b"IEND", b""), "pixels")
    entries = [(256, 4, 60_000), (257, 4, 60_000), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    entries += [(278, 4, 60_000), (279, 4, 10)]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    assert refused(struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + directory + bytes(4), f"{MAX_PIXELS:,}")
    assert time.perf_counter() - start < 1.0


def test_a_strip_that_is_missing_is_never_filled_in() -> None:
    data = bytearray(tiff(RGB8, photometric="rgb", rowsperstrip=3, compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as opened:
        height = opened.pages[0].tags["ImageLength"]  # type: ignore[union-attr]
        sizes = opened.pages[0].tags["StripByteCounts"]  # type: ignore[union-attr]
    taller = data.copy()
    taller[height.valueoffset : height.valueoffset + 2] = struct.pack("<H", 900)
    assert refused(bytes(taller), "lacks some of its 300 strips")
    empty = data.copy()
    empty[sizes.valueoffset : sizes.valueoffset + 2] = bytes(2)
    assert refused(bytes(empty), "cut off")


SOURCES = {
    name: EXACT[name][0]
    for name in ("PNG RGB 8", "PNG grey 16", "TIFF RGB 8", "TIFF LZW", "TIFF deflate", "TIFF planar", "TIFF tiles")
} | {
    "JPEG": encoded(RGB8, "JPEG"),
    "JPEG progressive": encoded(RGB8, "JPEG", progressive=True),
    "TIFF JPEG": tiff(np.tile(RGB8, (4, 3, 1)), photometric="rgb", compression="jpeg"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_cut_short_is_refused_or_whole(name: str) -> None:
    data = SOURCES[name]
    whole = decode_image(data, name).digest()
    outcomes = []
    for end in range(0, len(data), 1 + len(data) // 400):
        try:
            outcomes.append(decode_image(data[:end], name).digest() == whole)
        except ImageError:
            continue
    assert all(outcomes)
    assert len(outcomes) < 30


@pytest.mark.parametrize("name", SOURCES)
def test_mutated_bytes_raise_image_errors_only(name: str) -> None:
    rng = np.random.default_rng(5)
    refusals = 0
    for _ in range(60):
        data = bytearray(SOURCES[name])
        for _ in range(rng.integers(1, 5)):
            position = int(rng.integers(len(data)))
            match rng.integers(3):
                case 0:
                    data[position] = int(rng.integers(256))
                case 1:
                    data[position] ^= 1 << int(rng.integers(8))
                case _:
                    del data[position : position + int(rng.integers(1, 6))]
        try:
            decode_image(bytes(data), name)
        except ImageError:
            refusals += 1
    assert refusals > 5


def test_reading_does_not_change_the_file(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(EXACT["PNG RGB 16"][0])
    before = hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns
    read_image(file)
    assert (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns) == before
