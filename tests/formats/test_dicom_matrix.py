"""DICOM as a matrix: photometric interpretation x transfer syntax x depth; a compressed file equals its plain twin."""

from __future__ import annotations

import io
import struct
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats import dicoms

from graticule.errors import ImageError
from graticule.formats import dicom as reader
from graticule.formats import jpeg2000
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image

pytest.importorskip("pydicom", reason="DICOM files are written and read with pydicom (the extra dicom)")
KINDS = list(dicoms.kinds())
SMALL_LOSS = 0.03  # of the range, a little more than the coders lose at these settings


def read(data: bytes, z: int | str | None = None) -> Image:
    return decode_image(data, "picture.dcm", Selection(z=z))


def in_range(image: Image) -> bool:
    """Whether each value lies in the range that the bits of the image say."""
    low, top = (
        (-(2 ** (image.bits - 1)), 2 ** (image.bits - 1)) if image.pixels.dtype.kind == "i" else (0, 2**image.bits)
    )
    return bool(image.pixels.min() >= low and image.pixels.max() < top)


def type_of(kind: dicoms.Kind) -> str:
    if kind.photometric == "PALETTE COLOR":
        return f"uint{kind.entry_bits}"
    return f"{'int' if kind.signed else 'uint'}{kind.allocated}"


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_syntax_gives_the_true_values(kind: dicoms.Kind) -> None:
    truth = dicoms.expected(kind, dicoms.samples_of(kind))
    made = dicoms.twins(kind)
    assert len(made) >= 6
    for name, data in made.items():
        frames = [read(data, z) for z in range(kind.frames)]
        for image, right in zip(frames, truth, strict=True):
            assert image.pixels.dtype == type_of(kind), name
            np.testing.assert_array_equal(image.pixels, right, err_msg=name)
            assert in_range(image), name
            assert image.bits == (kind.entry_bits if kind.photometric == "PALETTE COLOR" else kind.bits), name
        np.testing.assert_array_equal(read(data, "max").pixels, truth.max(axis=0), err_msg=name)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.photometric != "PALETTE COLOR"], ids=str)
def test_lossy_syntaxes_stay_near_the_plain_twin(kind: dicoms.Kind) -> None:
    truth = dicoms.expected(kind, dicoms.samples_of(kind, smooth=True))
    for name, data in dicoms.lossy_twins(kind).items():
        for z, right in enumerate(truth):
            image = read(data, z)
            assert image.pixels.dtype == type_of(kind), name
            assert in_range(image), name
            assert np.abs(image.pixels - right).max() <= SMALL_LOSS * 2**kind.bits, name


PHOTO = dicoms.Kind("RGB")


def jpeg_frame(stored: str, seen: str, **options: Any) -> tuple[bytes, NDArray[Any]]:
    """A smooth colour frame as JPEG whose components are `stored`, of pixels that are `seen`; and the pixels."""
    pixels = dicoms.samples_of(PHOTO, smooth=True)[0].astype(np.uint8)
    coded = imagecodecs.jpeg8_encode(pixels, level=98, colorspace=seen, outcolorspace=stored, **options)
    return bytes(coded), pixels.astype(int)


def without_marks(coded: bytes) -> bytes:
    """A JPEG stream without JFIF and Adobe segments, whose components are numbered from 1."""
    for mark in (b"\xff\xe0", b"\xff\xee"):
        place = coded.find(mark)
        if place >= 0:
            coded = coded[:place] + coded[place + 2 + int.from_bytes(coded[place + 2 : place + 4], "big") :]
    return coded


@pytest.mark.parametrize("declared", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("stored", ["RGB", "YCBCR"])
def test_the_jpeg_stream_says_what_its_colours_are(declared: str, stored: str) -> None:
    coded, right = jpeg_frame(stored, "RGB", subsampling="444")
    image = read(dicoms.file_of(dicoms.Kind(declared), ".4.50", [coded]))
    assert np.abs(image.pixels - right).max() <= 4
    agree = (declared == "RGB") == (stored == "RGB")
    assert agree or any("the stream was followed" in note for note in image.notes)
    assert not agree or image.notes == ()


def test_a_jpeg_stream_without_a_mark_is_what_the_data_set_declares() -> None:
    for stored, declared in (("RGB", "RGB"), ("YCBCR", "YBR_FULL")):
        coded, right = jpeg_frame("YCBCR", "YCBCR" if stored == "RGB" else "RGB", subsampling="444")
        image = read(dicoms.file_of(dicoms.Kind(declared), ".4.50", [without_marks(coded)]))
        assert np.abs(image.pixels - right).max() <= 4
        assert image.notes == ()
    # colour at half the width exists in YCbCr alone
    coded, right = jpeg_frame("YCBCR", "RGB", subsampling="422")
    image = read(dicoms.file_of(PHOTO, ".4.50", [without_marks(coded)]))
    assert np.abs(image.pixels - right).max() <= 8
    assert any("the stream was followed" in note for note in image.notes)


def refused(data: bytes, cause: str, z: int | str | None = None) -> str:
    with pytest.raises(ImageError, match=cause) as raised:
        read(data, z)
    return raised.value.cause


@pytest.mark.parametrize("name", [name for name in dicoms.PACKED if name != "run length"])
def test_a_stream_that_is_cut_or_of_another_size_is_refused(name: str) -> None:
    kind = dicoms.Kind("MONOCHROME2", 16, 16)
    coded = dicoms.packed(kind, name, dicoms.cells_of(kind, dicoms.samples_of(kind), dirty=False)[0])
    syntax = dicoms.PACKED[name]
    for share in (0.2, 0.5, 0.9, 0.98):
        assert refused(dicoms.file_of(kind, syntax, [coded[: int(len(coded) * share)]]), "cut off|damaged|header")
    assert refused(dicoms.file_of(kind, syntax, [coded], Rows=6), "declared is")
    assert refused(dicoms.file_of(kind, syntax, [coded], Columns=21), "declared is")
    assert refused(dicoms.file_of(dicoms.Kind("RGB", 16, 16), syntax, [coded]), "declared is")
    assert refused(dicoms.file_of(dicoms.Kind("MONOCHROME2"), syntax, [coded]), "of 16 bits, declared are 8")


def test_a_lossy_stream_that_overshoots_does_not_wrap_round() -> None:
    kind = dicoms.Kind("MONOCHROME2", 16, 10)
    cells = np.full((dicoms.ROWS, dicoms.COLUMNS), 1023, np.uint16)
    cells[::3] = 1000
    coded = bytes(imagecodecs.jpeg8_encode(cells, level=50, bitspersample=12))
    image = read(dicoms.file_of(kind, ".4.51", [coded]))
    assert int(np.asarray(imagecodecs.jpeg8_decode(coded)).max()) > 1023
    assert image.pixels.min() > 900
    assert in_range(image)


def test_syntaxes_that_are_not_read_are_named() -> None:
    video = dicoms.file_of(PHOTO, ".4.102", [b"12"])
    server = dicoms.file_of(PHOTO, ".4.94", [b"12"])
    newer = video.replace(b".2.4.102", b".2.4.110")  # pydicom does not know it yet
    for data, name in ((video, "an MPEG video"), (server, "kept on a server"), (newer, "JPEG XL")):
        assert refused(data, "is not supported: it is .*" + name)
    assert refused(video.replace(b".2.4.102", b".2.8.102"), "is not supported")


def test_old_files_whose_values_start_higher_in_the_cell() -> None:
    kind = dicoms.Kind("MONOCHROME2", 16, 12)
    values = dicoms.samples_of(kind)
    body = ((values << 4) | 5).astype("<u2").tobytes()
    image = read(dicoms.file_of(kind, ".1", body, HighBit=15))
    np.testing.assert_array_equal(image.pixels, values[0, :, :, 0])
    assert image.notes == ("values are stored from bit 4 on",)


def test_single_bits_and_few_bits_take_the_range_of_a_byte() -> None:
    bits = np.random.default_rng(1).integers(0, 2, (dicoms.ROWS, dicoms.COLUMNS))
    packed = np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()
    for photometric, right in (("MONOCHROME2", bits * 255), ("MONOCHROME1", 255 - bits * 255)):
        image = read(dicoms.file_of(dicoms.Kind(photometric, 8, 1), ".1", packed, BitsAllocated=1))
        np.testing.assert_array_equal(image.pixels, right)
    kind = dicoms.Kind("MONOCHROME1", 8, 4)
    for data in dicoms.twins(kind).values():
        np.testing.assert_array_equal(read(data).pixels, 255 - 17 * dicoms.samples_of(kind)[0, :, :, 0])


def test_brightest_means_brightest_as_seen() -> None:
    kind = dicoms.Kind("MONOCHROME2", 16, 12, frames=3)
    values = dicoms.samples_of(kind)
    body = dicoms.plain_bytes(kind, dicoms.cells_of(kind, values, dirty=True), big_endian=False)
    image = read(dicoms.file_of(kind, ".1", body, RescaleSlope=-2, RescaleIntercept=10), "max")
    np.testing.assert_array_equal(image.pixels, (10 - 2 * values[..., 0]).max(axis=0))


def test_halved_colour_that_is_stored_whole_is_read_whole() -> None:
    whole, halved = dicoms.Kind("YBR_FULL"), dicoms.Kind("YBR_FULL_422")
    values = dicoms.samples_of(whole)
    body = dicoms.plain_bytes(whole, dicoms.cells_of(whole, values, dirty=False), big_endian=False)
    np.testing.assert_array_equal(read(dicoms.file_of(halved, ".1", body)).pixels, dicoms.expected(whole, values)[0])


def test_palettes_in_segments_and_palettes_that_are_not_there() -> None:
    import pydicom

    kind = dicoms.Kind("PALETTE COLOR")
    values = dicoms.samples_of(kind)
    body = dicoms.plain_bytes(kind, dicoms.cells_of(kind, values, dirty=False), big_endian=False)
    dataset = pydicom.dcmread(io.BytesIO(dicoms.file_of(kind, ".1", body)))
    for name in ("Red", "Green", "Blue"):
        del dataset[f"{name}PaletteColorLookupTableData"]
    assert refused(rewritten(dataset), "palette is missing")
    for name in ("Red", "Green", "Blue"):
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        # one value of 0, then a line to 65280 over 255 entries: 256 an entry
        segments = np.array([0, 1, 0, 1, 255, 65280], "<u2").tobytes()
        dataset.add_new(f"Segmented{name}PaletteColorLookupTableData", "OW", segments)
    np.testing.assert_array_equal(read(rewritten(dataset)).pixels, 256 * values[0, :, :, 0])
    del dataset["RedPaletteColorLookupTableDescriptor"]
    assert refused(rewritten(dataset), "palette is missing")
    short = pydicom.dcmread(io.BytesIO(dicoms.file_of(kind, ".1", body)))
    short["BluePaletteColorLookupTableData"].value = b"\0\1"
    assert refused(rewritten(short), "shorter than declared")


def rewritten(dataset: Any) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def test_declarations_that_contradict_each_other_are_refused() -> None:
    values = dicoms.samples_of(PHOTO)
    body = dicoms.plain_bytes(PHOTO, dicoms.cells_of(PHOTO, values, dirty=False), big_endian=False)
    for elements in ({"PhotometricInterpretation": "MONOCHROME2"}, {"PhotometricInterpretation": "HSV"}):
        assert refused(dicoms.file_of(PHOTO, ".1", body, **elements), "colour model")
    assert refused(dicoms.file_of(PHOTO, ".1", body, BitsStored=9), "9 bits stored of 8")
    lossless = dicoms.file_of(dicoms.Kind("YBR_RCT"), ".1", body)
    assert read(lossless).notes == ("declares YBR_RCT, which JPEG 2000 alone has: taken for RGB",)


def test_frames_of_enhanced_objects_have_rescales_of_their_own() -> None:
    import pydicom

    kind = dicoms.Kind("MONOCHROME2", 16, 12, frames=3)
    values = dicoms.samples_of(kind)[..., 0]
    body = dicoms.plain_bytes(kind, dicoms.cells_of(kind, values[..., None], dirty=True), big_endian=False)

    def rule(slope: float, intercept: float) -> Any:
        inner, outer = pydicom.Dataset(), pydicom.Dataset()
        inner.RescaleSlope, inner.RescaleIntercept, inner.RescaleType = slope, intercept, "US"
        outer.PixelValueTransformationSequence = [inner]
        return outer

    shared = dicoms.file_of(kind, ".1", body, SharedFunctionalGroupsSequence=[rule(2, -100)])
    np.testing.assert_array_equal(read(shared, 1).pixels, 2 * values[1] - 100)
    np.testing.assert_array_equal(read(shared, "max").pixels, 2 * values.max(axis=0) - 100)
    rules = [rule(1, 10 * k) for k in range(3)]
    own = dicoms.file_of(kind, ".1", body, PerFrameFunctionalGroupsSequence=rules)
    for k in range(3):
        np.testing.assert_array_equal(read(own, k).pixels, values[k] + 10 * k)
    assert refused(own, "rules of its own: --z max", "max")


def test_a_deflated_data_set_is_measured_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = dicoms.Kind("MONOCHROME2", frames=300)
    body = bytes(300 * dicoms.ROWS * dicoms.COLUMNS)
    data = dicoms.file_of(kind, dicoms.PLAIN["deflated"], body)
    assert len(data) < 2000
    assert not read(data, 299).pixels.any()
    monkeypatch.setattr(reader, "MAX_BYTES", 50_000)
    monkeypatch.setattr(reader, "_STEP", 1000)
    assert refused(data, "deflated data set takes more", 0)


@pytest.mark.parametrize("name", ["JPEG 2000", "HTJ2K"])
def test_tiles_that_are_no_grid_are_refused_before_a_decoder_divides_by_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = dicoms.Kind("MONOCHROME2")
    coded = dicoms.packed(kind, name, dicoms.cells_of(kind, dicoms.samples_of(kind), dirty=False)[0])
    width, height = struct.pack(">I", dicoms.COLUMNS), struct.pack(">I", dicoms.ROWS)
    place = coded.index(width + height + bytes(8)) + 16  # of the size of a tile
    for at, value in ((0, 0), (4, 0), (8, 1), (12, 2**31)):
        broken = bytearray(coded)
        struct.pack_into(">I", broken, place + at, value)
        assert refused(dicoms.file_of(kind, dicoms.PACKED[name], [bytes(broken)]), "are no grid")
    tiny = bytearray(coded)
    struct.pack_into(">2I", tiny, place, 1, 1)
    monkeypatch.setattr(jpeg2000, "_MOST_TILES", 200)
    assert refused(dicoms.file_of(kind, dicoms.PACKED[name], [bytes(tiny)]), "240 tiles of a JPEG 2000 stream; allowed")
