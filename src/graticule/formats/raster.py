"""What the reader of a format hands over, and the limits that every reader keeps before it decodes."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from graticule.formats.instrument.metadata import Metadata

MAX_PIXELS = 178_956_970  # where Pillow refuses too
MAX_BYTES = 2**30  # of decoded pixels
NO_METADATA = Metadata()


class Refused(ValueError):
    """A file is refused; the message is the cause, told to the user as it stands."""


@dataclass(frozen=True)
class Raster:
    """A picture as a format's reader found it.

    Attributes
    ----------
    pixels : array, shape (height, width) or (height, width, 3)
        Upright, black is 0, transparent parts on white.
    bits : int
        Significant bits per sample, 1 to 64.
    file_format : str
        Such as "PNG".
    compression : str
        Such as "LZW"; "" where it is not known.
    notes : tuple of str
        What the user should know: rules applied, faults passed over.
    metadata : Metadata
        What an instrument wrote.
    frames : int
        How many pictures the file holds, of which this is the first; 1 also where the reader was told which to take.
    """

    pixels: NDArray[Any]
    bits: int
    file_format: str
    compression: str = ""
    notes: tuple[str, ...] = ()
    metadata: Metadata = NO_METADATA
    frames: int = 1


def check_size(height: int, width: int, bytes_per_pixel: int) -> None:
    """`Refused` for a picture that is empty, has more than `MAX_PIXELS` or would take more than `MAX_BYTES` decoded."""
    if height < 1 or width < 1:
        raise Refused(f"holds no pixels ({width} x {height})")
    if height * width > MAX_PIXELS:
        raise Refused(f"{width} x {height} pixels are more than the {MAX_PIXELS:,} allowed")
    if height * width * bytes_per_pixel > MAX_BYTES:
        size = height * width * bytes_per_pixel / 2**30
        raise Refused(f"{width} x {height} pixels would take {size:.1f} GiB of memory; allowed: {MAX_BYTES / 2**30:g}")
