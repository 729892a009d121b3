"""One row per image format: how it is told, what its files are called, and what reads it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from graticule.formats.colour import choose_channels
from graticule.formats.raster import Raster, Refused
from graticule.formats.selection import Selection

EIGHT_BITS = "8 bit"


def always_eight(stream: BinaryIO, head: bytes) -> str:
    """The depth of a format that has no other than 8 bits."""
    return EIGHT_BITS


def not_told(stream: BinaryIO, head: bytes) -> str:
    """The depth of a format whose header does not tell it."""
    return ""


@dataclass(frozen=True)
class Format:
    """An image format that is read.

    Attributes
    ----------
    name : str
        For people, and the `file_format` of its images: "PNG".
    suffixes : tuple of str
        What its files are called, lower case, with the dot; the name decides nothing, but is noted where it is wrong.
    words : str
        What is read of it.
    read : callable (data, selection, file's name) -> Raster
        The picture that the selection chooses; raises `Refused`.
    starts : tuple of bytes
        A file begins with one of them.
    test : callable (data, suffix) -> bool, optional
        Asked in place of `starts`. The first 160 bytes are enough for it, and it may take them for a whole file.
    depth : callable (stream, its first bytes) -> str
        `EIGHT_BITS` where the header says so, a stable name of another depth such as "TIFF 16 1", "" where the file
        must be looked at. May raise what `depth.told_depth` takes for "".
    """

    name: str
    suffixes: tuple[str, ...]
    words: str
    read: Callable[[bytes, Selection, str], Raster]
    starts: tuple[bytes, ...] = ()
    test: Callable[[bytes, str], bool] | None = None
    depth: Callable[[BinaryIO, bytes], str] = not_told

    def holds(self, data: bytes, suffix: str) -> bool:
        """Whether bytes are a file of this format."""
        return data.startswith(self.starts) if self.test is None else self.test(data, suffix)


def one_picture(name: str, read: Callable[[bytes], Raster]) -> Callable[[bytes, Selection, str], Raster]:
    """The reader of a format of which one picture is read: an option that it cannot follow is refused.

    Parameters
    ----------
    name : str
        Of the format.
    read : callable
        From the bytes of a file to its first picture.
    """

    def chosen(data: bytes, selection: Selection, _: str) -> Raster:
        if selection.z not in (None, 0, "max"):
            raise Refused("holds one plane; allowed: --z 0 or max")
        if selection.page not in (None, 0):
            raise Refused(f"one page of a {name} file can be read; allowed: --page 0")
        raster = read(data)
        if raster.frames > 1 and selection.z == "max" and selection.page is None:
            raise Refused(
                f"holds {raster.frames} pictures, of which the first alone can be read: --z max cannot be followed; "
                "allowed: --z 0, or the pictures as files of their own"
            )
        return replace(raster, pixels=choose_channels(raster.pixels, selection.channel))

    return chosen
