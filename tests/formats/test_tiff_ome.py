"""OME-TIFF: sets over several files, and what a description claims, told from its text and the number of pages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats.tiffs import block, described, pixels_of, read, refused, written

from graticule.formats.raster import Refused
from graticule.formats.tiff_ome import OmeFacts, Unfollowed, parts_of_set

STACK = np.random.default_rng(4).integers(0, 65536, (3, 17, 23), dtype=np.uint16)


def ome(xml: str, planes: NDArray[Any] = STACK[:1]) -> bytes:
    first, *rest = planes
    return written((first, {"description": xml}), *((plane, {}) for plane in rest))


def test_each_file_of_a_set_gives_its_own_image() -> None:
    # two positions of three planes in two files, both described in each
    def xml(own: str) -> str:
        positions = "".join(
            pixels_of(block(f"urn:uuid:{k}", f"p{k}.ome.tif", IFD=0, PlaneCount=planes), z=planes)
            for k, planes in ((1, 3), (2, 2))
        )
        return described(positions, own)

    first, second = ome(xml("urn:uuid:1"), STACK), ome(xml("urn:uuid:2"), STACK[1:])
    assert refused(first, r"holds 3 planes \(ome\)")
    assert refused(second, r"holds 2 planes \(ome\)")
    np.testing.assert_array_equal(read(first, z="max").pixels, STACK.max(axis=0))
    np.testing.assert_array_equal(read(second, z="max").pixels, STACK[1:].max(axis=0))
    np.testing.assert_array_equal(read(second, z=1).pixels, STACK[2])
    assert refused(second, "no plane 2", z=2)


@pytest.mark.parametrize("by", ["uuid", "name", "name in other case"])
def test_planes_of_a_stack_in_several_files(by: str) -> None:
    blocks = "".join(block(f"urn:uuid:{k}", f"z{k}.ome.tif", IFD=0, FirstZ=k, PlaneCount=1) for k in range(3))
    for k in range(3):
        data = ome(described(pixels_of(blocks, z=3), f"urn:uuid:{k}" if by == "uuid" else ""), STACK[k : k + 1])
        name = {"uuid": "renamed.tif", "name": f"z{k}.ome.tif", "name in other case": f"Z{k}.OME.TIF"}[by]
        image = read(data, name)
        np.testing.assert_array_equal(image.pixels, STACK[k])
        assert image.notes == ("one file of a set: it holds 1 of 3 planes",)
        np.testing.assert_array_equal(read(data, name, z=k).pixels, STACK[k])
        other = (k + 1) % 3
        assert refused(data, f"holds plane {k} of 3 of a set over several files: --z {other}", name, z=other)
        assert refused(data, f"holds plane {k} of 3 .* --z max cannot be followed", name, z="max")
    assert refused(ome(described(pixels_of(blocks, z=3), "")), "none of its planes in this file", "elsewhere.tif")


def test_a_name_and_an_identifier_that_contradict_each_other() -> None:
    blocks = "".join(block(f"urn:uuid:{k}", f"z{k}.tif", IFD=0, FirstT=k) for k in range(2))
    xml = described(pixels_of(blocks, t=2), "urn:uuid:1")
    np.testing.assert_array_equal(read(ome(xml), "z0.tif").pixels, STACK[0])  # one page is all there is
    assert refused(ome(xml, STACK), "one place for its identifier and another for its name", "z0.tif")


def test_channels_in_several_files() -> None:
    blocks = "".join(block(f"urn:uuid:{k}", f"c{k}.tif", IFD=0, FirstC=k, PlaneCount=3) for k in (1, 0))
    data = ome(described(pixels_of(blocks, z=3, c=2)), STACK)
    assert refused(data, r"holds 3 planes \(ome\); choose with --z")
    np.testing.assert_array_equal(read(data, z=2).pixels, STACK[2])
    np.testing.assert_array_equal(read(data, z=2, channel=(1,)).pixels, STACK[2])
    assert refused(data, "holds channel 1 of 2 of a set over several files: --channel 0", z=2, channel=(0,))


def test_planes_that_are_laid_out_in_another_order() -> None:
    blocks = "".join(block("urn:uuid:1", "a.tif", IFD=i, FirstT=t, PlaneCount=1) for i, t in enumerate((2, 0, 1)))
    data = ome(described(pixels_of(blocks + block("urn:uuid:2", "b.tif", IFD=0, FirstT=3), t=4)), STACK)
    assert refused(data, "3 time points")
    for page, plane in enumerate((1, 2, 0)):
        np.testing.assert_array_equal(read(data, page=page).pixels, STACK[plane])


def test_a_renamed_file_that_is_all_of_its_set() -> None:
    data = ome(described(pixels_of(block("urn:uuid:7", "old.ome.tif", IFD=0, PlaneCount=3), z=3), ""), STACK)
    np.testing.assert_array_equal(read(data, "new.tif", z="max").pixels, STACK.max(axis=0))


def test_a_description_in_another_file() -> None:
    only = described('<BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:2"/>')
    assert refused(ome(only, STACK), "lies in another file; .* --page 0 to 2")
    np.testing.assert_array_equal(read(ome(only, STACK), page=1).pixels, STACK[1])
    assert refused(ome(only, STACK), "lies in another file", page=0, z="max")
    np.testing.assert_array_equal(read(ome(only)).pixels, STACK[0])  # one page is all there is


def test_a_damaged_description_is_refused_unless_one_page_is_all_there_is() -> None:
    for xml in (
        described("<Image><Pixels></Image>"),
        described(pixels_of("", z=0)),
        described(pixels_of("", order="XYQ")),
        described(pixels_of('<TiffData IFD="one"/>')),
        described(pixels_of("", more='<Channel SamplesPerPixel="4"/>')),
        described(pixels_of("").replace('SizeX="23"', 'SizeX="46"')),
    ):
        assert refused(ome(xml, STACK), "OME description .* --page 0 to 2")
        np.testing.assert_array_equal(read(ome(xml)).pixels, STACK[0])


def facts(pages: int, name: str = "a.tif", samples: int = 1) -> OmeFacts:
    return OmeFacts(name, pages, lambda _: (23, 17, samples))


def test_a_file_that_holds_all_is_left_to_tifffile() -> None:
    assert parts_of_set(described(pixels_of("<TiffData/>", z=3)), facts(3)) is None
    with pytest.raises(Refused, match="names 4 planes, the file has 3 pages"):
        parts_of_set(described(pixels_of("<TiffData/>", z=4)), facts(3))


def test_channels_that_share_a_page_are_one() -> None:
    xml = described(pixels_of("<TiffData/>", z=2, c=3))
    assert parts_of_set(xml, facts(2, samples=3)) is None
    with pytest.raises(Refused, match="names 6 planes"):
        parts_of_set(xml, facts(2))


@pytest.mark.parametrize("order", ["XYZCT", "XYCZT", "XYTZC"])
def test_planes_of_a_part_lie_where_the_order_says(order: str) -> None:
    here = block("urn:uuid:1", "a.tif", IFD=0, FirstT=1, PlaneCount=6)
    there = block("urn:uuid:2", "b.tif", IFD=0, PlaneCount=6)
    image = pixels_of(here + there, z=3, c=2, t=2, order=order)
    if order == "XYTZC":  # time changes fastest: the six planes are no block of whole channels
        with pytest.raises(Refused):
            parts_of_set(described(image), facts(6))
        return
    (part,) = parts_of_set(described(image), facts(6)) or ()
    assert part.axes == order[:1:-1]
    assert part.held == {"T": (1,), "C": (0, 1), "Z": (0, 1, 2)}
    assert part.declared == {"T": 2, "C": 2, "Z": 3}
    assert part.pages == tuple(range(6))


@pytest.mark.parametrize(
    "xml",
    [
        "<OME",
        described('<BinaryOnly MetadataFile="set.companion.ome"/>'),
        described(pixels_of("", z=0)),
        described(pixels_of(block(IFD=-1))),
        described(pixels_of("").replace('SizeX="23"', 'SizeX="24"')),
    ],
)
def test_descriptions_that_cannot_be_followed_are_told_from_planes_that_lack(xml: str) -> None:
    with pytest.raises(Unfollowed):
        parts_of_set(xml, facts(1))
