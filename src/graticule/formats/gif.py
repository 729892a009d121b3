"""GIF (89a): the first frame, on the logical screen."""

import io
import struct

import numpy as np
import PIL.Image

from graticule.formats.colour import flatten_alpha
from graticule.formats.format import Format, always_eight, one_picture
from graticule.formats.raster import Raster, Refused, check_size

_WORKING = 12  # bytes a pixel while Pillow turns a palette into colours


def read_gif(data: bytes) -> Raster:
    """The first frame of a GIF file; transparent parts lie on white.

    Raises
    ------
    Refused
        When a block of the file is cut off, or the first frame is damaged or too large.
    """
    first, frames, notes = _walk(data)
    with PIL.Image.open(io.BytesIO(first), formats=("GIF",)) as image:
        check_size(image.height, image.width, _WORKING)
        mode = "RGBA" if "transparency" in image.info else "L" if image.mode == "L" else "RGB"
        pixels = flatten_alpha(np.array(image.convert(mode)), 255)
    if frames > 1:
        notes.append(f"first of {frames} frames")
    return Raster(pixels, 8, "GIF", "LZW", tuple(notes), frames=frames)


def _walk(data: bytes) -> tuple[bytes, int, list[str]]:
    """A GIF file with the first frame only, the number of frames, and notes."""
    if len(data) < 13:
        raise Refused("is cut off inside the GIF header")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    check_size(height, width, _WORKING)
    position = 13 + _table(flags)
    first, frames, notes = b"", 0, []
    while True:
        if position >= len(data):
            if not frames:
                raise Refused("is cut off: the GIF file holds no frame")
            notes.append("the end mark of the GIF file is missing")
            break
        kind = data[position]
        if kind == 0x3B:
            break
        if kind == 0x21:
            position = _blocks(data, position + 2)
        elif kind == 0x2C:
            position = _frame(data, position, (height, width) if not frames else None)
            frames += 1
            first = first or data[:position] + b"\x3b"
        elif frames:
            notes.append("the file is damaged after its first frame")
            break
        else:
            raise Refused("is damaged: an unknown GIF block")
    if not frames:
        raise Refused("holds no GIF frame")
    return first, frames, notes


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _frame(data: bytes, position: int, screen: tuple[int, int] | None) -> int:
    """Position after a frame; the first one must lie on the screen."""
    if position + 10 > len(data):
        raise Refused("is cut off inside a GIF frame")
    left, top, width, height, flags = struct.unpack_from("<HHHHB", data, position + 1)
    if screen is not None:
        check_size(height, width, _WORKING)
        if top + height > screen[0] or left + width > screen[1]:
            raise Refused("is damaged: the GIF frame is larger than its screen")
    return _blocks(data, position + 10 + _table(flags) + 1)


def _blocks(data: bytes, position: int) -> int:
    """Position after a chain of data blocks."""
    while True:
        if position >= len(data):
            raise Refused("is cut off inside a GIF block")
        length = data[position]
        position += 1 + length
        if not length:
            return position


FORMAT = Format(
    "GIF",
    (".gif",),
    "palettes; of an animation the first frame",
    one_picture("GIF", read_gif),
    starts=(b"GIF87a", b"GIF89a"),
    depth=always_eight,
)
