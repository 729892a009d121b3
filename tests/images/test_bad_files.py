"""Odd and broken files, made here, are read right or refused with one error; odd names and kinds of files too.

The folder of collected files that `GRATICULE_BAD_IMAGES` names, or that lies beside the project, is gone through where
it is present: its manifest says for each file whether it must be read or refused.
"""

from __future__ import annotations

import csv
import io
import os
import struct
import sys
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from graticule.errors import ImageError
from graticule.images.image import Image, decode_image, read_image

FOLDER = Path(os.environ.get("GRATICULE_BAD_IMAGES", Path(__file__).parents[3] / "shared" / "data" / "bad_images"))
RGB = np.random.default_rng(2).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def saved(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image = PIL.Image.fromarray(RGB)
    (image.quantize(64) if kind == "GIF" else image).save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels: np.ndarray[Any, Any] = RGB, **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **({"photometric": "rgb"} | options))
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def directory(*entries: tuple[int, int, int]) -> bytes:
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in sorted(entries))
    return struct.pack("<2sIH", b"II*\0", 8, len(entries)) + body + bytes(4)


GOOD = {
    "JPEG": saved("JPEG"),
    "JPEG progressive": saved("JPEG", progressive=True),
    "PNG": saved("PNG"),
    "BMP": saved("BMP"),
    "GIF": saved("GIF"),
    "WebP": saved("WEBP"),
    "WebP lossless": saved("WEBP", lossless=True),
    "TIFF": tiff(),
    "TIFF LZW": tiff(compression="lzw", rowsperstrip=7),
    "TIFF tiles": tiff(tile=(16, 16), compression="zlib"),
    "TIFF JPEG": tiff(compression="jpeg"),
    "BigTIFF": tiff(bigtiff=True),
}
BIG = ((256, 4, 60_000), (257, 4, 60_000), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1))
TINY = ((256, 3, 1), (257, 3, 1), (258, 3, 8), (259, 3, 1), (273, 4, 8), (279, 4, 1))
HUGE = (2**31 - 1, 2**31 - 1)
BROKEN = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"path,label\n",
    "markup named as a picture": b"<!DOCTYPE html><script>alert(1)</script>",
    "drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "archive": b"PK\3\4" + bytes(60),
    "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "JPEG mark alone": b"\xff\xd8\xff",
    "JPEG end at once": b"\xff\xd8\xff\xd9",
    "PNG mark alone": b"\x89PNG\r\n\x1a\n",
    "PNG of 2**31 rows": b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)),
    "TIFF mark alone": b"II*\0",
    "TIFF directory behind the end": b"II*\0\xff\xff\xff\x7f" + bytes(8),
    "TIFF directory in itself": directory(*BIG)[:-4] + b"\x08\0\0\0",
    "TIFF of 60,000 rows": directory(*BIG, (278, 4, 60_000), (279, 4, 10)),
    "TIFF of no column": directory((256, 3, 0), *BIG[1:], (278, 4, 1), (279, 4, 1)),
    "TIFF with 61,000 entries": b"II*\0\x08\0\0\0" + struct.pack("<H", 61_000) + bytes(400),
    "TIFF of an unknown compression": directory(
        (256, 3, 1), (257, 3, 1), (258, 3, 8), (259, 3, 4711), (273, 4, 8), (279, 4, 1)
    ),
    "Lab TIFF": tiff(photometric="cielab"),
    "GIF mark alone": b"GIF89a",
    "BMP mark alone": b"BM" + bytes(13),
    "WebP mark alone": b"RIFF\x04\0\0\0WEBP",
    "not finite": tiff(np.full((3, 4), np.nan, np.float32), photometric="minisblack"),
    "fractional numbers of 83 bits": directory((256, 3, 1), (257, 3, 1), (258, 3, 83), (273, 4, 8), (279, 4, 1)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_error(name: str) -> None:
    with pytest.raises(ImageError) as raised:
        decode_image(BROKEN[name], "folder/picture.png")
    assert raised.value.path == "folder/picture.png"
    assert raised.value.cause
    assert "\n" not in raised.value.cause
    assert len(raised.value.cause) < 400


@pytest.mark.parametrize("name", GOOD)
def test_a_file_cut_anywhere_is_refused_or_whole(name: str) -> None:
    data = GOOD[name]
    whole = decode_image(data, name).digest()
    read = 0
    for end in [*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 20, len(data))]:
        try:
            assert decode_image(data[:end], name).digest() == whole, f"{end} of {len(data)} bytes"
            read += 1
        except ImageError:
            continue
    assert read < 40  # some files end with what the picture does not need


@pytest.mark.parametrize("name", GOOD)
def test_damaged_files_raise_nothing_else(name: str) -> None:
    rng = np.random.default_rng(8)
    outcomes = []
    for _ in range(120):
        data = bytearray(GOOD[name])
        for _ in range(rng.integers(1, 4)):
            position = int(len(data) * rng.random() ** 3)
            value = struct.pack("<I", int(rng.choice([0, 1, 255, 65535, 2**31, 2**32 - 1])))
            data[position : position + int(rng.integers(1, 5))] = value[: int(rng.integers(1, 5))]
        try:
            outcomes.append(isinstance(decode_image(bytes(data), name), Image))
        except ImageError:
            outcomes.append(False)
    assert not all(outcomes)


NAMES = {
    "newline": "line\nbreak.png",
    "quote": 'it\'s "quoted".png',
    "markup": "<img src=x onerror=alert(1)>.png",
    "right to left": "picture\u202egnp.png",
    "255 bytes": "x" * 251 + ".png",
    "dash": "-rf.png",
    "leading dot": ".picture.png",
    "space": " .png",
    "backslash": "a\\b.png",
    "percent": "%s%00.png",
    "no suffix": "picture",
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not allow these names")
@pytest.mark.parametrize("kind", NAMES)
def test_odd_names(kind: str, tmp_path: Path) -> None:
    file = tmp_path / NAMES[kind]
    file.write_bytes(GOOD["PNG"])
    np.testing.assert_array_equal(read_image(file).pixels, RGB)
    file.write_bytes(GOOD["PNG"][:100])
    with pytest.raises(ImageError) as raised:
        read_image(file)
    assert raised.value.path == str(file)
    assert NAMES[kind] not in raised.value.cause


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes exist on Linux")
def test_names_that_are_not_text_and_twins_by_unicode_form(tmp_path: Path) -> None:
    files = [
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png")),
        tmp_path / unicodedata.normalize("NFC", "é.png"),
        tmp_path / unicodedata.normalize("NFD", "é.png"),
    ]
    for value, file in enumerate(files):
        PIL.Image.new("L", (3, 2), value).save(file, "PNG")
    assert [int(read_image(file).pixels[0, 0]) for file in files] == [0, 1, 2]


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a directory"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="No such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="too long"):
        read_image(tmp_path / ("x" * 300))
    with pytest.raises(ImageError, match="null"):
        read_image(tmp_path / "a\0b.png")
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    with pytest.raises(ImageError, match="symbolic links"):
        read_image(loop)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_named_as_a_picture_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(ImageError, match="not a regular file"):
        read_image(pipe)
    device = Path(os.devnull)
    with pytest.raises(ImageError, match="not a regular file"):
        read_image(device)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the super-user may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    file = tmp_path / "locked.png"
    file.write_bytes(GOOD["PNG"])
    file.chmod(0)
    with pytest.raises(ImageError, match="Permission denied"):
        read_image(file)


def collected() -> list[tuple[str, str]]:
    manifest = FOLDER / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="", encoding="utf-8") as stream:
        return [(row["file"], row["expect"]) for row in csv.DictReader(stream)]


@pytest.mark.skipif(not collected(), reason=f"no folder of collected files at {FOLDER}")
@pytest.mark.parametrize(("file", "expect"), collected() or [("", "")])
def test_collected_files(file: str, expect: str) -> None:
    image, cause = None, ""
    try:
        image = read_image(FOLDER / "files" / file)
    except ImageError as error:
        cause = error.cause
    assert ("reject" if image is None else "ok") in expect.split("_or_"), cause
    assert image is None or (image.pixels.dtype.kind in "uif" and np.isfinite(image.pixels).all())
