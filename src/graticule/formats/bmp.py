"""BMP of Windows and OS/2, by Pillow: what its header declares is checked first, and what Pillow cannot is refused.

Layout as in Microsoft's BITMAPINFOHEADER to BITMAPV5HEADER and IBM's BITMAPINFOHEADER2.
"""

import io
import struct

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.formats.colour import flatten_alpha
from graticule.formats.format import Format, always_eight, one_picture
from graticule.formats.raster import Raster, Refused, check_size

_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_PLAIN, _RLE8, _RLE4, _MASKS = 0, 1, 2, 3
_BITS = {_PLAIN: (1, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,), _MASKS: (16, 32)}
_SIX_BITS = struct.pack("<I", 0x07E0)  # the mask of green
_WORKING = 12  # bytes a pixel while Pillow's picture is turned into colours


def read_bmp(data: bytes) -> Raster:
    """The picture of a BMP file; transparent parts lie on white. Pixels that a run-length code skips are of colour 0.

    Raises
    ------
    Refused
        When the file is cut off, damaged, too large or of a kind that is not supported.
    """
    bits, compression, colours = _check(data)
    with PIL.Image.open(io.BytesIO(data), formats=("BMP",)) as image:
        if image.mode == "P" and (largest := int(np.asarray(image).max())) >= colours:
            raise Refused(f"is damaged: colour {largest} of a BMP palette of {colours}")
        pixels = np.array(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB"))
    notes: tuple[str, ...] = ()
    if pixels.ndim == 3 and pixels.shape[2] == 4 and not pixels[:, :, 3].any():
        pixels, notes = pixels[:, :, :3], ("transparency that hides everything was passed over",)
    if bits == 16:
        pixels = _rounded(pixels, 63 if compression == _MASKS and data[58:62] == _SIX_BITS else 31)
    coded = compression in (_RLE8, _RLE4)
    return Raster(flatten_alpha(pixels, 255), 8, "BMP", "run length" if coded else "", notes)


def _check(data: bytes) -> tuple[int, int, int]:
    """Bits per pixel and the compression of a file that holds all its rows, and how many colours its palette has."""
    if len(data) < 26:
        raise Refused("is cut off inside the BMP header")
    start, size = struct.unpack_from("<II", data, 10)
    if size not in _HEADERS:
        raise Refused(f"a BMP header of {size} bytes is not supported")
    if len(data) < 14 + size:
        raise Refused("is cut off inside the BMP header")
    width, height, _, bits = struct.unpack_from("<HHHH" if size == 12 else "<iiHH", data, 18)
    compression, used = (
        (0, 0) if size == 12 else (*struct.unpack_from("<I", data, 30), *struct.unpack_from("<I", data, 46))
    )
    if bits not in _BITS.get(compression, ()) or (size == 64 and compression == _MASKS):
        raise Refused(f"a BMP of {bits} bits with compression {compression} is not supported")
    check_size(abs(height), max(width, 0), _WORKING)
    end = 14 + size + (12 if size == 40 and compression == _MASKS else 0)
    if not end <= start <= len(data):
        raise Refused("is damaged: its BMP pixels do not start after the header")
    if compression in (_RLE8, _RLE4):
        if height < 0:
            raise Refused("is damaged: a run-length coded BMP cannot be stored from the top")
    elif len(data) - start < (width * bits + 31) // 32 * 4 * (abs(height) - 1) + (width * bits + 7) // 8:
        raise Refused("is cut off: rows of the BMP are missing")
    colours = min(used or 2**bits, 2**bits, (start - end) // (3 if size == 12 else 4))
    if bits <= 8 and colours < 1:
        raise Refused("is damaged: its BMP palette is missing")
    return bits, compression, colours


def _rounded(pixels: NDArray[np.uint8], greens: int) -> NDArray[np.uint8]:
    """Five or six bits a colour scaled to eight and rounded, where Pillow has cut off the fraction."""
    top = np.array([31, greens, 31])
    return np.rint(np.ceil(pixels * (top / 255)) * (255 / top)).astype(np.uint8)


FORMAT = Format(
    "BMP",
    (".bmp", ".dib"),
    "palettes of 1, 4 and 8 bits, 16 to 32 bits with the usual masks, run-length codes",
    one_picture("BMP", read_bmp),
    # "BM" alone also starts words
    test=lambda data, _: data.startswith(b"BM") and len(data) >= 18 and data[15:18] == b"\0\0\0",
    depth=always_eight,
)
