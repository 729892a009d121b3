"""Compressed frames of DICOM (PS3.5 annex A.4): one code stream to samples as stored, complete or refused.

Nothing is changed here but the container: no colour, no mask, no sign. What a stream says of itself is handed on.
"""

import struct
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from graticule.formats.jpeg import stored_jpeg
from graticule.formats.jpeg2000 import code_stream, size_of
from graticule.formats.raster import Refused

_JPEG = "1.2.840.10008.1.2.4."
_DCT, _LOSSLESS = ("50", "51"), ("57", "70")
_JPEG_LS, _JPEG_2000, _HTJ2K = ("80", "81"), ("90", "91"), ("201", "202", "203")
_REFUSED = {
    **dict.fromkeys(("92", "93"), "JPEG 2000 of several components"),
    **dict.fromkeys(("94", "95", "204", "205"), "a picture kept on a server (JPIP)"),
    **dict.fromkeys(("100", "100.1", "101", "101.1", "102", "102.1", "103", "103.1"), "an MPEG video"),
    **dict.fromkeys(("104", "104.1", "105", "105.1", "106", "106.1", "107", "108"), "an MPEG video"),
    **dict.fromkeys(("110", "111", "112"), "JPEG XL"),
}
_END = b"\xff\xd9"


@dataclass(frozen=True)
class Stored:
    """The samples of one frame as they are stored.

    Attributes
    ----------
    samples : integer array, shape (rows, columns) or (rows, columns, 3)
        Bit patterns; the type's sign is the stream's, not the data set's.
    precision : int
        Bits per sample in the stream.
    exact : bool
        Whether each bit is what was stored; values of lossy streams may lie beyond the declared range.
    colour : str
        What the stream itself says: "RGB", "YCbCr", or "" where it does not say.
    subsampled : bool
        Whether colour was stored more coarsely than brightness, as only YCbCr is.
    """

    samples: NDArray[Any]
    precision: int
    exact: bool = True
    colour: str = ""
    subsampled: bool = False


def is_jpeg_family(syntax: str) -> bool:
    """Whether a transfer syntax is one of JPEG, JPEG-LS, JPEG 2000 and their kin."""
    return syntax.startswith(_JPEG)


def is_jpeg_2000(syntax: str) -> bool:
    """Whether a transfer syntax is JPEG 2000, which has colour transforms of its own, high-throughput included."""
    return is_jpeg_family(syntax) and syntax.removeprefix(_JPEG) in (*_JPEG_2000, *_HTJ2K)


def decode_stream(coded: bytes, syntax: str, rows: int, columns: int, samples: int) -> Stored:
    """Decode one compressed frame.

    Parameters
    ----------
    coded : bytes
    syntax : str
        Unique identifier of the transfer syntax, one for which `is_jpeg_family` is true.
    rows, columns, samples : int
        As the data set declares; samples 1 or 3.

    Raises
    ------
    Refused
        When the syntax is not supported, or the stream is cut off or of another shape than declared: told before it
        is decoded, because a small data set may hold a stream of any size.
    """
    kind = syntax.removeprefix(_JPEG)
    if kind in _DCT or kind in _LOSSLESS:
        jpeg = stored_jpeg(coded, rows, columns, samples)
        return Stored(jpeg.samples, jpeg.precision, jpeg.lossless, jpeg.colour, jpeg.subsampled)
    if kind in _JPEG_LS:
        precision, exact = _check_jpeg_ls(coded, rows, columns, samples)
        return Stored(_shaped(imagecodecs.jpegls_decode(coded), rows, columns, samples), precision, exact)
    if kind in _JPEG_2000 or kind in _HTJ2K:
        stream = code_stream(coded)
        size = size_of(stream)
        _check_shape((size.height, size.width, size.components), (rows, columns, samples))
        decode = imagecodecs.jpeg2k_decode if kind in _JPEG_2000 else imagecodecs.htj2k_decode
        return Stored(_shaped(decode(stream, planar=False), rows, columns, samples), size.precision, size.reversible)
    named = _REFUSED.get(kind)
    raise Refused(f"DICOM transfer syntax {syntax} is not supported" + (f": it is {named}" if named else ""))


def _shaped(pixels: Any, rows: int, columns: int, samples: int) -> NDArray[Any]:
    array = np.asarray(pixels)
    expected = (rows, columns, samples) if samples > 1 else (rows, columns)
    if array.shape != expected or array.dtype.kind not in "ui":
        raise Refused(f"is damaged: a DICOM frame has shape {array.shape}, declared is {expected}")
    return array


def _check_shape(found: tuple[int, int, int], declared: tuple[int, int, int]) -> None:
    if found != declared:
        raise Refused(f"is damaged: a DICOM frame has shape {found}, declared is {declared}")


def _check_jpeg_ls(coded: bytes, rows: int, columns: int, samples: int) -> tuple[int, bool]:
    """Precision, and whether the stream is lossless, from the headers of JPEG-LS (ITU-T T.87)."""
    if coded.rstrip(b"\0")[-2:] != _END:
        raise Refused("is cut off: the JPEG-LS stream of a DICOM frame has no end marker")
    position, precision, near = 2, 0, 0
    while position + 4 <= len(coded):
        marker, length = struct.unpack_from(">HH", coded, position)
        body = coded[position + 4 : position + 2 + length]
        if marker == 0xFFF7 and len(body) >= 6:
            precision, height, width, components = struct.unpack_from(">BHHB", body)
            _check_shape((height, width, components), (rows, columns, samples))
        elif marker == 0xFFDA and len(body) >= 4 and len(body) >= 4 + 2 * body[0]:
            near = body[1 + 2 * body[0]]
            break
        position += 2 + length
    if not precision:
        raise Refused("is damaged: the JPEG-LS stream of a DICOM frame has no header")
    return precision, near == 0
