"""TIFF: what is chosen among pages, thumbnails and sub-directories; sets over several files; claims without planes."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from tests.formats.tiffs import block, described, pixels_of, read, refused, written

RNG = np.random.default_rng(4)
LARGE = RNG.integers(0, 256, (60, 80, 3), dtype=np.uint8)
SMALL = np.ascontiguousarray(LARGE[::8, ::8])
STACK = RNG.integers(0, 65536, (3, 17, 23), dtype=np.uint16)


# pages as planes


PLAIN = written(*((plane, {}) for plane in STACK))


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planes_of_a_plain_stack_are_its_pages(compression: str | None) -> None:
    data = written(*((plane, {"compression": compression}) for plane in STACK))
    np.testing.assert_array_equal(read(data, z="max").pixels, STACK.max(axis=0))
    for index in range(3):
        np.testing.assert_array_equal(read(data, z=index).pixels, STACK[index])
        np.testing.assert_array_equal(read(data, page=index).pixels, STACK[index])
        np.testing.assert_array_equal(read(data, page=index, z="max").pixels, STACK[index])
    assert read(data, z="max").notes == ("brightest of 3 pages at each point",)
    assert refused(data, "no plane 3; allowed: --z 0 to 2", z=3)


def test_brightest_means_brightest_as_seen() -> None:
    data = written(*((plane, {"photometric": "miniswhite"}) for plane in STACK))
    np.testing.assert_array_equal(read(data, z="max").pixels, (65535 - STACK).max(axis=0))


def test_pages_of_unlike_size_are_no_planes() -> None:
    data = written((STACK[0], {}), (STACK[1, :9], {}), (STACK[2], {}))
    assert refused(data, r"no planes of one stack \(23 x 17, 23 x 9, 23 x 17\)", z="max")
    np.testing.assert_array_equal(read(data, page=1).pixels, STACK[1, :9])


def test_every_option_of_planes_changes_the_picture_or_is_refused() -> None:
    # what was given is used: no two of these may give the picture of page 0 in silence
    assert len({read(PLAIN, **chosen).digest() for chosen in ({"z": 0}, {"z": 1}, {"z": 2}, {"z": "max"})}) == 4


# thumbnails


def with_sub(main: NDArray[Any], sub: NDArray[Any], main_type: int, sub_type: int, **options: Any) -> bytes:
    return written((main, {"subifds": 1, "subfiletype": main_type}), (sub, {"subfiletype": sub_type} | options))


@pytest.mark.parametrize("main_type", [0, 1])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_a_full_picture_in_a_sub_directory_is_the_picture(main_type: int, compression: str | None) -> None:
    data = with_sub(SMALL, LARGE, main_type, 0, compression=compression)
    image = read(data)
    np.testing.assert_array_equal(image.pixels, LARGE)
    assert bool(image.notes) == (main_type == 0)
    if main_type == 0:
        assert image.notes == ("page 1, the largest of 2 pages; --page chooses another",)
        np.testing.assert_array_equal(read(data, page=0).pixels, SMALL)


def test_a_smaller_picture_in_a_sub_directory_is_none() -> None:
    np.testing.assert_array_equal(read(with_sub(LARGE, SMALL, 0, 1)).pixels, LARGE)
    image = read(with_sub(LARGE, SMALL, 0, 0))
    np.testing.assert_array_equal(image.pixels, LARGE)
    assert image.notes == ("first of 2 pages; --page chooses another",)


@pytest.mark.parametrize("flag", [0, 1])
def test_a_thumbnail_before_the_picture_is_not_taken(flag: int) -> None:
    data = written((SMALL, {"subfiletype": flag}), (LARGE, {}))
    image = read(data)
    np.testing.assert_array_equal(image.pixels, LARGE)
    assert image.notes == (() if flag else ("page 1, the largest of 2 pages; --page chooses another",))
    # pages of somewhat unlike size are pages
    image = read(written((LARGE[:40], {}), (LARGE, {})))
    np.testing.assert_array_equal(image.pixels, LARGE[:40])
    assert image.notes == ("first of 2 pages (not the largest); --page chooses another",)


def test_thumbnails_alone_are_pictures_of_which_the_largest_counts() -> None:
    np.testing.assert_array_equal(read(written((SMALL, {"subfiletype": 1}))).pixels, SMALL)
    data = written((SMALL, {"subfiletype": 1}), (LARGE, {"subfiletype": 1}))
    np.testing.assert_array_equal(read(data).pixels, LARGE)


def test_directories_that_hold_each_other_end() -> None:
    data = bytearray(with_sub(SMALL, LARGE, 0, 0))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as opened:
        first: Any = opened.pages[0]
        place = first.tags["SubIFDs"].valueoffset
        struct.pack_into("<I", data, place, first.offset)
    np.testing.assert_array_equal(read(bytes(data)).pixels, SMALL)


CFA = 32803


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        ([(50706, "B", 4, (1, 4, 0, 0), True)], r"camera raw \(DNG\)"),
        ([(271, "s", 18, "NIKON CORPORATION", True)], r"camera raw \(NEF\)"),
        ([(271, "s", 5, "SONY", True)], r"camera raw \(ARW\)"),
        ([(271, "s", 8, "Unknown", True)], "camera raw is not"),
    ],
)
def test_camera_raw_is_named(tags: list[Any], named: str) -> None:
    data = written(
        (SMALL, {"subifds": 1, "subfiletype": 1, "extratags": tags}),
        (LARGE[..., 0].astype(np.uint16), {"photometric": CFA, "extratags": []}),
    )
    cause = refused(data, named)
    assert "TIFF or PNG" in cause
    assert refused(written((LARGE[..., 0], {"photometric": CFA, "extratags": tags})), named)


def test_a_small_sensor_picture_beside_the_picture_does_not_matter() -> None:
    data = written((LARGE, {"subifds": 1}), (SMALL[..., 0], {"photometric": CFA}))
    np.testing.assert_array_equal(read(data).pixels, LARGE)


# sets over several files


def ome(xml: str, planes: NDArray[Any] = STACK[:1]) -> bytes:
    first, *rest = planes
    return written((first, {"description": xml}), *((plane, {}) for plane in rest))


def micro_manager(places: list[tuple[int, int]], **summary: int) -> bytes:
    """A Micro-Manager stack of one page a (channel, plane), each behind a directory of 13 tags, with its index."""
    described = json.dumps({"MicroManagerVersion": "1.4", "Frames": 1} | summary).encode()
    first = 40 + len(described) + len(described) % 2
    step = 162 + STACK[0].nbytes
    index = first + step * len(places)
    head = struct.pack("<2sHI8I", b"II", 42, first, 54773648, index, 0, 0, 0, 0, 2355492, len(described))
    body = b""
    for k in range(len(places)):
        at = first + step * k
        values = {256: 23, 257: 17, 258: 16, 259: 1, 262: 1, 273: at + 162, 274: 1, 277: 1, 278: 17, 284: 1, 339: 1}
        plain = [(tag, 4, 1, value) for tag, value in (values | {279: STACK[0].nbytes}).items()]
        tags = sorted([*plain, (51123, 2, len(described), 40)])
        body += struct.pack("<H", 13) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        body += struct.pack("<I", at + step if k + 1 < len(places) else 0) + STACK[k].tobytes()
    rows = b"".join(struct.pack("<5I", c, z, 0, 0, first + step * k) for k, (c, z) in enumerate(places))
    return (head + described).ljust(first, b" ") + body + struct.pack("<2I", 3453623, len(places)) + rows


def test_a_micro_manager_stack_that_goes_on_in_another_file() -> None:
    whole = micro_manager([(0, 0), (0, 1), (0, 2)], Slices=3, Channels=1)
    np.testing.assert_array_equal(read(whole, z="max").pixels, STACK.max(axis=0))
    np.testing.assert_array_equal(read(whole, z=2).pixels, STACK[2])
    part = micro_manager([(0, 5), (0, 6), (0, 7)], Slices=9, Channels=1)
    for z in ("max", 0, 5):
        assert refused(part, "holds 3 of 9 planes of a set over several files: --z", z=z)
    channels = micro_manager([(1, 0), (2, 0)], Slices=1, Channels=4)
    assert refused(channels, "holds 2 of 4 channels", channel=(0,))
    huge = micro_manager([(0, 0), (4_000_000_000, 4_000_000_000)], Slices=1, Channels=1)
    assert refused(huge, "more planes than the file can hold")


# claims without planes


def imagej(**claims: int) -> str:
    return "ImageJ=1.54f\nhyperstack=true\n" + "".join(f"{name}={value}\n" for name, value in claims.items())


def hand_made(*entries: tuple[int, int, int, int]) -> bytes:
    """A TIFF of 23 x 17 pixels with more entries (tag, type, count, value)."""
    common = [(256, 3, 1, 23), (257, 3, 1, 17), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    rows = sorted([*common, (278, 3, 1, 17), (273, 4, 1, 1000), (279, 4, 1, 23 * 17), *entries])
    directory = b"".join(struct.pack("<HHII", *row) for row in rows)
    return (struct.pack("<2sHIH", b"II", 42, 8, len(rows)) + directory + bytes(4)).ljust(1000, b"\1") + bytes(23 * 17)


HUGE = 50_000
CLAIMS: dict[str, bytes] = {
    "OME planes and times": ome(described(pixels_of("<TiffData/>", z=HUGE, t=HUGE))),
    "OME no blocks": ome(described(pixels_of("", z=HUGE, c=HUGE))),
    "OME count": ome(described(pixels_of('<TiffData IFD="0" PlaneCount="2000000000"/>'))),
    "OME one block": ome(described(pixels_of('<TiffData IFD="0" PlaneCount="1"/>', t=10**9))),
    "OME last place": ome(described(pixels_of(f'<TiffData FirstZ="{HUGE - 1}" FirstT="{HUGE - 1}"/>', z=HUGE, t=HUGE))),
    "OME two planes": ome(described(pixels_of("<TiffData/>", z=2))),
    "OME set": ome(described(pixels_of(block("urn:uuid:1", IFD=0) + block("urn:uuid:2", IFD=0), z=1, t=1))),
    "ImageJ": written((STACK[0], {"description": imagej(images=HUGE * HUGE, slices=HUGE, frames=HUGE)})),
    "ImageJ compressed": written((STACK[0], {"description": imagej(images=HUGE, slices=HUGE), "compression": "zlib"})),
    "ImageJ four of three": written(
        *((plane, {"compression": "zlib", "description": imagej(images=4, slices=4)}) for plane in STACK)
    ),
    "tifffile": written((STACK[0], {"description": f'{{"shape": [{HUGE}, {HUGE}, 17, 23]}}'})),
    "tifffile compressed": written(
        (STACK[0], {"description": f'{{"shape": [{HUGE}, {HUGE}, 17, 23]}}', "compression": "zlib"})
    ),
    "STK": hand_made((33628, 4, 1, 900), (33629, 5, 30, 200)),
}


@pytest.mark.parametrize("name", sorted(set(CLAIMS) - {"OME set"}))
def test_claimed_planes_are_held_against_the_pages(name: str) -> None:
    for selection in ({}, {"z": "max"}, {"z": 0, "page": 0, "channel": (0,)}, {"z": "max", "page": 0}):
        assert refused(CLAIMS[name], "cut off", **selection)


def test_claims_take_neither_memory_nor_time(tmp_path: Path) -> None:
    """All of them in one process of little memory, as images are that the program looks at outside its workers."""
    resource = pytest.importorskip("resource", reason="memory of a process is limited by a call of POSIX")
    bombs = dict(CLAIMS)
    labels = '<ModuloAlongT Type="lifetime" Start="0" End="1e12" Step="1"/>'
    kind = 'ID="A:0" Namespace="openmicroscopy.org/omero/dimension/modulo"'
    inner = f"<StructuredAnnotations><XMLAnnotation {kind}><Value><Modulo>{labels}</Modulo></Value></XMLAnnotation>"
    bombs["labels"] = ome(described(pixels_of("<TiffData/>") + inner + "</StructuredAnnotations>"))
    bombs["size"] = ome(described(pixels_of("").replace('SizeX="23"', 'SizeX="2000000000"')))
    bombs["samples"] = ome(described(pixels_of("", c=10**9, more=f'<Channel SamplesPerPixel="{10**9}"/>')))
    bombs["positions"] = ome(described(pixels_of("") * 3000))
    for index, data in enumerate(bombs.values()):
        (tmp_path / f"{index}.tif").write_bytes(data)
    code = """
import resource, sys
from pathlib import Path
from graticule.images.image import read_image
from graticule.formats.selection import Selection
from graticule.errors import ImageError
import tifffile
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for file in sorted(Path(sys.argv[1]).iterdir()):
    for selection in (Selection(), Selection(z="max", page=0)):
        try:
            read_image(file, selection)
        except ImageError as error:
            assert "MemoryError" not in error.cause, (file, error.cause)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)
"""
    unit = 1 if sys.platform == "darwin" else 1024
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) * unit < 200 * 2**20
    assert resource is not None


def test_a_plain_block_of_planes_is_no_false_claim() -> None:
    data = written((STACK, {"description": imagej(images=3, slices=3)}))
    np.testing.assert_array_equal(read(data, z=1).pixels, STACK[1])
