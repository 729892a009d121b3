"""DICOM (PS3.5, PS3.3): the picture of a data set, through pydicom, which comes with the extra `dicom`.

Causes of refusal never quote the data set: it may name a patient.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from graticule.data.formats.colour import choose_channels, invert
from graticule.data.formats.raster import Raster, Refused, check_size
from graticule.data.instrument import Metadata
from graticule.data.instrument_dicom import dicom_metadata
from graticule.data.selection import Selection

_SUFFIXES = (".dcm", ".dicom", ".ima")
_FAULTS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    OSError,
    EOFError,
    AssertionError,
    MemoryError,
)
_JPEG = "1.2.840.10008.1.2.4."
_BY_PYDICOM = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
_RLE = "1.2.840.10008.1.2.5"
_LOSSY_JPEG, _LOSSLESS_JPEG, _JPEG_LS, _JPEG_2000 = ("50", "51"), ("57", "70"), ("80", "81"), ("90", "91")
_COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420", "PALETTE COLOR")


def is_dicom(data: bytes, suffix: str) -> bool:
    """Whether bytes are a DICOM file: by the mark after the preamble, or without one by suffix and first group."""
    if data[128:132] == b"DICM":
        return True
    return suffix in _SUFFIXES and data[:4] in (b"\x02\0\0\0", b"\x08\0\0\0", b"\x08\0\x05\0", b"\x08\0\x08\0")


def read_dicom(data: bytes, selection: Selection) -> Raster:
    """The picture of a DICOM file; frames are planes.

    Stored values, of which black is 0 (MONOCHROME1 is inverted), then slope and intercept of the rescale. A display
    window is noted, not applied.

    Raises
    ------
    Refused
        When pydicom is missing, the file holds no picture, is damaged or cut off, its transfer syntax cannot be
        decoded, or it holds several frames of which `selection` does not choose.
    """
    try:
        import pydicom
        from pydicom.errors import BytesLengthException, InvalidDicomError
    except ImportError as error:
        raise Refused("is a DICOM file; to read it: pip install 'graticule[dicom]'") from error
    if selection.page not in (None, 0):
        raise Refused("one page of a DICOM file can be read; allowed: --page 0, and --z for its frames")
    faults = (*_FAULTS, BytesLengthException, InvalidDicomError)
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        raster = _read(dataset, selection)
    except Refused:
        raise
    except faults as error:
        raise Refused(f"the DICOM file is damaged or cannot be decoded ({type(error).__name__})") from error
    try:
        metadata = dicom_metadata(dataset)
    except faults:
        metadata = Metadata(warnings=("the instrument's metadata cannot be read",))
    return replace(raster, metadata=metadata)


def _read(dataset: Any, selection: Selection) -> Raster:
    frames = _check(dataset)
    if frames > 1 and selection.z is None:
        raise Refused(f"holds {frames} frames (DICOM); choose with --z 0 to {frames - 1} or max")
    if isinstance(selection.z, int) and selection.z >= frames:
        raise Refused(f"has no frame {selection.z}; allowed: --z 0 to {frames - 1}, or max")
    chosen = range(frames) if selection.z == "max" else (int(selection.z or 0),)
    pixels = _frame(dataset, chosen[0], frames)
    for index in chosen[1:]:
        pixels = np.maximum(pixels, _frame(dataset, index, frames))
    pixels, bits, notes = _values(dataset, pixels)
    if frames > 1:
        notes = (f"{'brightest' if selection.z == 'max' else f'frame {selection.z}'} of {frames} frames", *notes)
    return Raster(choose_channels(pixels, selection.channel), bits, "DICOM", _syntax(dataset), notes)


def _number(dataset: Any, keyword: str, default: float | None = None) -> float | None:
    """A numeric element, or the default where it is absent or no number."""
    try:
        value = dataset.get(keyword)
        return default if value is None or value == "" else float(value)
    except _FAULTS:
        return default


def _syntax(dataset: Any) -> str:
    return str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "") or "")


def _check(dataset: Any) -> int:
    """Number of frames, after the sizes are known to be allowed."""
    rows, columns = _number(dataset, "Rows"), _number(dataset, "Columns")
    held = [name for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if name in dataset]
    if not held or rows is None or columns is None:
        raise Refused("is a DICOM file without a picture")
    samples = int(_number(dataset, "SamplesPerPixel", 1) or 1)
    allocated = int(_number(dataset, "BitsAllocated", 8) or 8)
    if samples not in (1, 3) or allocated not in (1, 8, 16, 32, 64):
        raise Refused(f"{samples} samples of {allocated} bits are not supported in DICOM")
    check_size(int(rows), int(columns), samples * max(1, allocated // 8) * 2)
    frames = int(_number(dataset, "NumberOfFrames", 1) or 1)
    if not 1 <= frames <= 1_000_000:
        raise Refused("is damaged: its number of DICOM frames is out of range")
    return frames


def _frame(dataset: Any, index: int, frames: int) -> NDArray[Any]:
    """Stored samples of one frame, shape (rows, columns[, 3]), RGB where there is colour."""
    from pydicom import pixels as decoding
    from pydicom.encaps import get_frame

    syntax = _syntax(dataset)
    photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if syntax.startswith(_JPEG):
        coded = get_frame(dataset.PixelData, index, number_of_frames=frames)
        return _shaped(dataset, _from_jpeg(coded, syntax.removeprefix(_JPEG), photometric))
    if syntax not in (*_BY_PYDICOM, _RLE, ""):
        raise Refused(f"DICOM transfer syntax {syntax} is not supported")
    if not syntax:
        dataset.file_meta.TransferSyntaxUID = _guessed(dataset)
    stored = np.asarray(decoding.pixel_array(dataset, index=index, raw=False))
    if photometric == "PALETTE COLOR":
        stored = np.asarray(decoding.apply_color_lut(stored, dataset))
    return stored


def _guessed(dataset: Any) -> str:
    """Uncompressed transfer syntax of a data set that names none, from how it was read."""
    implicit, little = getattr(dataset, "original_encoding", (True, True))
    return _BY_PYDICOM[0] if implicit else _BY_PYDICOM[1] if little in (None, True) else _BY_PYDICOM[3]


def _from_jpeg(coded: bytes, kind: str, photometric: str) -> NDArray[Any]:
    if kind in _LOSSY_JPEG:
        if coded.rstrip(b"\0")[-2:] != b"\xff\xd9":
            raise Refused("is cut off: the JPEG stream of a DICOM frame has no end marker")
        colour = photometric in _COLOURS
        return np.asarray(
            imagecodecs.jpeg8_decode(
                coded,
                colorspace=("RGB" if photometric == "RGB" and b"Adobe" not in coded[:64] else None),
                outcolorspace="RGB" if colour else None,
            )
        )
    if kind in _LOSSLESS_JPEG:
        return np.asarray(imagecodecs.ljpeg_decode(coded))
    if kind in _JPEG_LS:
        return np.asarray(imagecodecs.jpegls_decode(coded))
    if kind in _JPEG_2000:
        return np.asarray(imagecodecs.jpeg2k_decode(coded))
    raise Refused(f"DICOM transfer syntax {_JPEG}{kind} is not supported")


def _shaped(dataset: Any, pixels: NDArray[Any]) -> NDArray[Any]:
    """Decoded samples, checked against the declared size and turned into the declared sign."""
    samples = int(_number(dataset, "SamplesPerPixel", 1) or 1)
    expected = (int(dataset.Rows), int(dataset.Columns), *((samples,) if samples > 1 else ()))
    if pixels.shape != expected:
        raise Refused(f"is damaged: a DICOM frame has shape {pixels.shape}, declared is {expected}")
    if _number(dataset, "PixelRepresentation", 0) == 1 and pixels.dtype.kind == "u":
        width = 8 * pixels.dtype.itemsize
        spare = width - min(width, int(_number(dataset, "BitsStored", width) or width))
        pixels = (pixels << spare).view(np.dtype(f"i{pixels.dtype.itemsize}")) >> spare
    return pixels


def _values(dataset: Any, pixels: NDArray[Any]) -> tuple[NDArray[Any], int, tuple[str, ...]]:
    """Rescaled values in a type that the program knows, significant bits, notes."""
    notes: list[str] = []
    width = 8 * pixels.dtype.itemsize
    bits = min(width, int(_number(dataset, "BitsStored", width) or width))
    if pixels.dtype.kind == "f":
        return pixels, width, ()
    if width == 64:
        raise Refused("64-bit DICOM samples are not supported")
    if int(_number(dataset, "BitsAllocated", 8) or 8) == 1:
        return (pixels > 0).astype(np.uint8) * np.uint8(255), 8, ()
    photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if pixels.ndim == 3:
        return pixels, width if photometric == "PALETTE COLOR" else max(8, bits), ()
    if "WindowCenter" in dataset:
        notes.append("the display window of the DICOM file is not applied")
    slope, intercept = _number(dataset, "RescaleSlope", 1.0), _number(dataset, "RescaleIntercept", 0.0)
    rescaled = (slope, intercept) != (1.0, 0.0) and slope is not None and intercept is not None
    if photometric == "MONOCHROME1":
        if rescaled:
            notes.append("white is 0 in this DICOM file: stored values are inverted, the rescale is not applied")
        return invert(pixels, bits), max(8, bits), tuple(notes)
    if rescaled and slope is not None and intercept is not None:
        values = pixels.astype(np.float64) * slope + intercept
        if slope == int(slope) and intercept == int(intercept):
            for kind in (pixels.dtype, np.dtype(np.int16), np.dtype(np.int32)):
                if np.iinfo(kind).min <= values.min() and values.max() <= np.iinfo(kind).max:
                    return values.astype(kind), 8 * kind.itemsize, tuple(notes)
        return values.astype(np.float32), 32, tuple(notes)
    return pixels, max(8, bits), tuple(notes)
