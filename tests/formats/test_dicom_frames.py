"""The layout that a DICOM data set declares, and its frames as stored."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from tests.formats import dicoms
from tests.formats.dicoms import PHOTO, read, refused

from graticule.formats.dicom_frames import element_number, layout_of, stored_frame
from graticule.formats.raster import Refused

pydicom = pytest.importorskip("pydicom", reason="DICOM files are written and read with pydicom (the extra dicom)")


def test_halved_colour_that_is_stored_whole_is_read_whole() -> None:
    whole, halved = dicoms.Kind("YBR_FULL"), dicoms.Kind("YBR_FULL_422")
    values = dicoms.samples_of(whole)
    body = dicoms.plain_bytes(whole, dicoms.cells_of(whole, values, dirty=False), big_endian=False)
    np.testing.assert_array_equal(read(dicoms.file_of(halved, ".1", body)).pixels, dicoms.expected(whole, values)[0])


def test_declarations_that_contradict_each_other_are_refused() -> None:
    values = dicoms.samples_of(PHOTO)
    body = dicoms.plain_bytes(PHOTO, dicoms.cells_of(PHOTO, values, dirty=False), big_endian=False)
    for elements in ({"PhotometricInterpretation": "MONOCHROME2"}, {"PhotometricInterpretation": "HSV"}):
        assert refused(dicoms.file_of(PHOTO, ".1", body, **elements), "colour model")
    assert refused(dicoms.file_of(PHOTO, ".1", body, BitsStored=9), "9 bits stored of 8")
    lossless = dicoms.file_of(dicoms.Kind("YBR_RCT"), ".1", body)
    assert read(lossless).notes == ("declares YBR_RCT, which JPEG 2000 alone has: taken for RGB",)


def opened(data: bytes) -> Any:
    return pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize(
    "kind",
    [
        dicoms.Kind("MONOCHROME1", 16, 12, signed=True, frames=3),
        dicoms.Kind("PALETTE COLOR"),
        dicoms.Kind("RGB", planar=1),
        dicoms.Kind("YBR_FULL_422"),
    ],
    ids=str,
)
def test_the_layout_is_what_was_declared_and_every_plain_syntax_holds_the_same_cells(kind: dicoms.Kind) -> None:
    cells = dicoms.cells_of(kind, dicoms.samples_of(kind), dirty=True)
    for name, syntax in dicoms.PLAIN.items():
        body = dicoms.plain_bytes(kind, cells, big_endian=name == "big-endian")
        dataset = opened(dicoms.file_of(kind, syntax, body))
        layout = layout_of(dataset)
        found = (layout.samples, layout.frames, layout.allocated, layout.stored, layout.signed, layout.photometric)
        assert found == (kind.samples, kind.frames, kind.allocated, kind.bits, kind.signed, kind.photometric)
        assert (layout.rows, layout.columns, layout.low) == (dicoms.ROWS, dicoms.COLUMNS, 0)
        assert layout.big_endian == (name == "big-endian")
        for index, frame in enumerate(cells):
            stored = stored_frame(dataset, layout, index)
            width = f"u{kind.allocated // 8}"
            seen = stored.samples.astype(stored.samples.dtype.newbyteorder("=")).astype(width)
            np.testing.assert_array_equal(seen.reshape(frame.shape), frame, err_msg=name)
            assert (stored.precision, stored.exact) == (kind.allocated, True)


def test_numbers_that_are_none_count_as_absent() -> None:
    assert element_number({"Rows": "12"}, "Rows") == 12.0
    for value in (None, "", "many", [1, 2], object()):
        assert element_number({"Rows": value}, "Rows", 7) == 7
    assert element_number({}, "Rows") is None


def test_sizes_are_refused_before_anything_is_decoded() -> None:
    body = bytes(dicoms.ROWS * dicoms.COLUMNS)
    for elements, cause in (
        ({"NumberOfFrames": 2_000_000}, "frames is out of range"),
        ({"Rows": 60_000, "Columns": 60_000}, "allowed"),
        ({"BitsAllocated": 24}, "24 bits are not supported"),
        ({"BitsAllocated": 64}, "64-bit"),
    ):
        with pytest.raises(Refused, match=cause):
            layout_of(opened(dicoms.file_of(dicoms.Kind("MONOCHROME2"), ".1", body, **elements)))
    with pytest.raises(Refused, match="without a picture"):
        layout_of(pydicom.Dataset())
