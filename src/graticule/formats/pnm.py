"""The PNM family: PBM, PGM and PPM, plain (ASCII) and raw, of 1 to 16 bits, and PFM of fractional numbers.

Written for this program: Pillow scales 12 bits to 16 and takes what is missing of a plain file for the end. Layout as
in the manuals of Netpbm (https://netpbm.sourceforge.net/doc/pgm.html and its neighbours) and, for PFM, Paul Debevec's.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.formats.colour import scale_to_byte
from graticule.formats.format import Format, one_picture
from graticule.formats.raster import Raster, Refused, check_size

_START = re.compile(rb"P(?:[1-6](?=[\s#])|[Ff]\s+\d)")
_MARK = re.compile(rb"P[1-6Ff]")
# one number of a header, after white space and comments; the white space between numbers may not be missing
_NUMBER = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])+([-+.\deE]{1,40})(?=[\s#])")
_COMMENT = re.compile(rb"#[^\r\n]*")
_SPACE, _DIGITS = b" \t\r\n\v\f", b"0123456789"
_NAMES = {b"1": "PBM", b"2": "PGM", b"3": "PPM", b"4": "PBM", b"5": "PGM", b"6": "PPM", b"F": "PFM", b"f": "PFM"}
_MOST_FRAMES = 100_000
_MOST_DIGITS = 12


@dataclass(frozen=True)
class _Header:
    """What comes before the samples.

    Attributes
    ----------
    kind : bytes
        The second letter of the file: 1 to 6, F or f.
    width, height : int
    top : float
        The largest value (white); of a PFM file its scale, below 0 for little-endian.
    start : int
        First byte of the samples.
    """

    kind: bytes
    width: int
    height: int
    top: float
    start: int

    @property
    def name(self) -> str:
        """Such as "PGM"."""
        return _NAMES[self.kind]

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 3 if self.kind in b"36F" else 1

    @property
    def raw_bytes(self) -> int:
        """Bytes of the samples of a raw file."""
        if self.kind == b"4":
            return (self.width + 7) // 8 * self.height
        width = 4 if self.name == "PFM" else 1 if self.top < 256 else 2
        return self.width * self.height * self.channels * width


def read_pnm(data: bytes) -> Raster:
    """The first picture of a file of the PNM family.

    Values stay as they are where the largest is 255 or more; smaller ranges are scaled to 8 bits. 1 of a PBM is black.
    PFM values are multiplied by the size of the file's scale.

    Raises
    ------
    Refused
        When the file is cut off, too large, or holds what its header does not allow.
    """
    header = _header(data, 0)
    plain = header.kind in b"123"
    # in a plain file with the places where numbers begin and end
    check_size(header.height, header.width, header.channels * (32 if plain else 12))
    values = _plain(data, header) if plain else _raw(data, header)
    frames, notes = (1, ()) if plain else _what_follows(data, header.start + header.raw_bytes)
    if header.name == "PFM":
        return _fractional(values, header, frames, notes)
    pixels, bits, more = _to_bits(values, int(header.top))
    if header.name == "PBM":
        pixels = np.asarray(255 - pixels)
    return Raster(pixels, bits, "PNM", "plain" if plain else "", (*notes, *more), frames=frames)


def _header(data: bytes, at: int) -> _Header:
    mark = _MARK.match(data, at)
    if mark is None:
        raise Refused("is damaged: its PNM header is missing")
    kind, position, numbers = mark[0][1:], mark.end(), []
    count = 2 if kind in b"14" else 3
    for _ in range(count):
        found = _NUMBER.match(data, position)
        if found is None:
            raise Refused("is cut off or damaged inside the PNM header")
        numbers.append(found[1])
        position = found.end()
    try:
        width, height = int(numbers[0]), int(numbers[1])
        top = 1.0 if kind in b"14" else float(numbers[2]) if kind in b"Ff" else float(int(numbers[2]))
    except ValueError as error:
        raise Refused("is damaged: its PNM header holds what is no number") from error
    if kind in b"Ff":
        if not (top and np.isfinite(top)):
            raise Refused("is damaged: the scale of the PFM file is 0 or no number")
    elif not 1 <= top <= 65535:
        raise Refused(f"is damaged: {top:.0f} as largest value of a PNM file; allowed: 1 to 65535")
    return _Header(kind, width, height, top, position + 1)


def _raw(data: bytes, header: _Header) -> NDArray[Any]:
    """Samples of a raw file, shape (height, width) or (height, width, 3)."""
    body = data[header.start : header.start + header.raw_bytes]
    if len(body) < header.raw_bytes:
        raise Refused(f"is cut off: rows of the {header.name} file are missing")
    shape = (header.height, header.width, 3) if header.channels == 3 else (header.height, header.width)
    if header.kind == b"4":
        rows = np.frombuffer(body, np.uint8).reshape(header.height, -1)
        return np.unpackbits(rows, axis=1, count=header.width)
    if header.name == "PFM":
        kind = "<f4" if header.top < 0 else ">f4"
        return np.frombuffer(body, kind).reshape(shape)[::-1].astype(np.float32)  # rows from the bottom
    kind = "u1" if header.top < 256 else ">u2"
    samples = np.frombuffer(body, kind).reshape(shape)
    return samples.astype(samples.dtype.newbyteorder("="))


def _plain(data: bytes, header: _Header) -> NDArray[Any]:
    """Samples written as decimal numbers."""
    text = _COMMENT.sub(b" ", data[header.start - 1 :])
    needed = header.width * header.height * header.channels
    shape = (header.height, header.width, 3) if header.channels == 3 else (header.height, header.width)
    if text.translate(None, _SPACE + (b"01" if header.kind == b"1" else _DIGITS)):
        raise Refused(f"is damaged: the {header.name} file holds what is no number")
    values: NDArray[Any]
    if header.kind == b"1":  # digits need no space between them
        values = np.frombuffer(text.translate(None, _SPACE), np.uint8) - np.uint8(ord("0"))
    else:
        values = _numbers(text, needed, header.top)
    if len(values) < needed:
        raise Refused(f"is cut off: values of the {header.name} file are missing")
    values = values[:needed].reshape(shape)
    if values.max() > header.top:
        raise _beyond(header.top)
    return values.astype(np.uint8 if header.top < 256 else np.uint16)


def _numbers(text: bytes, needed: int, top: float) -> NDArray[np.int64]:
    """The first decimal numbers of a text of digits and white space, as many as are needed or there are.

    Not by NumPy's own reader of text, which fills up a number that is missing with whatever memory holds.
    """
    digit = np.frombuffer(b" " + text + b" ", np.uint8) >= ord("0")
    edges = np.flatnonzero(digit[1:] != digit[:-1])  # of the text: where a number begins, where it ends, ...
    first, end = edges[::2][:needed], edges[1::2][:needed]
    longest = int((end - first).max(initial=0))
    if longest > _MOST_DIGITS:
        raise _beyond(top)
    letters = np.frombuffer(text, np.uint8)
    values = np.zeros(len(first), np.int64)
    for place in range(longest):
        there = first + place < end
        values[there] = 10 * values[there] + (letters[first[there] + place] - ord("0"))
    return values


def _beyond(top: float) -> Refused:
    return Refused(f"is damaged: a value lies above the largest of {top:.0f} that its header allows")


def _what_follows(data: bytes, end: int) -> tuple[int, tuple[str, ...]]:
    """Number of pictures of a raw file, and a note on them or on bytes that are none."""
    frames = 1
    while frames < _MOST_FRAMES and _MARK.match(data, end):
        try:
            header = _header(data, end)
        except Refused:
            break
        if header.kind in b"123" or min(header.width, header.height) < 1:
            break
        end = header.start + header.raw_bytes
        if end > len(data):
            break
        frames += 1
    if frames > 1:
        return frames, (f"first of {frames} pictures",)
    rest = data[end:].strip(_SPACE)
    return 1, (f"{len(rest)} bytes follow the picture",) if rest else ()


def _to_bits(values: NDArray[Any], top: int) -> tuple[NDArray[Any], int, tuple[str, ...]]:
    """Values and their significant bits; ranges below 8 bits are scaled to them."""
    if values.max() > top:
        raise _beyond(top)
    if top == 255 or top > 255:
        bits = top.bit_length()
        notes = () if top & (top + 1) == 0 else (f"white is {top} in this file",)
        return values, bits, notes
    if top & (top + 1) == 0:
        return scale_to_byte(values, top.bit_length()), 8, ()
    table = ((np.arange(top + 1, dtype=np.uint32) * 255 + top // 2) // top).astype(np.uint8)
    return table[values], 8, (f"values of 0 to {top} were scaled to 255",)


def _fractional(values: NDArray[Any], header: _Header, frames: int, notes: tuple[str, ...]) -> Raster:
    scale = abs(header.top)
    if scale != 1:
        values = (values * np.float32(scale)).astype(np.float32)
        notes = (f"values were multiplied by the file's scale, {scale:g}", *notes)
    return Raster(values, 32, "PNM", "", notes, frames=frames)


FORMAT = Format(
    "PNM",
    (".pbm", ".pgm", ".ppm", ".pnm", ".pfm"),
    "PBM, PGM, PPM, plain and raw, 1 to 16 bits; PFM with its byte order, its values multiplied by its scale; of "
    "several pictures the first",
    one_picture("PNM", read_pnm),
    test=lambda data, _: _START.match(data) is not None,
)
