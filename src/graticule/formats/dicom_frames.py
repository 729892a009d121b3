"""Frames of a DICOM data set to samples as stored, whatever the transfer syntax (PS3.5 annex A, PS3.3 C.7.6.3)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from graticule.errors import DAMAGED
from graticule.formats.dicom_streams import Stored, decode_stream, is_jpeg_family
from graticule.formats.raster import Refused, check_size

FAULTS = (*DAMAGED, RuntimeError, OSError, EOFError, AssertionError)
_IMPLICIT, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_DEFLATED, _RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
_PLAIN = (_IMPLICIT, _EXPLICIT, _BIG, _DEFLATED)
_HALVED = ("YBR_FULL_422", "YBR_PARTIAL_422")  # two pixels share their colour


@dataclass(frozen=True)
class FrameLayout:
    """What a data set declares of its samples.

    Attributes
    ----------
    rows, columns, samples, frames : int
        Samples per pixel: 1 or 3.
    allocated, stored : int
        Bits of the cell and bits that count, at most as many.
    low : int
        The lowest bit of the cell that counts; 0 but in old files.
    signed, fractional : bool
    photometric : str
        Photometric interpretation, such as "MONOCHROME2".
    syntax : str
        Unique identifier of the transfer syntax.
    """

    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    low: int
    signed: bool
    fractional: bool
    photometric: str
    syntax: str

    @property
    def big_endian(self) -> bool:
        """Whether words are stored with their high byte first."""
        return self.syntax == _BIG


def element_number(dataset: Any, keyword: str, default: float | None = None) -> float | None:
    """A numeric element, or the default where it is absent or no number."""
    try:
        value = dataset.get(keyword)
        return default if value is None or value == "" else float(value)
    except FAULTS:
        return default


def layout_of(dataset: Any) -> FrameLayout:
    """The layout of a data set, after its sizes are known to be allowed.

    Raises
    ------
    Refused
        When it holds no picture, or one that is too large or of a kind that is not supported.
    """
    rows, columns = element_number(dataset, "Rows"), element_number(dataset, "Columns")
    held = [name for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if name in dataset]
    if not held or rows is None or columns is None:
        raise Refused("is a DICOM file without a picture")
    samples = int(element_number(dataset, "SamplesPerPixel", 1) or 1)
    allocated = int(element_number(dataset, "BitsAllocated", 8) or 8)
    fractional = "PixelData" not in held
    if samples not in (1, 3) or allocated not in (1, 8, 16, 32, 64):
        raise Refused(f"{samples} samples of {allocated} bits are not supported in DICOM")
    if allocated == 64 and not fractional:
        raise Refused("64-bit DICOM samples are not supported")
    photometric = str(dataset.get("PhotometricInterpretation") or ("MONOCHROME2" if samples == 1 else "RGB"))
    photometric = photometric.strip("\0 ").upper()
    # as stored, as turned into values; colours of a palette and their indices
    check_size(int(rows), int(columns), 12 if photometric == "PALETTE COLOR" else samples * max(1, allocated // 8) * 2)
    frames = int(element_number(dataset, "NumberOfFrames", 1) or 1)
    if not 1 <= frames <= 1_000_000:
        raise Refused("is damaged: its number of DICOM frames is out of range")
    stored = int(element_number(dataset, "BitsStored", allocated) or allocated)
    if not 1 <= stored <= allocated:
        raise Refused(f"is damaged: {stored} bits stored of {allocated} allocated")
    low = int(element_number(dataset, "HighBit", stored - 1) or stored - 1) + 1 - stored
    return FrameLayout(
        int(rows),
        int(columns),
        samples,
        frames,
        allocated,
        stored,
        low if 0 < low <= allocated - stored else 0,
        element_number(dataset, "PixelRepresentation", 0) == 1,
        fractional,
        photometric,
        _syntax(dataset),
    )


def _syntax(dataset: Any) -> str:
    """The transfer syntax; where a data set names none, the uncompressed one that it was read by."""
    named = str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "") or "")
    if named:
        return named
    implicit, little = getattr(dataset, "original_encoding", (True, True))
    return _IMPLICIT if implicit else _EXPLICIT if little in (None, True) else _BIG


def stored_frame(dataset: Any, layout: FrameLayout, index: int) -> Stored:
    """One frame as stored.

    Raises
    ------
    Refused
        When the transfer syntax is not supported or the frame is damaged; pydicom raises other errors of `FAULTS`.
    """
    from pydicom.encaps import get_frame
    from pydicom.pixels import get_decoder

    if is_jpeg_family(layout.syntax):
        coded = get_frame(dataset.PixelData, index, number_of_frames=layout.frames, extended_offsets=_offsets(dataset))
        return decode_stream(coded, layout.syntax, layout.rows, layout.columns, layout.samples)
    if layout.syntax not in (*_PLAIN, _RLE):
        raise Refused(f"DICOM transfer syntax {layout.syntax} is not supported")
    dataset.file_meta.TransferSyntaxUID = layout.syntax
    # pydicom's `raw` leaves colours alone, and without its correction all bits are left to the one who knows them all
    options: dict[str, Any] = {"raw": True, "view_only": True}
    if layout.syntax != _RLE:
        options["correct_unused_bits"] = False
    options["photometric_interpretation"] = _packing(dataset, layout)
    samples, _ = get_decoder(layout.syntax).as_array(dataset, index=index, **options)
    expected = (layout.rows, layout.columns, layout.samples) if layout.samples > 1 else (layout.rows, layout.columns)
    if samples.shape != expected:
        raise Refused(f"is damaged: a DICOM frame has shape {samples.shape}, declared is {expected}")
    return Stored(np.asarray(samples), layout.allocated)


def _offsets(dataset: Any) -> tuple[bytes, bytes] | None:
    """Where the frames lie, by the extended offset table."""
    if "ExtendedOffsetTable" not in dataset or "ExtendedOffsetTableLengths" not in dataset:
        return None
    return dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths


def _packing(dataset: Any, layout: FrameLayout) -> str:
    """How pydicom unpacks a plain frame: colour of half the width, or all samples.

    Some writers declare halved colour and store all of it, which the length tells.
    """
    if layout.photometric not in _HALVED or layout.syntax == _RLE:
        return "RGB" if layout.samples == 3 else "MONOCHROME2"
    full = layout.rows * layout.columns * layout.samples * layout.allocated // 8 * layout.frames
    return "RGB" if len(dataset.PixelData) >= full else "YBR_FULL_422"
