"""Stacks that a TIFF file declares: whoever declares them, the plane that is asked for and no other."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.formats.tiffs import exact, read, refused, tiff

from graticule.formats.raster import Refused
from graticule.formats.selection import Selection
from graticule.formats.tiff_stack import Stack

RNG = np.random.default_rng(9)
STACK = RNG.integers(0, 65536, (2, 3, 4, 17, 23), dtype=np.uint16)  # time, plane, channel


DIALECTS: dict[str, dict[str, Any]] = {
    "OME": {"ome": True, "metadata": {"axes": "TZCYX"}},
    "OME deflate": {"ome": True, "metadata": {"axes": "TZCYX"}, "compression": "zlib"},
    "OME tiles": {"ome": True, "metadata": {"axes": "TZCYX"}, "tile": (16, 16)},
    "ImageJ": {"imagej": True, "metadata": {"axes": "TZCYX"}},
    "tifffile": {"metadata": {"axes": "TZCYX"}},
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_declared_stack_is_asked_about_and_then_read(name: str) -> None:
    data = tiff(STACK, photometric="minisblack", **DIALECTS[name])
    cause = refused(data, "2 time points x 3 planes x 4 channels")
    assert "--z 0 to 2 or max" in cause
    assert "--channel one or three of 0 to 3" in cause
    assert "--page 0 to 1" in cause
    assert "--z" not in refused(data, "choose with --channel", z=1, page=0)
    for t, z, c in np.ndindex(2, 3, 4):
        assert exact(read(data, z=z, channel=(c,), page=t), STACK[t, z, c])
    assert exact(read(data, z="max", channel=(2,), page=1), STACK[1, :, 2].max(axis=0))
    assert exact(read(data, z=0, channel=(3, 1, 0), page=0), np.moveaxis(STACK[0, 0, [3, 1, 0]], 0, 2))
    assert refused(data, "no plane 3; allowed: --z 0 to 2", z=3, channel=(0,), page=0)
    assert refused(data, "no channel 4; allowed: --channel 0 to 3", z=0, channel=(4,), page=0)
    assert refused(data, "no page 2; allowed: --page 0 to 1", z=0, channel=(0,), page=2)


def test_planes_in_one_block_without_pages_of_their_own() -> None:
    data = bytearray(tiff(STACK[0, :, 0], photometric="minisblack", imagej=True, metadata={"axes": "ZYX"}))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as opened:
        page: Any = opened.pages[0]
        (tags,) = struct.unpack_from(f"{opened.byteorder}H", data, page.offset)
        struct.pack_into(f"{opened.byteorder}I", data, page.offset + 2 + 12 * tags, 0)  # no next page
    assert exact(read(bytes(data), z=2), STACK[0, 2, 0])
    assert exact(read(bytes(data), z="max"), STACK[0, :, 0].max(axis=0))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as opened:
        start = int(opened.pages[0].dataoffsets[0])  # type: ignore[union-attr]
    assert refused(bytes(data[: start + 2 * STACK[0, 0, 0].nbytes + 9]), "cut off", z=0)


def test_planes_of_colour() -> None:
    planes = RNG.integers(0, 256, (3, 17, 23, 3), dtype=np.uint8)
    data = tiff(planes, photometric="rgb", ome=True, metadata={"axes": "ZYXS"})
    assert refused(data, "3 planes")
    assert exact(read(data, z=1), planes[1])
    assert exact(read(data, z=1, channel=(2,)), planes[1, :, :, 2])


@pytest.mark.parametrize("ome", [False, True])
def test_levels_of_a_pyramid_are_asked_about(ome: bool) -> None:
    large = RNG.integers(0, 256, (64, 96, 3), dtype=np.uint8)
    common: dict[str, Any] = {"photometric": "rgb", "tile": (16, 16)} | ({} if ome else {"metadata": None})
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, ome=ome) as writer:
        writer.write(large, subifds=2, **common)
        writer.write(large[::2, ::2], subfiletype=1, **common)
        writer.write(large[::4, ::4], subfiletype=1, **common)
    data = stream.getvalue()
    assert "96 x 64, 48 x 32, 24 x 16" in refused(data, "--page 0 to 2")
    assert exact(read(data, page=0), large)
    assert exact(read(data, page=2), large[::4, ::4])


def part_of_set() -> Stack:
    """Planes 3 and 5 of nine, one of two channels."""
    return Stack("ome", "ZCYX", (2, 1, 17, 23), None, None, {"Z": (3, 5), "C": (1,)}, {"Z": 9, "C": 2})


def test_planes_of_a_set_are_counted_among_those_that_are_here() -> None:
    stack = part_of_set()
    chosen = stack.here(Selection(z=5, channel=(1,)))
    assert (chosen.z, chosen.channel) == (1, (0,))
    assert stack.here(Selection()) == Selection()
    assert stack.outside() == ("one file of a set: it holds 2 of 9 planes, 1 of 2 channels",)
    for selection, cause in (
        (Selection(z=4), r"holds plane 3, 5 of 9 .*: --z 4"),
        (Selection(z="max"), "--z max cannot be followed"),
        (Selection(z=3, channel=(0,)), "holds channel 1 of 2 .*: --channel 0"),
    ):
        with pytest.raises(Refused, match=cause):
            stack.here(selection)


def test_dimensions_of_one_are_none_and_the_rest_is_for_page() -> None:
    stack = Stack("ome", "TPZCYXS", (4, 3, 1, 2, 17, 23, 3), None, None)
    assert stack.dimensions == {"T": 4, "P": 3, "C": 2}
    assert (stack.others, stack.pages) == (["T", "P"], 12)
    assert Stack("plain", "YX", (17, 23), None, None).pages == 1
