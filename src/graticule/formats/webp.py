"""WebP (RFC 9649): the picture, or the first frame of an animation."""

import io
import struct

import numpy as np
import PIL.Image

from graticule.formats.colour import flatten_alpha, upright
from graticule.formats.exif import exif_orientation
from graticule.formats.format import Format, always_eight, one_picture
from graticule.formats.raster import Raster, Refused, check_size


def read_webp(data: bytes) -> Raster:
    """The picture of a WebP file; transparent parts lie on white.

    Raises
    ------
    Refused
        When the file is cut off, damaged or too large.
    """
    chunks = _chunks(data)
    height, width = _size(*chunks[0])
    check_size(height, width, 20)  # the decoder keeps two canvases with transparency, Pillow one more
    frames = sum(kind == b"ANMF" for kind, _ in chunks)
    exif = next((body for kind, body in chunks if kind == b"EXIF"), b"")
    orientation, notes = exif_orientation(exif)
    if frames > 1:
        notes += (f"first of {frames} frames",)
    with PIL.Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
        if (image.height, image.width) != (height, width):
            raise Refused("is damaged: two sizes of the WebP picture disagree")
        pixels = np.array(image if image.mode in ("RGB", "RGBA") else image.convert("RGBA"))
    kinds = {kind for kind, _ in chunks}
    compression = "lossless" if b"VP8L" in kinds else "lossy" if b"VP8 " in kinds else ""
    upper = upright(flatten_alpha(pixels, 255), orientation)
    return Raster(upper, 8, "WebP", compression, notes, frames=max(1, frames))


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    if len(data) < 20 or 8 + struct.unpack_from("<I", data, 4)[0] > len(data):
        raise Refused("is cut off: the WebP file is shorter than it says")
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    position, chunks = 12, []
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > end:
            raise Refused("is cut off inside a WebP chunk")
        chunks.append((kind, data[position + 8 : position + 8 + length]))
        position += 8 + length + (length & 1)
    if not chunks:
        raise Refused("holds no WebP picture")
    return chunks


def _size(kind: bytes, body: bytes) -> tuple[int, int]:
    """Height and width that the first chunk declares."""
    if kind == b"VP8X" and len(body) >= 10:
        return 1 + int.from_bytes(body[7:10], "little"), 1 + int.from_bytes(body[4:7], "little")
    if kind == b"VP8L" and len(body) >= 5:
        packed = int.from_bytes(body[1:5], "little")
        return 1 + (packed >> 14 & 0x3FFF), 1 + (packed & 0x3FFF)
    if kind == b"VP8 " and len(body) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return height & 0x3FFF, width & 0x3FFF
    raise Refused("is damaged: the WebP header is too short")


FORMAT = Format(
    "WebP",
    (".webp",),
    "lossy and lossless; of an animation the first frame",
    one_picture("WebP", read_webp),
    test=lambda data, _: data.startswith(b"RIFF") and data[8:12] == b"WEBP",
    depth=always_eight,
)
