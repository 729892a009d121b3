"""One file to what the program keeps of it: hashes, the network input, and what was learnt while decoding."""

import contextlib
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graticule.errors import ImageError
from graticule.files import read_regular
from graticule.formats.instrument.metadata import merged
from graticule.formats.instrument.sidecar import MAX_BYTES, sidecar_file, sidecar_metadata
from graticule.images.beyond import Shares, outside_window
from graticule.images.facts import facts_of
from graticule.images.image import Image, decode_image, read_file
from graticule.images.intensity import IntensityError
from graticule.images.preprocess import Preprocessing, fit, picture_of

# of red, green and blue (ITU-R BT.601)
_LUMINANCE = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class ImageFile:
    """A file to decode, with what its table says of it.

    Attributes
    ----------
    path : Path
    pixel_size_nm : float or None
        From the table; None: as the instrument wrote it.
    """

    path: Path
    pixel_size_nm: float | None = None


@dataclass(frozen=True)
class Decoded:
    """One file after decoding: either pixels or an error.

    Attributes
    ----------
    sha256, pixel_sha256 : str
        Hash of the file's bytes and of the decoded pixels; empty where there are none. The second is a fact.
    width, height : int
        Size as stored, pixels; 0 when unreadable.
    mode : str
        Such as "grey, 8 bit".
    pixels : uint8 array, shape (size, size, 3), or None
        The network input.
    error : str
        Why the file cannot be read, or "".
    beyond : str
        The reason for a decision on an unreadable file whose values lie beyond the model's window, or "".
    outside : tuple of two float
        Shares of the values below and above the window that is read, see `graticule.images.beyond.outside_window`.
    facts : bytes
        `graticule.images.facts.Facts.to_bytes`; empty when unreadable, or when facts were not asked for.
    key : str
        `content_hash`: under it the features are cached. A fact.
    pixel_size_nm : float or None
        Side of a pixel on the specimen: the table's, else as the instrument wrote it; known of new files only.
    orientation : float32 array, shape (d,), or None
        `graticule.directions.features` of the picture as it is shown, where they were asked for.
    """

    sha256: str = ""
    pixel_sha256: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    pixels: NDArray[np.uint8] | None = None
    error: str = ""
    beyond: str = ""
    outside: Shares = (0.0, 0.0)
    facts: bytes = b""
    key: str = ""
    pixel_size_nm: float | None = None
    orientation: NDArray[np.float32] | None = None


def content_hash(data: bytes, file: ImageFile, preprocessing: Preprocessing) -> str:
    """Key of a file's features: the hash of its bytes, and of what else decides its network input.

    That is the instrument's text file beside it, and with a physical scale the pixel size of the table.
    """
    sidecar = sidecar_file(file.path)
    beside = b""
    if sidecar is not None:
        with contextlib.suppress(OSError):
            beside = read_regular(sidecar, MAX_BYTES)
    if preprocessing.scale_nm is not None:
        beside += repr(file.pixel_size_nm).encode()
    return hashlib.sha256(data + beside).hexdigest()


def decode_file(
    file: ImageFile, preprocessing: Preprocessing, *, facts: bool = True, orientation: bool = False
) -> Decoded:
    """Read, hash and prepare one file; an unreadable one gives a `Decoded` with its error.

    Parameters
    ----------
    file : ImageFile
    preprocessing : Preprocessing
    facts : bool
        Whether what is kept with features in the cache is measured too; scores do without, and a small image then
        costs less than half.
    orientation : bool
        Whether orientation statistics are measured.
    """
    sha = ""
    try:
        data = read_file(file.path)
        sha = hashlib.sha256(data).hexdigest()
        image = with_sidecar(decode_image(data, str(file.path), preprocessing.selection), file.path)
        picture = picture_of(image, preprocessing)
        pixels = fit(picture.shown, preprocessing, _pixel_size(file, image, preprocessing))
    except ImageError as error:
        return Decoded(sha256=sha, error=error.cause)
    except IntensityError as error:
        return Decoded(sha256=sha, error=str(error), beyond=error.beyond)
    decoded = Decoded(
        sha256=sha,
        width=image.width,
        height=image.height,
        mode=image.mode,
        pixels=pixels,
        outside=outside_window(image, preprocessing.intensity),
        pixel_size_nm=file.pixel_size_nm or image.metadata.pixel_size_nm,
        orientation=_orientation(picture.shown) if orientation else None,
    )
    if not facts:
        return decoded
    return replace(
        decoded,
        pixel_sha256=image.digest(),
        facts=facts_of(image, picture, decoded.outside).to_bytes(),
        key=content_hash(data, file, preprocessing),
    )


def _orientation(shown: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Orientation statistics of a picture without its info bar, in its own pixels."""
    from graticule.directions.features import orientation_features  # loads SciPy, which most workers do without

    return orientation_features(_grey(shown)).astype(np.float32)


def _grey(shown: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (shown if shown.ndim == 2 else shown @ np.array(_LUMINANCE)).astype(np.float32)


def grey_shown(file: ImageFile, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """What orientation statistics are measured on, shape (h, w): brightness of the picture in its own pixels.

    Raises
    ------
    ImageError
        When the file cannot be read, or not by this preprocessing.
    """
    try:
        image = decode_image(read_file(file.path), str(file.path), preprocessing.selection)
        return _grey(picture_of(with_sidecar(image, file.path), preprocessing).shown)
    except IntensityError as error:
        raise ImageError(str(file.path), str(error)) from error


def with_sidecar(image: Image, file: Path) -> Image:
    """The image with what the instrument's text file beside it says; the image file itself wins."""
    beside = sidecar_metadata(file, (image.height, image.width))
    return image if beside is None else replace(image, metadata=merged(image.metadata, beside))


def _pixel_size(file: ImageFile, image: Image, preprocessing: Preprocessing) -> float | None:
    """Pixel size on the specimen, nm: the table's, else the instrument's; needed only for a physical scale."""
    size = file.pixel_size_nm or image.metadata.pixel_size_nm
    if size is None and preprocessing.scale_nm is not None:
        raise ImageError(
            str(file.path),
            "its pixel size is not known, and --scale physical needs it: add the column pixel_size_nm to the table",
        )
    return size
