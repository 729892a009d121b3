"""The depth that a header tells: 8 bits only where the values really are."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from graticule.formats.depth import EIGHT_BITS, told_depth

GREY = np.arange(1024, dtype=np.uint16).reshape(32, 32) * 16


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.gif", "a.webp", "a.tif"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_eight_bits(tmp_path: Path, name: str, mode: str) -> None:
    PIL.Image.fromarray((GREY // 64).astype(np.uint8)).convert(mode).save(tmp_path / name)
    assert told_depth(tmp_path / name) == EIGHT_BITS


def test_sixteen_bits_of_a_png(tmp_path: Path) -> None:
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    assert told_depth(tmp_path / "a.png") == "PNG 16"


def test_jpeg_of_12_bits(tmp_path: Path) -> None:
    segments = b"\xff\xe0" + struct.pack(">H", 16) + bytes(14) + b"\xff\xc1" + struct.pack(">HB", 11, 12) + bytes(8)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8" + segments)
    assert told_depth(tmp_path / "a.jpg") == "JPEG 0c"


def test_dicom_tells_the_bits_stored(tmp_path: Path) -> None:
    start = bytes(128) + b"DICM" + bytes(40)
    (tmp_path / "explicit.dcm").write_bytes(start + b"\x28\0\x01\x01US\x02\0\x0c\0")
    (tmp_path / "implicit.dcm").write_bytes(start + b"\x28\0\x01\x01\x02\0\0\0\x08\0")
    assert told_depth(tmp_path / "explicit.dcm") == "DICOM 12"
    assert told_depth(tmp_path / "implicit.dcm") == "DICOM 8"


def test_what_says_nothing_must_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"no image at all")
    loop = b"II*\0\x08\0\0\0\0\0\x08\0\0\0"  # a page that is followed by itself
    (tmp_path / "loop.tif").write_bytes(loop)
    (tmp_path / "far.tif").write_bytes(b"II+\0\x08\0\0\0" + b"\xff" * 8)
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00")
    assert told_depth(tmp_path / "words") == ""
    assert told_depth(tmp_path / "far.tif") == ""
    assert told_depth(tmp_path / "cut.jpg") == ""
    assert told_depth(tmp_path / "gone.png") == EIGHT_BITS  # told when it is read
    assert told_depth(tmp_path / "loop.tif") != EIGHT_BITS


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert told_depth(tmp_path / "pipe.png") == EIGHT_BITS
