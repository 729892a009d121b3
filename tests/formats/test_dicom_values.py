"""Stored samples of DICOM to grey or RGB: bits that count, sign, palette, and whose word on colour holds."""

from __future__ import annotations

import io
from typing import Any

import imagecodecs
import numpy as np
import pytest
from tests.formats import dicoms
from tests.formats.dicoms import PHOTO, in_range, jpeg_frame, read, refused, rewritten, without_marks

from graticule.formats.dicom_frames import FrameLayout
from graticule.formats.dicom_streams import Stored
from graticule.formats.dicom_values import declared_bits, shown, through_palette
from graticule.formats.raster import Refused

pydicom = pytest.importorskip("pydicom", reason="DICOM files are written and read with pydicom (the extra dicom)")


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


def test_a_lossy_stream_that_overshoots_does_not_wrap_round() -> None:
    kind = dicoms.Kind("MONOCHROME2", 16, 10)
    cells = np.full((dicoms.ROWS, dicoms.COLUMNS), 1023, np.uint16)
    cells[::3] = 1000
    coded = bytes(imagecodecs.jpeg8_encode(cells, level=50, bitspersample=12))
    image = read(dicoms.file_of(kind, ".4.51", [coded]))
    assert int(np.asarray(imagecodecs.jpeg8_decode(coded)).max()) > 1023
    assert image.pixels.min() > 900
    assert in_range(image)


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


def layout(photometric: str = "MONOCHROME2", **more: Any) -> FrameLayout:
    samples = 1 if photometric.startswith(("MONO", "PALETTE")) else 3
    plain: dict[str, Any] = {"allocated": 16, "stored": 12, "low": 0, "signed": False, "fractional": False}
    given = {"rows": 4, "columns": 8, "samples": samples, "frames": 1} | plain | more
    return FrameLayout(**given, photometric=photometric, syntax=dicoms.UID + ".1")


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("low", [0, 3])
def test_bits_that_do_not_count_change_nothing(signed: bool, low: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(-2048 if signed else 0, 2048 if signed else 4096, (4, 8))
    rubbish = rng.integers(0, 2**16, (4, 8)) & ~(4095 << low)
    cells = (((values & 4095) << low) | rubbish).astype(np.uint16)
    found = declared_bits(Stored(cells, 16), layout(signed=signed, low=low))
    assert found.dtype == ("int16" if signed else "uint16")
    np.testing.assert_array_equal(found, values)


def test_a_stream_with_more_bits_than_a_cell_is_refused() -> None:
    with pytest.raises(Refused, match="of 12 bits, declared are 8"):
        declared_bits(Stored(np.zeros((4, 8), np.uint16), 12), layout(allocated=8, stored=8))


@pytest.mark.parametrize("signed", [False, True])
def test_black_is_zero_whichever_way_grey_is_stored(signed: bool) -> None:
    values = np.arange(32, dtype=np.uint16).reshape(4, 8)
    up, bits, notes = shown(Stored(values, 16), layout(signed=signed), None)
    down, _, _ = shown(Stored(values, 16), layout("MONOCHROME1", signed=signed), None)
    assert (bits, notes) == (12, ())
    np.testing.assert_array_equal(down.astype(int), (-1 if signed else 4095) - up.astype(int))


def test_an_index_beyond_the_palette_takes_its_nearest_end() -> None:
    dataset = pydicom.Dataset()
    for place, name in enumerate(("Red", "Green", "Blue")):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [3, 10, 16])
        table = np.array([1, 2, 3], "<u2") * 1000 + place
        dataset.add_new(f"{name}PaletteColorLookupTableData", "OW", table.tobytes())
    indices = np.array([[0, 10, 11, 12, 13, 4095]], np.uint16)
    colours = through_palette(indices, dataset, layout("PALETTE COLOR"))
    assert colours[0, :, 0].tolist() == [1000, 1000, 2000, 3000, 3000, 3000]
    np.testing.assert_array_equal(colours - colours[..., :1], np.broadcast_to(np.arange(3), colours.shape))
