"""TIFF: every layout gives its values, and nothing is chosen among several pictures without being told."""

from __future__ import annotations

import io
import struct
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest
import tifffile
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image

RNG = np.random.default_rng(9)
RGB = RNG.integers(0, 256, (17, 23, 3), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (17, 23), dtype=np.uint16)
STACK = RNG.integers(0, 65536, (2, 3, 4, 17, 23), dtype=np.uint16)  # time, plane, channel


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def read(data: bytes, **selection: Any) -> Image:
    return decode_image(data, "picture.tif", Selection(**selection))


def refused(data: bytes, cause: str, **selection: Any) -> str:
    """The cause of the error that a file gives; it matches."""
    with pytest.raises(ImageError, match=cause) as raised:
        read(data, **selection)
    return raised.value.cause


def exact(image: Image, expected: NDArray[Any]) -> bool:
    """Whether an image has these pixels, of this type."""
    return image.pixels.dtype == expected.dtype and np.array_equal(image.pixels, expected)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "packbits", "lzma"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8"])
def test_types_are_kept(dtype: str, compression: str | None) -> None:
    values = (GREY16.astype(np.int64) % 251 - 125 if dtype[0] in "if" else GREY16).astype(dtype)
    image = read(tiff(values, photometric="minisblack", compression=compression, byteorder=">"))
    assert exact(image, values)
    kind = {"u": "", "i": " signed", "f": " float"}[dtype[0]]
    assert image.mode == f"grey, {8 * values.dtype.itemsize} bit{kind}"
    assert image.file_format == "TIFF"
    assert (image.compression == "") == (compression is None)


@pytest.mark.parametrize("predictor", [2, 3])
def test_predictors(predictor: int) -> None:
    values = GREY16.astype(np.float32) / 7 if predictor == 3 else GREY16
    assert exact(read(tiff(values, photometric="minisblack", compression="zlib", predictor=predictor)), values)


def test_half_precision_and_wide_integers() -> None:
    half = np.linspace(-2, 2, 8, dtype=np.float16).reshape(2, 4)
    assert exact(read(tiff(half, photometric="minisblack")), half.astype(np.float32))
    wide = np.array([[0, 2**32 - 1]], np.uint64)
    assert exact(read(tiff(wide, photometric="minisblack")), wide.astype(np.uint32))
    assert refused(tiff(wide + np.uint64(1), photometric="minisblack"), "beyond the range of 32 bits")


@pytest.mark.parametrize("bits", [1, 2, 3, 5, 6, 7, 9, 10, 12, 14])
def test_packed_bits(bits: int) -> None:
    values = RNG.integers(0, 2**bits, (5, 11)).astype(np.uint8 if bits < 8 else np.uint16)
    values[0, :2] = 0, 2**bits - 1
    stored = values.astype(bool) if bits == 1 else values
    image = read(tiff(stored, photometric="minisblack", bitspersample=bits))
    expected = np.rint(values / (2**bits - 1) * 255).astype(np.uint8) if bits < 8 else values
    assert exact(image, expected)
    assert image.bits == max(bits, 8)
    inverted = read(tiff(stored, photometric="miniswhite", bitspersample=bits))
    assert exact(inverted, (255 if bits < 8 else 2**bits - 1) - expected)


def test_bits_said_in_a_tag() -> None:
    values = GREY16 >> 4
    tag = [(281, "H", 1, 4095, True)]
    image = read(tiff(values, photometric="minisblack", extratags=tag))
    assert (image.bits, image.mode) == (12, "grey, 12 bit")
    assert exact(image, values)
    assert read(tiff(GREY16, photometric="minisblack", extratags=tag)).bits == 16  # the values say otherwise


def test_values_that_are_not_finite_are_refused() -> None:
    for value in (np.nan, np.inf, -np.inf):
        pixels = np.zeros((3, 4), np.float32)
        pixels[1, 1] = value
        assert refused(tiff(pixels, photometric="minisblack"), "not finite")


def test_inks_become_colour_by_the_declared_rule() -> None:
    for dtype in (np.uint8, np.uint16):
        top = int(np.iinfo(dtype).max)
        inks = RNG.integers(0, top, (5, 7, 4)).astype(dtype)
        expected = np.rint((top - inks[..., :3].astype(float)) * (top - inks[..., 3:].astype(float)) / top)
        assert exact(read(tiff(inks, photometric="separated")), expected.astype(dtype))


def test_transparency_and_extra_channels() -> None:
    alpha = RNG.integers(0, 256, (17, 23, 1), dtype=np.uint8)
    four = np.concatenate([RGB, alpha], axis=2)
    share = alpha / 255
    flat = read(tiff(four, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_allclose(flat.pixels, RGB * share + 255 * (1 - share), atol=0.51)
    shown = np.minimum(RGB, alpha)
    joined = np.concatenate([shown, alpha], axis=2)
    flat = read(tiff(joined, photometric="rgb", extrasamples=["assocalpha"]))
    np.testing.assert_allclose(flat.pixels, shown + 255 * (1 - share), atol=0.51)
    image = read(tiff(four, photometric="rgb", extrasamples=["unspecified"]))
    assert exact(image, RGB)
    assert image.notes == ("1 extra channels were passed over",)


def test_five_channels_must_be_chosen_from() -> None:
    values = RNG.integers(0, 256, (6, 8, 5), dtype=np.uint8)
    for planar in ("contig", "separate"):
        stored = values if planar == "contig" else np.moveaxis(values, 2, 0)
        data = tiff(stored, photometric="minisblack", planarconfig=planar, metadata=None)
        assert refused(data, "5 channels.*--channel one or three of 0 to 4")
        assert exact(read(data, channel=(4,)), values[:, :, 4])
        assert exact(read(data, channel=(3, 0, 1)), values[:, :, [3, 0, 1]])
        assert refused(data, "no channel 5", channel=(5,))


def test_bilevel_fax_agrees_with_pillow() -> None:
    bilevel = PIL.Image.fromarray(np.kron(RGB[:, :, 0] > 128, np.ones((3, 3))).astype(bool))
    for compression in ("group3", "group4", "packbits", "tiff_lzw"):
        stream = io.BytesIO()
        bilevel.save(stream, "TIFF", compression=compression)
        assert exact(read(stream.getvalue()), np.asarray(bilevel.convert("L")))


def hand_made(entries: list[tuple[int, int, int]], body: bytes) -> bytes:
    """A little-endian TIFF of one strip behind its directory; entries are (tag, type, value)."""
    start = 8 + 2 + 12 * (len(entries) + 2) + 4
    full = sorted([*entries, (273, 4, start), (279, 4, len(body))])
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in full)
    return struct.pack("<2sHIH", b"II", 42, 8, len(full)) + directory + bytes(4) + body


def test_reversed_fill_order() -> None:
    values = GREY16.astype(np.uint8)
    entries = [(256, 3, 23), (257, 3, 17), (258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1), (278, 3, 17)]
    reversed_bits = bytes(imagecodecs.bitorder_decode(values.tobytes()))
    assert exact(read(hand_made([*entries, (266, 3, 2)], reversed_bits)), values)
    assert exact(read(hand_made([*entries, (266, 3, 1)], values.tobytes())), values)


def test_palette_entries_of_eight_bits() -> None:
    table = RNG.integers(0, 256, (3, 256), dtype=np.uint16)
    indices = RGB[:, :, 0]
    expected = np.moveaxis(table[:, indices], 0, 2).astype(np.uint8)
    assert exact(read(tiff(indices, photometric="palette", colormap=table)), expected)
    assert exact(read(tiff(indices, photometric="palette", colormap=table * 257)), expected)


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
    assert refused(bytes(data[: start + 2 * GREY16.nbytes + 9]), "cut off", z=0)


def test_planes_of_colour() -> None:
    planes = RNG.integers(0, 256, (3, 17, 23, 3), dtype=np.uint8)
    data = tiff(planes, photometric="rgb", ome=True, metadata={"axes": "ZYXS"})
    assert refused(data, "3 planes")
    assert exact(read(data, z=1), planes[1])
    assert exact(read(data, z=1, channel=(2,)), planes[1, :, :, 2])


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
