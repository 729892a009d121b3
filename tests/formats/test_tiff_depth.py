"""The depth that the tags of a TIFF file tell: of all pages, those below others too, or none."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from graticule.formats.depth import EIGHT_BITS, told_depth
from graticule.formats.tiff_depth import depth_by_tags


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "told"),
    [
        ("uint8", EIGHT_BITS),
        ("int8", "TIFF 8 2"),
        ("uint16", "TIFF 16 1"),
        ("int16", "TIFF 16 2"),
        ("float32", "TIFF 32 3"),
    ],
)
def test_tiff(tmp_path: Path, dtype: str, told: str, byteorder: str, bigtiff: bool) -> None:
    for name, shape, photometric in (("grey", (8, 8), "minisblack"), ("rgb", (8, 8, 3), "rgb")):
        file = tmp_path / f"{name}.tif"
        tifffile.imwrite(
            file,
            np.zeros(shape, dtype),
            photometric=photometric,
            byteorder=byteorder,
            bigtiff=bigtiff,  # type: ignore[arg-type]
        )
        assert told_depth(file) == told


def test_a_deeper_picture_behind_or_below_a_shallow_one_is_not_overlooked(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "behind.tif") as writer:
        writer.write(np.zeros((8, 8), np.uint8))
        writer.write(np.zeros((8, 8), np.uint16))
    with tifffile.TiffWriter(tmp_path / "below.tif") as writer:
        writer.write(np.zeros((8, 8), np.uint8), subifds=1)
        writer.write(np.zeros((16, 16), np.uint16), subfiletype=1)
    assert [told_depth(tmp_path / name) for name in ("behind.tif", "below.tif")] == ["", ""]


def test_a_pyramid_of_8_bits_is_of_8_bits(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as writer:
        writer.write(np.zeros((32, 32), np.uint8), subifds=2)
        writer.write(np.zeros((16, 16), np.uint8), subfiletype=1)
        writer.write(np.zeros((8, 8), np.uint8), subfiletype=1)
    assert told_depth(tmp_path / "pyramid.tif") == EIGHT_BITS


def test_a_stack_that_is_too_long_to_follow_is_only_likely_of_8_bits(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "long.tif") as writer:
        for _ in range(70):
            writer.write(np.zeros((4, 4), np.uint8), contiguous=False)
    assert told_depth(tmp_path / "long.tif") == "TIFF 8 1"


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_are_counted_before_they_are_read(order: str) -> None:
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    with pytest.raises(struct.error, match="too many tags"):
        depth_by_tags(io.BytesIO(head + struct.pack(f"{order}H", 513)), head)
    # a page without tags is of one bit, as the standard says
    assert depth_by_tags(io.BytesIO(head + bytes(6)), head) == EIGHT_BITS


def test_bits_of_each_sample_stand_elsewhere_when_they_do_not_fit() -> None:
    for bits, told in ((16, "TIFF 16 1"), (8, EIGHT_BITS)):
        entry = struct.pack("<HHII", 258, 3, 3, 40)
        head = struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + bytes(4)
        data = head.ljust(40, b"\0") + struct.pack("<3H", bits, bits, bits)
        assert depth_by_tags(io.BytesIO(data), data[:16]) == told
