"""JPEG 2000 (ITU-T T.800): a JP2 file or a bare code stream, of DICOM frames too; complete or refused.

Decoders fill in what is missing and say nothing, so headers and the lengths of all tiles are followed first.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import imagecodecs
import numpy as np

from graticule.formats.colour import flatten_alpha, scale_to_byte, ycbcr_to_rgb
from graticule.formats.format import EIGHT_BITS, Format, one_picture
from graticule.formats.raster import Raster, Refused, check_size

_END = b"\xff\xd9"
_BOXES, _STREAM = b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"
_MOST_TILES = 65535
_MOST_BITS = 16
_WORKING = 8  # bytes a sample: the decoder's integers and the picture
_GREY, _RGB, _YCC = 17, 16, 18  # enumerated colour spaces
_OPACITY = {1: False, 2: True}  # types of a channel: whether the colours are multiplied by it already


@dataclass(frozen=True)
class Size:
    """What the main header of a code stream says: lengths, bits per sample, and whether each bit is as it was."""

    height: int
    width: int
    components: int
    precision: int
    signed: bool
    reversible: bool


def read_jpeg2000(data: bytes) -> Raster:
    """The picture of a JPEG 2000 file; transparent parts lie on white, 1 to 7 bits are scaled to 8.

    Raises
    ------
    Refused
        When the file is cut off, damaged, too large, or of a kind that is not supported: palettes, components of
        unlike size or depth, more than 16 bits, inks, channels whose meaning is not told.
    """
    stream = code_stream(data)
    size = size_of(stream)
    if not stream.rstrip(b"\0").endswith(_END):
        raise Refused("is cut off: the JPEG 2000 stream has no end marker")
    if size.precision > _MOST_BITS:
        raise Refused(f"{size.precision} bits a sample of JPEG 2000 are not supported; allowed: {_MOST_BITS}")
    check_size(size.height, size.width, _WORKING * size.components)
    space, opacity = _meaning(data, size.components)
    pixels = np.asarray(imagecodecs.jpeg2k_decode(stream, planar=False))
    layers = (size.components,) if size.components > 1 else ()
    if pixels.shape != (size.height, size.width, *layers) or (pixels.dtype.kind == "i") != size.signed:
        raise Refused("is damaged: the JPEG 2000 picture is not as its header declares")
    if size.signed and (space == _YCC or opacity):
        raise Refused("signed colours of JPEG 2000 are not supported")
    if space == _YCC:
        pixels[:, :, :3] = ycbcr_to_rgb(pixels[:, :, :3], size.precision)
    if size.components in (2, 4):
        pixels = flatten_alpha(pixels, 2**size.precision - 1, premultiplied=_OPACITY[opacity])
    if size.precision < 8 and not size.signed:
        pixels = scale_to_byte(pixels, size.precision)
    compression = "JPEG 2000, lossless" if size.reversible else "JPEG 2000, lossy"
    return Raster(pixels, max(8, size.precision), "JPEG 2000", compression)


def _meaning(data: bytes, components: int) -> tuple[int, int]:
    """The colour space and the type of the last channel (0 where it is a colour) that the boxes of a file tell."""
    header = dict(_boxes(next((body for kind, body in _boxes(data) if kind == b"jp2h"), b"")))
    if b"pclr" in header:
        raise Refused("a palette in JPEG 2000 is not supported: save it as PNG or TIFF")
    colours, definitions = header.get(b"colr", b""), header.get(b"cdef", b"")
    space = int.from_bytes(colours[3:7], "big") if colours[:1] == b"\1" else 0
    last = {
        channel: kind
        for channel, kind, _ in struct.iter_unpack(">HHH", definitions[2 : 2 + len(definitions[2:]) // 6 * 6])
    }
    opacity = last.get(components - 1, 0)
    if space not in (0, _GREY, _RGB, _YCC) or (space == _YCC and components < 3):
        raise Refused(f"colour space {space} of JPEG 2000 is not supported; allowed: grey, RGB and YCC")
    if components > 4 or (components in (2, 4)) != (opacity in _OPACITY):
        raise Refused(
            f"{components} channels of JPEG 2000 are not supported where the file does not say that they are grey or "
            "RGB, with or without transparency"
        )
    return space, opacity


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box (T.800 annex I); nothing of a bare code stream."""
    position = 0
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        start = 16 if length == 1 else 8
        if length == 1 and position + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, position + 8)
        if length and length < start:
            return
        yield kind, data[position + start : position + length if length else None]
        position += length or len(data)


def code_stream(data: bytes) -> bytes:
    """The code stream itself, out of the boxes of a JP2 file where it comes in one.

    Raises
    ------
    Refused
        When there is none.
    """
    if data[4:8] != b"jP  ":
        return data
    found = next((body for kind, body in _boxes(data) if kind == b"jp2c"), None)
    if found is None:
        raise Refused("is damaged: the JPEG 2000 file holds no code stream")
    return found


def size_of(stream: bytes) -> Size:
    """What the main header of a code stream says (T.800 annex A), after its tiles were followed to their ends.

    Raises
    ------
    Refused
        When the stream is cut off or damaged, or its components differ in size or depth.
    """
    position, found, reversible = 2, (0, 0, 0, 0), False
    while True:
        if position + 4 > len(stream):
            raise Refused("is cut off: the JPEG 2000 stream ends inside its header")
        marker, length = struct.unpack_from(">HH", stream, position)
        body = stream[position + 4 : position + 2 + length]
        if marker == 0xFF90:
            break
        if marker == 0xFF51 and len(body) >= 36:
            width, height, left, top, *tiles = struct.unpack_from(">8I", body, 2)
            _check_tiles((width, height), (left, top), (tiles[0], tiles[1]), (tiles[2], tiles[3]))
            (components,) = struct.unpack_from(">H", body, 34)
            parts = {body[i : i + 3] for i in range(36, 36 + 3 * components, 3)}
            if len(parts) != 1 or any(part[1:] != b"\1\1" for part in parts):
                raise Refused("components of unlike size or depth in JPEG 2000 are not supported")
            found = (height - top, width - left, components, parts.pop()[0])
        elif marker == 0xFF52 and len(body) >= 10:
            reversible = body[9] == 1
        position += 2 + length
    height, width, components, depth = found
    if not components:
        raise Refused("is damaged: the JPEG 2000 stream has no size")
    _check_tile_parts(stream, position)
    return Size(height, width, components, (depth & 0x7F) + 1, depth > 0x7F, reversible)


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
                raise Refused("is cut off: the JPEG 2000 stream has no end marker")
            return
        if length < 14:
            raise Refused("is damaged: a tile of the JPEG 2000 stream is too short")
        position += length
    if position > len(stream):
        raise Refused("is cut off: a tile of the JPEG 2000 stream lies outside it")


def _told_depth(_: BinaryIO, head: bytes) -> str:
    """By the box of the picture's size, or the first component of a bare stream."""
    at = head.find(b"ihdr") + 14 if b"ihdr" in head else 42 if head.startswith(_STREAM) else len(head)
    depth = head[at : at + 1]
    return "" if depth in (b"", b"\xff") else EIGHT_BITS if depth[0] < 8 else f"JPEG 2000 {depth.hex()}"


FORMAT = Format(
    "JPEG 2000",
    (".jp2", ".j2k", ".j2c", ".jpx", ".jph"),
    "JP2 and bare streams, 1 to 16 bits, signed or not, grey, RGB and YCC, transparency; no palettes",
    one_picture("JPEG 2000", read_jpeg2000),
    # Nikon's old ND2 files begin alike
    test=lambda data, suffix: data.startswith((_BOXES, _STREAM)) and suffix != ".nd2",
    depth=_told_depth,
)
