"""Read one image file to its pixels as stored, whatever scientific or everyday format it is in.

The format is told by the file's first bytes, never by its name. Every failure is an `ImageError` that names the file
and the cause; nothing is guessed or replaced. A file that declares several planes, time points, channels or pyramid
levels is refused with the list of what it holds until a `Selection` says which.
"""

import hashlib
import logging
import os
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.errors import DAMAGED, NO_MEMORY, ImageError
from graticule.files import read_regular
from graticule.formats.catalogue import SUFFIXES, none_of_them, told_format
from graticule.formats.chunk_stores import chunk_store
from graticule.formats.colour import grey_if_equal
from graticule.formats.instrument.metadata import Metadata
from graticule.formats.named import named_format, only_a_preview
from graticule.formats.raster import MAX_PIXELS, NO_METADATA, Raster, Refused
from graticule.formats.selection import EVERYTHING, Selection
from graticule.sources.look_alikes import look_alike, typed_otherwise

__all__ = ["MAX_FILE_BYTES", "MAX_PIXELS", "READER_VERSION", "Image", "decode_image", "read_file", "read_image"]

READER_VERSION = "3"
MAX_FILE_BYTES = 2**31

# What decoders raise on damaged files; anything else is a defect of this program and must be seen.
_DECODER_ERRORS = (
    *DAMAGED,
    *(OSError, RuntimeError, SyntaxError, EOFError, AssertionError, BufferError),
    *(struct.error, zlib.error, PIL.Image.DecompressionBombError),
)
for _library in ("tifffile", "pydicom"):  # what they find wrong is told by the error or a note, not on the terminal
    logging.getLogger(_library).addHandler(logging.NullHandler())
_KINDS = {"u": "", "i": " signed", "f": " float"}


@dataclass(frozen=True)
class Image:
    """An image as stored in its file.

    Attributes
    ----------
    pixels : array, shape (height, width) or (height, width, 3)
        uint8, uint16, uint32, int8, int16, int32, float32 or float64; finite. Grey or RGB, upright (EXIF and TIFF
        orientation applied), black is 0; transparent parts lie on white. A colour file whose three channels are equal
        everywhere is grey.
    bits : int
        Significant bits per sample, 8 to 64: 12 for the values 0 to 4095 of a 12-bit camera in uint16. Fewer than 8
        are scaled to 8. Default: all bits of the type.
    file_format, compression : str
        Such as "TIFF" and "LZW".
    notes : tuple of str
        What the reader passed over or chose: "first of 3 pages; --page chooses another".
    metadata : Metadata
        What the instrument wrote.
    """

    pixels: NDArray[Any]
    bits: int = 0
    file_format: str = ""
    compression: str = ""
    notes: tuple[str, ...] = ()
    metadata: Metadata = NO_METADATA

    def __post_init__(self) -> None:
        if not self.bits:
            object.__setattr__(self, "bits", 8 * self.pixels.dtype.itemsize)

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
        """For people: "grey, 8 bit", "RGB, 16 bit", "grey, 12 bit", "grey, 32 bit float", "grey, 16 bit signed"."""
        return f"{'grey' if self.pixels.ndim == 2 else 'RGB'}, {self.bits} bit{_KINDS[self.pixels.dtype.kind]}"

    def digest(self) -> str:
        """sha256 over shape, type and values: equal for exact duplicates whatever their file format."""
        h = hashlib.sha256(f"{self.pixels.shape}{self.pixels.dtype.str}".encode())
        h.update(np.ascontiguousarray(self.pixels).data)
        return h.hexdigest()


def read_file(file: Path) -> bytes:
    """The bytes of a regular file; a pipe or device is refused before it could block.

    Raises
    ------
    ImageError
        When the file cannot be opened, is not a regular file, or is larger than `MAX_FILE_BYTES`.
    """
    try:
        return read_regular(file, MAX_FILE_BYTES)
    except OSError as error:
        raise ImageError(str(file), _why_not(file, error)) from error


def _why_not(file: Path, error: OSError) -> str:
    """Why a file cannot be opened, in one line: a folder that is an image is named, and a file of a twin name."""
    cause = chunk_store(file) or error.strerror or str(error)
    other = look_alike(os.path.abspath(file)) if isinstance(error, FileNotFoundError) else None  # noqa: PTH100
    return cause if other is None else f"{cause}; {typed_otherwise(os.path.basename(other))}"  # noqa: PTH119


def read_image(file: Path, selection: Selection = EVERYTHING) -> Image:
    """Read an image file.

    Parameters
    ----------
    file : Path
    selection : Selection
        Which plane, channels and page are read where the file holds several.

    Raises
    ------
    ImageError
        When the file cannot be opened, is of another format, is damaged or cut off, too large (over `MAX_PIXELS`), or
        declares several pictures of which `selection` does not choose one.
    """
    return decode_image(read_file(file), str(file), selection)


def decode_image(data: bytes, name: str, selection: Selection = EVERYTHING) -> Image:
    """Decode the bytes of an image file.

    Parameters
    ----------
    data : bytes
    name : str
        The file's name: it stands in the error, and its suffix in a note when it disagrees with the content.
    selection : Selection
        As in `read_image`.

    Raises
    ------
    ImageError
        As `read_image`.
    """
    if not data:
        raise ImageError(name, "the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = PurePath(name)
            suffix = path.suffix.lower()
            raster = _decode(data, path.name, suffix, selection)
            pixels = _checked(raster.pixels)
    except Refused as error:
        raise ImageError(name, str(error)) from error
    except PIL.UnidentifiedImageError as error:
        raise ImageError(name, "cannot be decoded: its header is damaged") from error
    except _DECODER_ERRORS as error:
        raise ImageError(name, f"cannot be decoded: {_words(error)}") from error
    notes = raster.notes
    said = SUFFIXES.get(suffix)
    if said is not None and said != raster.file_format:
        notes = (f"named {suffix}, but it is a {raster.file_format} file", *notes)
    return Image(pixels, raster.bits, raster.file_format, raster.compression, notes, raster.metadata)


def _words(error: BaseException) -> str:
    """What a decoder said, in one line; it may have said nothing."""
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        said = f"{NO_MEMORY}: {said}" if said else NO_MEMORY
    return (said or type(error).__name__)[:300]


def _decode(data: bytes, name: str, suffix: str, selection: Selection) -> Raster:
    preview = only_a_preview(suffix)
    if preview:
        raise Refused(preview)
    found = told_format(data, suffix)
    if found is None:
        raise Refused(named_format(data, suffix) or none_of_them())
    return found.read(data, selection, name)


def _checked(pixels: NDArray[Any]) -> NDArray[Any]:
    """Pixels with at least one value, all of them finite; grey when all channels are equal."""
    if pixels.size == 0:
        raise Refused("holds no pixels")
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise Refused("holds values that are not finite (NaN or infinity)")
    return grey_if_equal(pixels)
