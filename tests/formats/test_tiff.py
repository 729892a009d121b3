"""TIFF: every layout gives its values, and nothing is chosen among several pictures without being told."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.formats.tiffs import exact, read, refused, tiff

RNG = np.random.default_rng(9)
RGB = RNG.integers(0, 256, (17, 23, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (17, 23), dtype=np.uint16)
STACK = RNG.integers(0, 65536, (2, 3, 4, 17, 23), dtype=np.uint16)  # time, plane, channel


def test_values_that_are_not_finite_are_refused() -> None:
    for value in (np.nan, np.inf, -np.inf):
        pixels = np.zeros((3, 4), np.float32)
        pixels[1, 1] = value
        assert refused(tiff(pixels, photometric="minisblack"), "not finite")


def test_plain_pages_give_the_first_and_say_so() -> None:
    data = tiff(STACK[0, :, 0], photometric="minisblack", metadata=None)
    image = read(data)
    assert exact(image, STACK[0, 0, 0])
    assert image.notes == ("first of 3 pages; --page chooses another",)
    assert exact(read(data, page=2), STACK[0, 2, 0])
    assert refused(data, "no page 3; allowed: --page 0 to 2", page=3)
    assert refused(data, "one plane a page", z=1, page=1)


def test_thumbnails_are_not_pages() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(RGB, photometric="rgb", metadata=None, subifds=1)
        writer.write(RGB[::2, ::2], photometric="rgb", metadata=None, subfiletype=1)
        writer.write(RGB[::4, ::4], photometric="rgb", metadata=None, subfiletype=1)
    image = read(stream.getvalue())
    assert exact(image, RGB)
    assert image.notes == ()


def test_a_chain_of_pages_that_loops_ends() -> None:
    data = bytearray(tiff(STACK[0, :, 0], photometric="minisblack", metadata=None))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as opened:
        offsets = [page.offset for page in opened.pages]
    (tags,) = struct.unpack_from("<H", data, offsets[2])
    for target in offsets:
        struct.pack_into("<I", data, offsets[2] + 2 + 12 * tags, target)
        assert exact(read(bytes(data)), STACK[0, 0, 0])


IN_TWO_FILES = """<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">
<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="23" SizeY="17" SizeZ="2" SizeC="1"
SizeT="1"><TiffData IFD="0" FirstZ="0" PlaneCount="1"/><TiffData IFD="0" FirstZ="1" PlaneCount="1">
<UUID FileName="other.ome.tif">urn:uuid:2</UUID></TiffData></Pixels></Image></OME>"""


def test_files_that_a_description_names_are_never_opened(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tiff(STACK[0, 0, 0], photometric="minisblack", description=IN_TWO_FILES, metadata=None)
    (tmp_path / "other.ome.tif").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    real = tifffile.FileHandle.__init__

    def watched(self: Any, file: Any, *rest: Any, **options: Any) -> None:
        opened.append(type(file).__name__)
        real(self, file, *rest, **options)

    monkeypatch.setattr(tifffile.FileHandle, "__init__", watched)
    assert exact(read(data), STACK[0, 0, 0])
    assert set(opened) == {"BytesIO"}
