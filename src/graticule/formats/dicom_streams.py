"""Compressed frames of DICOM (PS3.5 annex A.4): one code stream to samples as stored, complete or refused.

Nothing is changed here but the container: no colour, no mask, no sign. What a stream says of itself is handed on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from graticule.formats.jpeg import stored_jpeg
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
_MOST_TILES = 65535


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
        stream = _code_stream(coded)
        precision, exact = _check_jpeg_2000(stream, rows, columns, samples)
        decode = imagecodecs.jpeg2k_decode if kind in _JPEG_2000 else imagecodecs.htj2k_decode
        return Stored(_shaped(decode(stream, planar=False), rows, columns, samples), precision, exact)
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


def _code_stream(coded: bytes) -> bytes:
    """The JPEG 2000 code stream itself, out of the boxes of a JP2 file where it comes in one (ITU-T T.800 annex I)."""
    if coded[4:8] != b"jP  ":
        return coded
    position = 0
    while position + 8 <= len(coded):
        length, kind = struct.unpack_from(">I4s", coded, position)
        start = 16 if length == 1 else 8
        if length == 1 and position + 16 <= len(coded):
            (length,) = struct.unpack_from(">Q", coded, position + 8)
        if kind == b"jp2c":
            return coded[position + start : position + length if length else None]
        if length < start:
            break
        position += length
    raise Refused("is damaged: the JPEG 2000 file of a DICOM frame holds no code stream")


def _check_jpeg_2000(stream: bytes, rows: int, columns: int, samples: int) -> tuple[int, bool]:
    """Precision, and whether the wavelet is reversible, from the main header of JPEG 2000 (ITU-T T.800 annex A)."""
    position, precision, reversible = 2, 0, False
    while True:
        if position + 4 > len(stream):
            raise Refused("is cut off: the JPEG 2000 stream of a DICOM frame ends inside its header")
        marker, length = struct.unpack_from(">HH", stream, position)
        body = stream[position + 4 : position + 2 + length]
        if marker == 0xFF90:
            break
        if marker == 0xFF51 and len(body) >= 36:
            width, height, left, top, *tiles = struct.unpack_from(">8I", body, 2)
            _check_tiles((width, height), (left, top), (tiles[0], tiles[1]), (tiles[2], tiles[3]))
            (components,) = struct.unpack_from(">H", body, 34)
            _check_shape((height - top, width - left, components), (rows, columns, samples))
            parts = {body[i : i + 3] for i in range(36, 36 + 3 * components, 3)}
            if len(parts) != 1 or any(part[1:] != b"\1\1" for part in parts):
                raise Refused("components of unlike size or depth in JPEG 2000 are not supported in DICOM")
            precision = (parts.pop()[0] & 0x7F) + 1
        elif marker == 0xFF52 and len(body) >= 10:
            reversible = body[9] == 1
        position += 2 + length
    if not precision:
        raise Refused("is damaged: the JPEG 2000 stream of a DICOM frame has no size")
    _check_tile_parts(stream, position)
    return precision, reversible


def _check_tiles(end: tuple[int, int], start: tuple[int, int], tile: tuple[int, int], origin: tuple[int, int]) -> None:
    """Refuse a grid of tiles that is none (T.800 B.3): a decoder may divide by the size of a tile."""
    tiles = 1
    for last, first, size, zero in zip(end, start, tile, origin, strict=True):
        if not (size and zero <= first < last and zero + size > first):
            raise Refused("is damaged: the tiles of a JPEG 2000 stream are no grid")
        tiles *= (last - zero + size - 1) // size
    if tiles > _MOST_TILES:
        raise Refused(f"is damaged: {tiles:,} tiles of a JPEG 2000 stream; allowed: {_MOST_TILES:,}")


def _check_tile_parts(stream: bytes, position: int) -> None:
    """Refuse a stream that ends inside a tile: decoders fill in what is missing and say nothing."""
    while position + 12 <= len(stream) and stream[position : position + 2] == b"\xff\x90":
        (length,) = struct.unpack_from(">I", stream, position + 6)
        if length == 0:  # up to the end marker
            if stream.rstrip(b"\0")[-2:] != _END:
                raise Refused("is cut off: the JPEG 2000 stream of a DICOM frame has no end marker")
            return
        if length < 14:
            raise Refused("is damaged: a tile of the JPEG 2000 stream of a DICOM frame is too short")
        position += length
    if position > len(stream):
        raise Refused("is cut off: a tile of the JPEG 2000 stream of a DICOM frame lies outside it")
