"""TGA (Truevision, version 2.0). It has no signature at its start, so its header must be plausible."""

import io
import struct

import numpy as np
import PIL.Image

from graticule.formats.colour import flatten_alpha
from graticule.formats.format import Format, one_picture
from graticule.formats.raster import Raster, Refused, check_size

_SUFFIXES = (".tga", ".icb", ".vda", ".vst")
_FOOTER = b"TRUEVISION-XFILE.\0"
_DEPTHS = {1: (8,), 2: (16, 24, 32), 3: (8, 16)}


def is_tga(data: bytes, suffix: str) -> bool:
    """Whether bytes are a TGA file: a plausible header, and the footer of version 2 or a suffix of the format."""
    if len(data) < 18 or not (data.endswith(_FOOTER) or suffix in _SUFFIXES):
        return False
    mapped, kind, _, length, entry = struct.unpack_from("<BBHHB", data, 1)
    width, height, depth, descriptor = struct.unpack_from("<HHBB", data, 12)
    if mapped > 1 or kind & ~8 not in _DEPTHS or depth not in _DEPTHS[kind & ~8] or descriptor & 0xC0:
        return False
    if kind & ~8 == 1 and not (mapped == 1 and entry in (15, 16, 24, 32) and 0 < length <= 256):
        return False
    return bool(width and height)


def read_tga(data: bytes) -> Raster:
    """The picture of a TGA file; transparent parts lie on white.

    Raises
    ------
    Refused
        When the file is cut off or too large.
    """
    name_length, mapped, kind = data[0], data[1], data[2]
    (length,) = struct.unpack_from("<H", data, 5)
    width, height, depth, descriptor = struct.unpack_from("<HHBB", data, 12)
    check_size(height, width, 11)  # Pillow's picture and two copies
    start = 18 + name_length + (length * ((data[7] + 7) // 8) if mapped else 0)
    if not kind & 8 and len(data) < start + width * height * (depth // 8):
        raise Refused("is cut off: rows of the TGA file are missing")
    with PIL.Image.open(io.BytesIO(data), formats=("TGA",)) as image:
        image.load()
        mode = image.mode if image.mode in ("L", "LA", "RGB", "RGBA") else "RGB"
        if image.palette is not None and image.palette.mode == "RGBA":
            mode = "RGBA"
        pixels = np.array(image if image.mode == mode else image.convert(mode))
    notes: tuple[str, ...] = ()
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        alpha = pixels[:, :, -1]
        # many writers do not say that they store transparency; a constant that is not said to be one is none
        if not alpha.any() or (not descriptor & 15 and alpha.min() == alpha.max()):
            pixels = np.ascontiguousarray(pixels[:, :, :-1])
            notes = ("a last channel that is not transparency was passed over",)
    return Raster(flatten_alpha(pixels, 255), 8, "TGA", "run length" if kind & 8 else "", notes)


FORMAT = Format(
    "TGA",
    _SUFFIXES,
    "8 bits, told by its suffix or its footer",
    one_picture("TGA", read_tga),
    test=is_tga,
)
