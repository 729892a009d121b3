"""DICOM (PS3.5, PS3.3): the picture of a data set, through pydicom, which comes with the extra `dicom`.

Causes of refusal never quote the data set: it may name a patient.
"""

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from graticule.formats.colour import choose_channels, scale_to_byte
from graticule.formats.dicom_frames import FAULTS, FrameLayout, element_number, layout_of, stored_frame
from graticule.formats.dicom_values import shown
from graticule.formats.format import Format
from graticule.formats.instrument.dicom import dicom_metadata
from graticule.formats.instrument.metadata import Metadata
from graticule.formats.raster import MAX_BYTES, Raster, Refused
from graticule.formats.selection import Selection

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_STEP = 2**20  # bytes inflated at a time
_SUFFIXES = (".dcm", ".dicom", ".ima")
_BITS_STORED = (b"\x28\0\x01\x01US\x02\0", b"\x28\0\x01\x01\x02\0\0\0")  # with and without its type told
_HEAD_BYTES = 65536


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
    _check_deflated(data)
    faults = (*FAULTS, BytesLengthException, InvalidDicomError)
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


def _check_deflated(data: bytes) -> None:
    """Refuse a deflated data set that would not fit in memory: pydicom inflates it as a whole before it looks at it."""
    if _DEFLATED not in data[132:4096] or data[132:136] != b"\2\0\0\0":
        return
    (length,) = struct.unpack_from("<I", data, 140)  # of the group before the deflated part
    inflater, left, size = zlib.decompressobj(-zlib.MAX_WBITS), memoryview(data)[144 + length :], 0
    while len(left) and not inflater.eof:
        part, left = left[:_STEP], left[_STEP:]
        while len(part) and not inflater.eof:
            size += len(inflater.decompress(part, _STEP))
            part = memoryview(inflater.unconsumed_tail)
            if size > MAX_BYTES:
                raise Refused(f"its deflated data set takes more than the {MAX_BYTES / 2**30:g} GiB of memory allowed")


def _read(dataset: Any, selection: Selection) -> Raster:
    layout = layout_of(dataset)
    frames = layout.frames
    if frames > 1 and selection.z is None:
        raise Refused(f"holds {frames} frames (DICOM); choose with --z 0 to {frames - 1} or max")
    if isinstance(selection.z, int) and selection.z >= frames:
        raise Refused(f"has no frame {selection.z}; allowed: --z 0 to {frames - 1}, or max")
    chosen = range(frames) if selection.z == "max" else (int(selection.z or 0),)
    slope, intercept, notes = _rescale(dataset, layout, chosen)
    # of values that count downwards the smallest is the brightest
    brighter = np.minimum if slope < 0 else np.maximum
    pixels, bits, more = shown(stored_frame(dataset, layout, chosen[0]), layout, dataset)
    for index in chosen[1:]:
        pixels = brighter(pixels, shown(stored_frame(dataset, layout, index), layout, dataset)[0])
    if (slope, intercept) != (1.0, 0.0):
        pixels, bits = _rescaled(pixels, slope, intercept)
    elif bits < 8 and pixels.dtype.kind == "u":
        pixels, bits = scale_to_byte(pixels, bits), 8
    notes = (*more, *notes)
    if frames > 1:
        notes = (f"{'brightest' if selection.z == 'max' else f'frame {selection.z}'} of {frames} frames", *notes)
    return Raster(choose_channels(pixels, selection.channel), max(8, bits), "DICOM", layout.syntax, notes)


def _rescale(dataset: Any, layout: FrameLayout, frames: Sequence[int]) -> tuple[float, float, tuple[str, ...]]:
    """Slope and intercept that apply to the chosen frames (1 and 0 where none do), and notes."""
    if layout.photometric not in ("MONOCHROME1", "MONOCHROME2") or layout.fractional:
        return 1.0, 0.0, ()
    notes: tuple[str, ...] = ()
    if "WindowCenter" in dataset:
        notes = ("the display window of the DICOM file is not applied",)
    found = {_rescale_of(dataset, frame) for frame in frames}
    if len(found) > 1:
        raise Refused("its frames are rescaled each by rules of its own: --z max cannot compare them; choose one")
    slope, intercept = found.pop()
    if (slope, intercept) == (1.0, 0.0):
        return 1.0, 0.0, notes
    if layout.photometric == "MONOCHROME1":
        inverted = "white is 0 in this DICOM file: stored values are inverted, the rescale is not applied"
        return 1.0, 0.0, (*notes, inverted)
    return slope, intercept, notes


def _rescale_of(dataset: Any, frame: int) -> tuple[float, float]:
    """Slope and intercept of a frame: in enhanced objects its own or that of all (C.7.6.16.2.9), else the file's."""
    for keyword, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        try:
            rule = dataset[keyword].value[index].PixelValueTransformationSequence[0]
        except FAULTS:
            continue
        return element_number(rule, "RescaleSlope", 1.0) or 1.0, element_number(rule, "RescaleIntercept", 0.0) or 0.0
    return element_number(dataset, "RescaleSlope", 1.0) or 1.0, element_number(dataset, "RescaleIntercept", 0.0) or 0.0


def _rescaled(pixels: NDArray[Any], slope: float, intercept: float) -> tuple[NDArray[Any], int]:
    """Rescaled values in a type that the program knows, and its bits."""
    values = pixels.astype(np.float64) * slope + intercept
    if slope == int(slope) and intercept == int(intercept):
        for kind in (pixels.dtype, np.dtype(np.int16), np.dtype(np.int32)):
            if np.iinfo(kind).min <= values.min() and values.max() <= np.iinfo(kind).max:
                return values.astype(kind), 8 * kind.itemsize
    return values.astype(np.float32), 32


def _told_depth(stream: BinaryIO, head: bytes) -> str:
    """Bits stored; a palette may widen them, so that no file is known to be of 8."""
    data = head + stream.read(_HEAD_BYTES)
    for mark in _BITS_STORED:
        at = data.find(mark)
        if at >= 0:
            return f"DICOM {int.from_bytes(data[at + len(mark) :][:2], 'little')}"
    return ""


FORMAT = Format(
    "DICOM",
    _SUFFIXES,
    "with `pip install 'graticule[dicom]'`: MONOCHROME1 and 2, RGB, YBR, palettes, rescale; plain, deflated, RLE, "
    "JPEG, lossless JPEG, JPEG-LS, JPEG 2000, HTJ2K",
    lambda data, selection, _: read_dicom(data, selection),
    test=is_dicom,
    depth=_told_depth,
)
