"""JPEG (ITU-T T.81): the first picture of the file, complete or refused.

Decoders fill what is missing with grey and say nothing. So the stream is taken apart first: markers that matter are
kept, the others (EXIF, profiles, further pictures, comments) cannot harm, and what is missing is found.
"""

import io
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from graticule.formats.colour import choose_channels, inks_to_rgb, scale_to_byte, upright
from graticule.formats.exif import exif_orientation
from graticule.formats.format import EIGHT_BITS, Format, one_picture
from graticule.formats.raster import Raster, Refused, check_size

# each starts with one certain byte, which is searched for 30 times faster than a repeated one
_ANY_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_PROGRESSIVE = (0xC2, 0xCA)
_HUFFMAN = (0xC0, 0xC1, 0xC2)
_ARITHMETIC = (0xC9, 0xCA)
_LOSSLESS = 0xC3
_KEPT = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDD, 0xE0, 0xEE}
_NAMES = {0xC0: "baseline", 0xC1: "sequential", 0xC2: "progressive", 0xC3: "lossless", 0xC9: "arithmetic"}
_MAX_SCANS = 500
_MAX_WORK = 5_000_000_000  # pixels times scans
_EOI = b"\xff\xd9"
_MOST_SEGMENTS = 200  # before the frame, where the depth alone is asked for


@dataclass
class _Stream:
    """What the markers of a picture say, and the stream without those that do not matter."""

    parts: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: int = 0
    precision: int = 0
    height: int = 0
    width: int = 0
    factors: tuple[tuple[int, int, int], ...] = ()  # component, horizontal and vertical sampling
    adobe: int | None = None  # the colour transform that Adobe's segment names
    jfif: bool = False
    exif: bytes = b""
    pictures: int = 1
    restart_interval: int = 0
    restarts: int = 0
    scan_bytes: int = 0
    scans: list[tuple[bytes, int, int, int]] = field(default_factory=list)  # components, first, last, low bit
    end: int = 0


def read_jpeg(data: bytes) -> Raster:
    """The first picture of a JPEG file.

    Adobe CMYK is stored inverted and turned back; CMYK becomes RGB by `inks_to_rgb`. 9 to 16 bits are kept.

    Raises
    ------
    Refused
        When the picture is not all there, too large or of a kind that is not supported.
    """
    stream = _parse(data)
    _check(stream)
    orientation, notes = exif_orientation(stream.exif)
    if stream.pictures > 1:
        notes += (f"first of {stream.pictures} pictures (MPO)",)
    pixels = _complete(stream, _samples)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        top = 2**stream.precision - 1
        pixels = inks_to_rgb(top - pixels if stream.adobe is not None else pixels, top)
    elif pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = choose_channels(pixels, (0,))
    compression = "JPEG, " + _NAMES.get(stream.frame, f"process {stream.frame - 0xC0}")
    if stream.precision < 8:
        pixels = scale_to_byte(pixels, stream.precision)
    upper = upright(pixels, orientation)
    return Raster(upper, max(8, stream.precision), "JPEG", compression, notes, frames=max(1, stream.pictures))


@dataclass(frozen=True)
class StoredJpeg:
    """The samples of a JPEG stream as they are stored, without any change of colour.

    Attributes
    ----------
    samples : uint8 or uint16 array, shape (height, width) or (height, width, 3)
    precision : int
        Bits per sample that the stream declares, 2 to 16.
    lossless : bool
    colour : str
        What the stream itself says three components are: "RGB", "YCbCr", or "" where it does not say.
    subsampled : bool
        Whether the components differ in size, as only luminance and chrominance do.
    """

    samples: NDArray[Any]
    precision: int
    lossless: bool
    colour: str
    subsampled: bool


def stored_jpeg(data: bytes, height: int, width: int, components: int) -> StoredJpeg:
    """The samples of a JPEG stream that a container declares to be of a certain shape.

    Parameters
    ----------
    data : bytes
    height, width, components : int
        1 or 3 components.

    Raises
    ------
    Refused
        When the stream is of another shape, not all there or of a kind that is not supported.
    """
    stream = _parse(data)
    found = (stream.height, stream.width, len(stream.factors))
    if found != (height, width, components):
        raise Refused(
            f"is damaged: a JPEG stream holds {_shape(*found)}, declared is {_shape(height, width, components)}"
        )
    _check(stream)
    samples = _complete(stream, _raw_samples)
    lossless = stream.frame == _LOSSLESS
    return StoredJpeg(samples, stream.precision, lossless, _said_colour(stream), len(set(_sampling(stream))) > 1)


def _shape(height: int, width: int, components: int) -> str:
    return f"{width} x {height} of {components} components"


def _sampling(stream: _Stream) -> list[tuple[int, int]]:
    return [(horizontal, vertical) for _, horizontal, vertical in stream.factors]


def _said_colour(stream: _Stream) -> str:
    """Colour model by the stream's own marks, in the order of trust of libjpeg: JFIF, Adobe, names of components."""
    if len(stream.factors) != 3:
        return ""
    if stream.jfif or stream.adobe == 1:
        return "YCbCr"
    if stream.frame == _LOSSLESS:
        return ""  # a lossless coder transforms nothing: that it says so tells nothing of what went in
    names = bytes(component for component, _, _ in stream.factors)
    return "RGB" if stream.adobe == 0 or names in (b"RGB", b"rgb") else ""


def _parse(data: bytes) -> _Stream:
    stream, position = _Stream(), 2
    while True:
        found = _ANY_MARKER.search(data, position)
        if found is None:
            raise Refused("is cut off: the JPEG stream has no end marker")
        marker, position = found[1][0], found.end()
        if marker == 0xD9:
            stream.end = position
            return stream
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        if marker == 0xD8:
            raise Refused("is damaged: a second picture starts inside the JPEG stream")
        if position + 2 > len(data):
            raise Refused("is cut off inside a JPEG segment")
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2 or position + length > len(data):
            raise Refused("is cut off inside a JPEG segment")
        body = data[position + 2 : position + length]
        segment = bytes([0xFF, marker]) + data[position : position + length]
        position += length
        if marker == 0xDA:
            position = _take_scan(stream, data, segment, body, position)
        else:
            _take_segment(stream, marker, segment, body)


def _take_scan(stream: _Stream, data: bytes, segment: bytes, body: bytes, position: int) -> int:
    end = _SCAN_END.search(data, position)
    if end is None:
        raise Refused("is cut off: the JPEG stream has no end marker")
    n = body[0] if body else 0
    if n < 1 or len(body) < 4 + 2 * n:
        raise Refused("is damaged: a JPEG scan header is too short")
    scan = data[position : end.start()].rstrip(b"\xff")  # more bytes FF may fill up to a marker
    stream.parts += [segment, scan]
    stream.scan_bytes += len(scan)
    stream.restarts += len(_RESTART.findall(scan)) if stream.restart_interval else 0
    stream.scans.append((body[1 : 1 + 2 * n : 2], body[1 + 2 * n], body[2 + 2 * n], body[3 + 2 * n] & 15))
    if len(stream.scans) > _MAX_SCANS:
        raise Refused(f"holds more than {_MAX_SCANS} JPEG scans")
    return end.start()


def _take_segment(stream: _Stream, marker: int, segment: bytes, body: bytes) -> None:
    if marker in _KEPT:
        stream.parts.append(segment)
    if marker in _FRAMES:
        if stream.frame or len(body) < 6 or len(body) < 6 + 3 * body[5]:
            raise Refused("is damaged: its JPEG frame header is too short or comes twice")
        stream.frame, stream.precision = marker, body[0]
        stream.height, stream.width = struct.unpack_from(">HH", body, 1)
        stream.factors = tuple((body[i], body[i + 1] >> 4, body[i + 1] & 15) for i in range(6, 6 + 3 * body[5], 3))
    elif marker == 0xDC:
        raise Refused("its height is given after the picture (DNL), which is not supported")
    elif marker == 0xDD and len(body) >= 2:
        (stream.restart_interval,) = struct.unpack_from(">H", body)
    elif marker == 0xEE and body.startswith(b"Adobe"):
        stream.adobe = body[11] if len(body) > 11 else 0
    elif marker == 0xE0 and body.startswith(b"JFIF\0"):
        stream.jfif = True
    elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
        stream.exif += body[6:] if stream.exif else body
    elif marker == 0xE2 and body.startswith(b"MPF\0"):
        stream.pictures = max(stream.pictures, _pictures(body[4:]))


def _pictures(index: bytes) -> int:
    """Number of pictures that a multi-picture index (CIPA DC-007) declares; 1 where it cannot be read."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(index[:4])
    if order is None or len(index) < 10:
        return 1
    (start,) = struct.unpack_from(f"{order}I", index, 4)
    if start + 2 > len(index):
        return 1
    (count,) = struct.unpack_from(f"{order}H", index, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(index) - 11), 12):
        tag, _, _, value = struct.unpack_from(f"{order}HHII", index, entry)
        if tag == 0xB001:
            return int(value)
    return 1


def _check(stream: _Stream) -> None:
    """Refuse what is too large, not supported, or visibly not all there."""
    if not stream.frame or not stream.scans:
        raise Refused("is damaged: the JPEG stream holds no picture")
    channels = len(stream.factors)
    if channels not in (1, 3, 4):
        raise Refused(f"{channels} JPEG components are not supported; allowed: 1, 3 or 4")
    progressive = stream.frame in _PROGRESSIVE
    # Pillow's picture and two copies; coefficients of 16 bits in all scans but a single one
    working = {1: 3, 3: 10, 4: 12}[channels] * (1 if stream.precision <= 8 else 2)
    check_size(stream.height, stream.width, working + (2 * channels if progressive or len(stream.scans) > 1 else 0))
    area = stream.height * stream.width
    if area * len(stream.scans) > _MAX_WORK:
        raise Refused(f"{len(stream.scans)} scans of {area:,} pixels would take too long to decode")
    # one code for the mean and one for the end of block, of at least one bit each, in every block of 8 x 8
    if stream.frame in (0xC0, 0xC1) and 8 * stream.scan_bytes < 2 * (area // 64):
        raise Refused("is cut off: the JPEG stream is too short for its size")
    if progressive:
        depth = {component: [-1] * 64 for component, _, _ in stream.factors}
        for components, first, last, low in stream.scans:
            for component in components:
                if component in depth:
                    depth[component][first : last + 1] = [low] * len(depth[component][first : last + 1])
        if any(level != 0 for levels in depth.values() for level in levels):
            raise Refused("is cut off: scans of the progressive JPEG are missing")
    elif stream.restart_interval and len(stream.scans) == 1 and all(h and v for _, h, v in stream.factors):
        wide, high = (8 * max(factor[i] for factor in stream.factors) for i in (1, 2))
        if channels == 1:
            wide = high = 8
        units = math.ceil(stream.width / wide) * math.ceil(stream.height / high)
        if stream.frame != 0xC3 and stream.restarts < math.ceil(units / stream.restart_interval) - 1:
            raise Refused("is cut off: restart intervals of the JPEG are missing")


def _complete(stream: _Stream, decode: Callable[[_Stream, bytes], NDArray[Any]]) -> NDArray[Any]:
    """What a decoder makes of the stream, after it is known that no data are missing."""
    whole = b"".join([*stream.parts, _EOI])
    pixels = decode(stream, whole)
    if pixels.shape[:2] != (stream.height, stream.width):
        raise Refused("is damaged: the decoded size is not the declared one")
    # where data ran out a decoder shows middle grey, repeats its prediction (lossless), or in later scans leaves the
    # picture coarse: what follows the data then changes the picture, and only then
    last = pixels[-1, -1].astype(np.int64)
    grey = bool(np.all(np.abs(last - 2 ** (stream.precision - 1)) <= 1))
    repeated = stream.frame == _LOSSLESS and bool(np.all(pixels[-1, -2:] == pixels[-1, -1]))
    if len(stream.scans) > 1 or grey or repeated:
        padded = b"".join([*stream.parts, b"\x55" * 64, _EOI])
        if not np.array_equal(pixels, decode(stream, padded)):
            raise Refused("is cut off: data of the last JPEG scan are missing")
    return pixels


def _samples(stream: _Stream, data: bytes) -> NDArray[Any]:
    """Decoded samples, shape (height, width[, 3 or 4]); inks as stored.

    Pillow and imagecodecs both decode with libjpeg-turbo and give equal values; the second hands them over with one
    copy less.
    """
    inks = len(stream.factors) == 4
    if stream.precision == 8 and (stream.frame in _ARITHMETIC or (inks and stream.frame in _HUFFMAN)):
        with PIL.Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            pixels = np.array(image)
            return np.asarray(255 - pixels) if image.mode == "CMYK" else pixels  # Pillow inverts all of them
    return np.asarray(imagecodecs.jpeg_decode(data))


def _raw_samples(stream: _Stream, data: bytes) -> NDArray[Any]:
    """Decoded samples without a change of colour, shape (height, width[, 3])."""
    colour = "YCBCR" if len(stream.factors) == 3 else None  # in and out alike: nothing is converted
    return np.asarray(imagecodecs.jpeg8_decode(data, colorspace=colour, outcolorspace=colour))


def _told_depth(stream: BinaryIO, head: bytes) -> str:
    """Bits per sample of the first frame."""
    stream.seek(2)
    for _ in range(_MOST_SEGMENTS):
        mark, code = struct.unpack(">BB", stream.read(2))
        while code == 0xFF:  # fill bytes
            code = stream.read(1)[0] if mark == 0xFF else 0
        if mark != 0xFF:
            return ""
        (length,) = struct.unpack(">H", stream.read(2))
        if code in _FRAMES:
            bits = stream.read(1)
            return EIGHT_BITS if bits == b"\x08" else f"JPEG {bits.hex()}"
        stream.seek(length - 2, 1)
    return ""


FORMAT = Format(
    "JPEG",
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "grey, RGB, CMYK (Adobe's inverted inks turned back), 8 to 16 bits; of a multi-picture file the first",
    one_picture("JPEG", read_jpeg),
    starts=(b"\xff\xd8\xff",),
    depth=_told_depth,
)
