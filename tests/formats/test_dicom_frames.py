"""The layout that a DICOM data set declares, and its frames as stored."""

from __future__ import annotations

import numpy as np
import pytest
from tests.formats import dicoms
from tests.formats.dicoms import PHOTO, read, refused

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
