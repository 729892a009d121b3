"""PNG (ISO/IEC 15948): the picture proper, from the chunks that matter, with their checksums verified."""

import struct
import zlib
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from graticule.formats.colour import flatten_alpha, upright
from graticule.formats.exif import exif_orientation
from graticule.formats.format import EIGHT_BITS, Format, one_picture
from graticule.formats.raster import Raster, Refused, check_size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_END = (b"IEND", b"")
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_NEEDED = (b"IHDR", b"PLTE", b"IDAT", b"tRNS")


def read_png(data: bytes) -> Raster:
    """The picture of a PNG file; of an animated one the default picture. 1 to 4 bits are scaled to 8.

    Raises
    ------
    Refused
        When a chunk that the picture needs is damaged or missing, or the picture is too large.
    """
    chunks, exif, frames, notes = _chunks(data)
    header = b"".join(body for kind, body in chunks if kind == b"IHDR")
    if len(header) != 13 or chunks[0][0] != b"IHDR":
        raise Refused("is damaged: the PNG header is missing or of the wrong length")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()):
        raise Refused(f"is damaged: {depth} bits of PNG colour type {colour} do not exist")
    # a palette with transparency and a transparent colour add a channel
    channels = 4 if colour == 3 or any(kind == b"tRNS" for kind, _ in chunks) else _CHANNELS[colour]
    check_size(height, width, channels * (2 if depth == 16 else 1))
    if not any(kind == b"IDAT" for kind, _ in chunks):
        raise Refused("is cut off: the PNG file holds no picture data")
    chunks = [(kind, _in_range(body, depth) if kind == b"tRNS" and colour != 3 else body) for kind, body in chunks]
    pixels = _by_passes(header, chunks, _CHANNELS[colour]) if interlaced == 1 else _samples(chunks)
    top = 65535 if depth == 16 else 255
    orientation, more = exif_orientation(exif)
    upper = upright(flatten_alpha(pixels, top), orientation)
    return Raster(upper, 16 if depth == 16 else 8, "PNG", "deflate", (*notes, *more), frames=frames)


def _samples(chunks: list[tuple[bytes, bytes]]) -> NDArray[Any]:
    return np.asarray(imagecodecs.png_decode(SIGNATURE + b"".join(_packed(*chunk) for chunk in [*chunks, _END])))


def _in_range(transparent: bytes, depth: int) -> bytes:
    """A transparent colour without the bits above the depth, which do not count."""
    values = np.frombuffer(transparent[: len(transparent) // 2 * 2], ">u2") & np.uint16(2**depth - 1)
    return values.astype(">u2").tobytes()


def _by_passes(header: bytes, chunks: list[tuple[bytes, bytes]], channels: int) -> NDArray[Any]:
    """An interlaced picture (Adam7): seven small ones, decoded one by one and put together."""
    width, height, depth = struct.unpack_from(">IIB", header)
    sizes = [((height - y + dy - 1) // dy, (width - x + dx - 1) // dx) for y, x, dy, dx in _PASSES]
    lengths = [rows * (1 + (columns * channels * depth + 7) // 8) if columns > 0 else 0 for rows, columns in sizes]
    inflater = zlib.decompressobj()
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    raw = inflater.decompress(packed, sum(lengths))
    if len(raw) < sum(lengths):
        raise Refused("is cut off: rows of the PNG file are missing")
    other = [chunk for chunk in chunks if chunk[0] in (b"PLTE", b"tRNS")]
    whole: NDArray[Any] | None = None
    start = 0
    for (y, x, dy, dx), (rows, columns), length in zip(_PASSES, sizes, lengths, strict=True):
        if not length:
            continue
        small = struct.pack(">II", columns, rows) + header[8:12] + b"\0"
        body = zlib.compress(raw[start : start + length], 0)
        part = _samples([(b"IHDR", small), *other, (b"IDAT", body)])
        whole = np.empty((height, width, *part.shape[2:]), part.dtype) if whole is None else whole
        whole[y::dy, x::dx] = part
        start += length
    if whole is None:
        raise Refused("holds no pixels")
    return whole


def _packed(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(data: bytes) -> tuple[list[tuple[bytes, bytes]], bytes, int, list[str]]:
    """Chunks that the picture needs, the EXIF block, the number of frames, and notes."""
    needed: list[tuple[bytes, bytes]] = []
    exif, frames, notes = b"", 1, []
    position, previous = len(SIGNATURE), b""
    while True:
        if position + 8 > len(data):
            notes.append("the end chunk of the PNG file is missing")
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        position += 12 + length
        body, checksum = data[position - 4 - length : position - 4], data[position - 4 : position]
        good = len(checksum) == 4 and struct.unpack(">I", checksum)[0] == zlib.crc32(body, zlib.crc32(kind))
        if kind == b"IEND":
            if not good:
                notes.append("the end chunk of the PNG file is damaged")
            elif position < len(data):
                notes.append(f"{len(data) - position} bytes follow the picture")
            break
        if kind in _NEEDED:
            if not good:
                raise Refused(f"is cut off or damaged: bad checksum of PNG chunk {kind.decode()}")
            if kind != b"IDAT" or previous == b"IDAT" or all(other != b"IDAT" for other, _ in needed):
                needed.append((kind, body))
            else:
                notes.append("picture data after other chunks were passed over")
        elif not kind.isalpha() or not kind[0] & 0x20:
            raise Refused(f"is damaged: unknown PNG chunk {kind.decode('ascii', 'backslashreplace')}")
        elif not good:
            notes.append(f"damaged PNG chunk {kind.decode()} was passed over")
        elif kind == b"eXIf":
            exif = body
        elif kind == b"acTL" and len(body) == 8:
            frames = max(1, struct.unpack_from(">I", body)[0])
            note = f"first of {frames} frames"
            notes += [] if note in notes else [note]
        previous = kind
    if not needed:
        raise Refused("is damaged: its header is damaged")
    return needed, exif, frames, notes


def _told_depth(_: BinaryIO, head: bytes) -> str:
    return "PNG 16" if head[24:25] == b"\x10" else EIGHT_BITS


FORMAT = Format(
    "PNG",
    (".png", ".apng"),
    "1 to 16 bits, palettes, transparency; of an animation the default picture",
    one_picture("PNG", read_png),
    starts=(SIGNATURE,),
    depth=_told_depth,
)
