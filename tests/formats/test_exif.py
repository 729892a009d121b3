"""The orientation of an EXIF block, whatever else the block holds."""

from __future__ import annotations

import struct

import numpy as np
import PIL.Image
import pytest

from graticule.formats.exif import exif_orientation

DAMAGED = (1, ("the EXIF block is damaged and was passed over",))


def block(order: str, *entries: tuple[int, int, int, int]) -> bytes:
    """A block of entries (tag, type, count, value)."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    rows = b""
    for tag, kind, count, value in entries:
        stored = struct.pack(f"{order}H2x" if kind == 3 else f"{order}I", value)
        rows += struct.pack(f"{order}HHI", tag, kind, count) + stored
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + rows + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_in_either_order_and_type_behind_other_tags(order: str, kind: int, orientation: int) -> None:
    data = block(order, (0x0100, 4, 1, 640), (0x0112, kind, 1, orientation), (0x0132, 4, 1, 7))
    assert exif_orientation(data) == (orientation, ())
    assert exif_orientation(b"Exif\0\0" + data) == (orientation, ())


def test_it_reads_what_pillow_writes() -> None:
    for orientation in range(1, 9):
        exif = PIL.Image.Exif()
        exif[0x010F], exif[0x0112] = "A maker", orientation
        assert exif_orientation(exif.tobytes()) == (orientation, ())


def test_what_is_no_orientation_is_upright() -> None:
    assert exif_orientation(b"") == (1, ())
    assert exif_orientation(b"Exif\0\0") == (1, ())
    entries = [(0x0112, 3, 1, 0), (0x0112, 3, 1, 9), (0x0112, 3, 2, 6), (0x0112, 2, 1, 6), (0x0100, 3, 1, 6)]
    assert {exif_orientation(block("<", entry)) for entry in entries} == {(1, ())}


def test_damaged_blocks_are_passed_over_with_a_note() -> None:
    good = block("<", (0x0112, 3, 1, 6))
    far = good[:4] + struct.pack("<I", 10**6) + good[8:]
    for data in (b"XX" + good[2:], good[:9], far, good[:4] + bytes(4) + good[8:]):
        assert exif_orientation(data) == DAMAGED
    assert exif_orientation(good[:20]) == (1, ())  # the entry is cut off


def test_random_blocks_always_give_an_orientation() -> None:
    rng = np.random.default_rng(2)
    for length in rng.integers(0, 60, 2000).tolist():
        found, _ = exif_orientation(b"II*\0\x08\0\0\0" + rng.bytes(length))
        assert 1 <= found <= 8
