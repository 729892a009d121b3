"""DICOM: stored values, rescale, inversion, frames and compressed syntaxes; without pydicom a hint what to install."""

from __future__ import annotations

import importlib.util
import io
import sys
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.formats.selection import Selection
from graticule.images.image import Image, decode_image

RNG = np.random.default_rng(3)
VALUES = RNG.integers(0, 4096, (9, 13), dtype=np.uint16)
SYNTAX = "1.2.840.10008.1.2"
needs_pydicom = pytest.mark.skipif(importlib.util.find_spec("pydicom") is None, reason="pydicom is not installed")


def dicom(pixels: NDArray[Any], syntax: str = ".1", coded: list[bytes] | None = None, **elements: Any) -> bytes:
    """A DICOM file; a first axis of frames when `NumberOfFrames` is given."""
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate

    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = SYNTAX + syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.PatientName = "Secret^Name"
    first = pixels[0] if "NumberOfFrames" in elements else pixels
    dataset.Rows, dataset.Columns = first.shape[:2]
    dataset.SamplesPerPixel = 3 if first.ndim == 3 else 1
    if first.ndim == 3:
        dataset.PlanarConfiguration = 0
    bits = 8 * pixels.dtype.itemsize
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PhotometricInterpretation = "RGB" if first.ndim == 3 else "MONOCHROME2"
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.HighBit = dataset.BitsStored - 1
    if coded is None:
        dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    else:
        dataset.PixelData = encapsulate(coded)
        dataset["PixelData"].VR = "OB"
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def read(data: bytes, **selection: Any) -> Image:
    return decode_image(data, "picture.dcm", Selection(**selection))


def refused(data: bytes, cause: str, **selection: Any) -> str:
    """The cause of the error that a file gives; it matches and does not name the patient."""
    with pytest.raises(ImageError, match=cause) as raised:
        read(data, **selection)
    assert "Secret" not in str(raised.value)
    return raised.value.cause


def test_without_pydicom_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImageError, match=r"pip install 'graticule\[dicom\]'"):
        decode_image(bytes(128) + b"DICM" + bytes(20), "picture")


@needs_pydicom
def test_stored_values() -> None:
    for pixels in (VALUES, VALUES.astype(np.int16) - 2000, (VALUES % 256).astype(np.uint8)):
        image = read(dicom(pixels))
        assert image.pixels.dtype == pixels.dtype
        np.testing.assert_array_equal(image.pixels, pixels)
        assert image.file_format == "DICOM"
    image = read(dicom(VALUES, BitsStored=12))
    assert (image.bits, image.mode) == (12, "grey, 12 bit")
    rgb = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read(dicom(rgb)).pixels, rgb)


@needs_pydicom
def test_rescale_inversion_and_window() -> None:
    image = read(dicom(VALUES, BitsStored=12, RescaleSlope=2, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=80))
    np.testing.assert_array_equal(image.pixels, VALUES.astype(int) * 2 - 1024)
    assert image.pixels.dtype == np.int16
    assert any("window" in note for note in image.notes)
    image = read(dicom(VALUES, RescaleSlope=0.5, RescaleIntercept=0))
    assert image.pixels.dtype == np.float32
    np.testing.assert_allclose(image.pixels, VALUES / 2)
    image = read(dicom(VALUES, BitsStored=12, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(image.pixels, 4095 - VALUES)


@needs_pydicom
def test_frames_are_planes() -> None:
    frames = RNG.integers(0, 4096, (3, 9, 13), dtype=np.uint16)
    data = dicom(frames, NumberOfFrames=3)
    assert refused(data, "holds 3 frames .*--z 0 to 2 or max")
    np.testing.assert_array_equal(read(data, z=2).pixels, frames[2])
    np.testing.assert_array_equal(read(data, z="max").pixels, frames.max(axis=0))
    assert refused(data, "no frame 3", z=3)


@needs_pydicom
@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (".4.70", lambda a: imagecodecs.ljpeg_encode(a, bitspersample=12)),
        (".4.80", imagecodecs.jpegls_encode),
        (".4.90", lambda a: imagecodecs.jpeg2k_encode(a, reversible=True, level=0, codecformat="J2K")),
    ],
)
def test_lossless_compressed_syntaxes(syntax: str, encode: Any) -> None:
    image = read(dicom(VALUES, syntax, [bytes(encode(VALUES))], BitsStored=12))
    assert np.array_equal(image.pixels, VALUES)


@needs_pydicom
def test_baseline_jpeg_syntax() -> None:
    smooth = np.linspace(0, 255, 16 * 16).reshape(16, 16).astype(np.uint8)
    coded = bytes(imagecodecs.jpeg_encode(smooth, level=95))
    coded += b"\0" * (len(coded) % 2)
    np.testing.assert_allclose(read(dicom(smooth, ".4.50", [coded])).pixels, smooth, atol=6)
    assert refused(dicom(smooth, ".4.50", [coded[: len(coded) // 4 * 2]]), "cut off")
    assert refused(dicom(smooth, ".4.100", [coded]), "not supported")


@needs_pydicom
def test_faults_are_told_without_the_patient() -> None:
    data = dicom(VALUES)
    assert refused(data[: len(data) - 100], "damaged|cut off")
    assert refused(data[:200], "without a picture|damaged")
    assert refused(dicom(VALUES, Rows=60_000, Columns=60_000), "allowed")
    assert refused(dicom(VALUES, SamplesPerPixel=4), "not supported")
