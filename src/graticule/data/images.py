"""Read one image file: JPEG, PNG or TIFF, grey or colour, 8 or 16 bits, to its pixels as stored.

The format is told by the file's first bytes, never by its name. TIFF goes through tifffile, 16-bit PNG through
imagecodecs (Pillow would drop the low byte of 16-bit colour), the rest through Pillow. Every failure is an
`ImageError` that names the file and the cause; nothing is guessed or replaced.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import PIL.ImageOps
import tifffile
from numpy.typing import NDArray

from graticule.errors import ImageError

READER_VERSION = "1"
MAX_PIXELS = 178_956_970  # where Pillow refuses too
BACKGROUND = 255

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TIFF_COLOURS = (
    tifffile.PHOTOMETRIC.MINISWHITE,
    tifffile.PHOTOMETRIC.MINISBLACK,
    tifffile.PHOTOMETRIC.RGB,
    tifffile.PHOTOMETRIC.PALETTE,
    tifffile.PHOTOMETRIC.YCBCR,
)

# What decoders raise on damaged files; anything else is a defect of this program and must be seen.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    SyntaxError,
    MemoryError,
    EOFError,
    struct.error,
    zlib.error,
    PIL.Image.DecompressionBombError,
)


@dataclass(frozen=True)
class Image:
    """An image as stored in its file.

    Attributes
    ----------
    pixels : uint8 or uint16 array, shape (height, width) or (height, width, 3)
        Grey or RGB, upright (EXIF orientation applied), black is 0; transparent parts lie on white. A colour file
        whose three channels are equal everywhere is grey.
    """

    pixels: NDArray[Any]

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def mode(self) -> str:
        """For people: "grey, 8 bit", "RGB, 16 bit", ..."""
        return f"{'grey' if self.pixels.ndim == 2 else 'RGB'}, {8 * self.pixels.dtype.itemsize} bit"

    def uint8(self) -> NDArray[np.uint8]:
        """Pixels on 8 bits, same shape: 16-bit values are scaled linearly from their full range, rounded."""
        if self.pixels.dtype == np.uint8:
            return self.pixels
        return ((self.pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)

    def rgb8(self) -> NDArray[np.uint8]:
        """Pixels as uint8 RGB, shape (height, width, 3)."""
        pixels = self.uint8()
        return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)

    def digest(self) -> str:
        """sha256 over shape, type and values: equal for exact duplicates whatever their file format."""
        h = hashlib.sha256(f"{self.pixels.shape}{self.pixels.dtype.str}".encode())
        h.update(np.ascontiguousarray(self.pixels).data)
        return h.hexdigest()


def read_image(file: Path) -> Image:
    """Read an image file.

    Raises
    ------
    ImageError
        When the file cannot be opened, is of another format, is damaged, too large (over `MAX_PIXELS`) or holds more
        than one picture.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ImageError(str(file), error.strerror or str(error)) from error
    return decode_image(data, str(file))


def decode_image(data: bytes, name: str) -> Image:
    """Decode the bytes of an image file; `name` stands in the error. Raises as `read_image`."""
    if not data:
        raise ImageError(name, "the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if data.startswith(_TIFF):
                pixels = _decode_tiff(data, name)
            elif data.startswith(_PNG) and len(data) > 24 and data[24] == 16:
                pixels = _decode_png16(data, name)
            elif data.startswith((_PNG, _JPEG)):
                pixels = _decode_pillow(data, name)
            else:
                raise ImageError(name, "neither JPEG, PNG nor TIFF by its first bytes")
    except PIL.UnidentifiedImageError as error:
        raise ImageError(name, "cannot be decoded: its header is damaged") from error
    except _DECODER_ERRORS as error:
        raise ImageError(name, f"cannot be decoded: {error or type(error).__name__}".replace("\n", " ")) from error
    if pixels.size == 0:
        raise ImageError(name, "holds no pixels")
    return Image(_grey_if_equal(pixels))


def _check_size(name: str, height: int, width: int) -> None:
    if height * width > MAX_PIXELS:
        raise ImageError(name, f"{width} x {height} pixels are more than the {MAX_PIXELS:,} allowed")


def _decode_pillow(data: bytes, name: str) -> NDArray[np.uint8]:
    with PIL.Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
        _check_size(name, opened.height, opened.width)
        image = PIL.ImageOps.exif_transpose(opened)
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            image = image.convert("RGB")
        elif image.mode == "1":
            image = image.convert("L")
        elif image.mode in ("L", "RGB") and "transparency" in image.info:
            image = image.convert("RGBA")
        if image.mode not in ("L", "LA", "RGB", "RGBA"):
            raise ImageError(name, f"pixel mode {image.mode} is not supported")
        return _flatten_alpha(np.array(image))


def _decode_png16(data: bytes, name: str) -> NDArray[Any]:
    width, height = struct.unpack(">II", data[16:24])
    _check_size(name, height, width)
    with PIL.Image.open(io.BytesIO(data), formats=("PNG",)) as header:
        orientation = header.getexif().get(0x0112, 1)
    pixels: NDArray[Any] = np.asarray(imagecodecs.png_decode(data))
    return _upright(_flatten_alpha(pixels), orientation)


def _decode_tiff(data: bytes, name: str) -> NDArray[Any]:
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        pages = len(tiff.pages)
        if pages != 1:
            raise ImageError(name, f"holds {pages} pages; only files with one page can be read")
        page: Any = tiff.pages[0]
        _check_tiff(page, name, len(data))
        pixels = page.asarray()
        axes = page.axes
        photometric = page.photometric
        if photometric == tifffile.PHOTOMETRIC.PALETTE:
            pixels = (page.colormap.T[pixels.astype(np.intp)] >> 8).astype(np.uint8)  # of v x 256 as of v x 257
            axes += "S"
        else:
            pixels = _full_range(pixels, page.bitspersample)
        orientation = int(page.tags["Orientation"].value) if "Orientation" in page.tags else 1
        extra = tuple(page.extrasamples)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(name, f"pixels of type {pixels.dtype} are not supported; allowed: 8- and 16-bit unsigned")
    if axes == "SYX":
        pixels, axes = np.moveaxis(pixels, 0, -1), "YXS"
    if axes not in ("YX", "YXS"):
        raise ImageError(name, f"holds more than one picture (axes {axes})")
    if photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        pixels = np.iinfo(pixels.dtype).max - pixels
    if extra == (tifffile.EXTRASAMPLE.UNSPECIFIED,):
        pixels = pixels[:, :, :-1]  # not said to be transparency
    return _upright(_flatten_alpha(pixels, premultiplied=tifffile.EXTRASAMPLE.ASSOCALPHA in extra), orientation)


def _check_tiff(page: Any, name: str, n_bytes: int) -> None:
    """Refuse a page that is too large, of another colour model, or not all there (tifffile would fill in zeros)."""
    _check_size(name, page.imagelength, page.imagewidth)
    if page.is_tiled:
        _check_size(name, page.tilelength, page.tilewidth)
    photometric = page.photometric
    # tifffile turns YCbCr into RGB where JPEG compression says how, and leaves it as it is elsewhere
    if photometric not in _TIFF_COLOURS or (
        photometric == tifffile.PHOTOMETRIC.YCBCR and page.compression != tifffile.COMPRESSION.JPEG
    ):
        raise ImageError(name, f"TIFF of colour model {getattr(photometric, 'name', photometric)} is not supported")
    offsets, sizes = page.dataoffsets, page.databytecounts
    if page.is_contiguous:  # one plain block, whatever the sizes of its strips are said to be
        offsets, sizes = offsets[:1], (page.nbytes,)
    elif min(len(offsets), len(sizes)) < math.prod(page.chunked):
        raise ImageError(name, f"lacks some of its {math.prod(page.chunked)} strips or tiles")
    for offset, size in zip(offsets, sizes, strict=False):
        if size <= 0 or offset <= 0 or offset + size > n_bytes:
            raise ImageError(name, "is cut off: a strip or tile lies outside the file")


def _full_range(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Values of 1 to 7 bits scaled to 8 bits, of 9 to 15 bits scaled to 16 bits; others as they are."""
    if pixels.dtype not in (np.bool_, np.uint8, np.uint16) or bits in (8, 16):
        return pixels
    dtype = np.uint8 if bits < 8 else np.uint16
    top = 2**bits - 1
    scaled: NDArray[Any] = ((pixels.astype(np.uint32) * np.iinfo(dtype).max + top // 2) // top).astype(dtype)
    return scaled


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Apply an EXIF/TIFF orientation (1 to 8); other values count as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _flatten_alpha(pixels: NDArray[Any], *, premultiplied: bool = False) -> NDArray[Any]:
    """Grey, grey + alpha, RGB or RGB + alpha (last axis) to grey or RGB on a white background.

    `premultiplied`: colours are stored already multiplied by alpha.
    """
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2]
    if channels in (1, 3):
        return pixels[:, :, 0] if channels == 1 else pixels
    if channels not in (2, 4):
        raise ValueError(f"{channels} channels; allowed: grey or RGB, with or without transparency")
    top = np.iinfo(pixels.dtype).max
    colour = pixels[:, :, :-1].astype(np.float64)
    alpha = pixels[:, :, -1:].astype(np.float64) / top
    white = BACKGROUND * (top // 255)
    shown = colour if premultiplied else colour * alpha
    flat = np.rint(np.minimum(shown + white * (1.0 - alpha), top)).astype(pixels.dtype)
    return flat[:, :, 0] if channels == 2 else flat


def _grey_if_equal(pixels: NDArray[Any]) -> NDArray[Any]:
    """RGB whose channels are equal everywhere becomes grey; a sparse sample answers first."""
    if pixels.ndim == 2:
        return pixels
    for sample in (pixels[::16], pixels):
        if not (np.array_equal(sample[..., 0], sample[..., 1]) and np.array_equal(sample[..., 0], sample[..., 2])):
            return pixels
    return np.ascontiguousarray(pixels[..., 0])
