"""How deep the values of a file are, told by its first tags alone: files of 8 bits need no look at their values.

Nothing is decoded, and what a header says is only a hint: `""` means that the file must be looked at.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Literal

from graticule.errors import FileError
from graticule.files import open_regular
from graticule.formats.sniff import told_by_bytes

EIGHT_BITS = "8 bit"
_MOST_SEGMENTS = 200  # of a JPEG file before its frame
_MOST_PAGES = 64  # of a TIFF file
_MOST_TAGS = 512
_BITS, _SAMPLE_FORMAT, _SUB_IFDS = 258, 339, 330
_WIDTHS = {3: 2, 4: 4, 13: 4, 16: 8, 18: 8}  # bytes of a value by the type of its tag
_ENDS: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}
_BITS_STORED = (b"\x28\0\x01\x01US\x02\0", b"\x28\0\x01\x01\x02\0\0\0")  # with and without its type told
_DICOM_BYTES = 65536
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def told_depth(file: Path) -> str:
    """ "8 bit" where the header says so, a stable name of another depth such as "TIFF 16 1", or "" where it is silent.

    Never raises for what is in the file: a file that cannot be opened or is cut off is told when it is read.
    """
    try:
        with open_regular(file) as stream:
            head = stream.read(32)
            kind = told_by_bytes(head)
            if kind == "JPEG":
                return _of_jpeg(stream)
            if kind == "PNG":
                return "PNG 16" if head[24:25] == b"\x10" else EIGHT_BITS
            if kind == "TIFF":
                return _of_tiff(stream, head)
            if kind is None:
                return _of_dicom(head + stream.read(_DICOM_BYTES))
    except (FileError, FileNotFoundError, PermissionError):  # no file to look at: told when it is read
        return EIGHT_BITS
    except (OSError, ValueError, LookupError, struct.error):  # gone, cut off, or offsets that lead nowhere
        return ""
    return EIGHT_BITS if kind in ("BMP", "GIF", "WebP") else ""


def _of_jpeg(stream: BinaryIO) -> str:
    """Bits per sample of the first frame."""
    stream.seek(2)
    for _ in range(_MOST_SEGMENTS):
        mark, code = struct.unpack(">BB", stream.read(2))
        while code == 0xFF:  # fill bytes
            code = stream.read(1)[0] if mark == 0xFF else 0
        if mark != 0xFF:
            return ""
        (length,) = struct.unpack(">H", stream.read(2))
        if code in _START_OF_FRAME:
            bits = stream.read(1)
            return EIGHT_BITS if bits == b"\x08" else f"JPEG {bits.hex()}"
        stream.seek(length - 2, 1)
    return ""


def _of_dicom(data: bytes) -> str:
    """Bits stored; a palette may widen them, so that no file is known to be of 8."""
    for mark in _BITS_STORED:
        at = data.find(mark)
        if at >= 0:
            return f"DICOM {int.from_bytes(data[at + len(mark) :][:2], 'little')}"
    return ""


def _of_tiff(stream: BinaryIO, head: bytes) -> str:
    """Bits and kind of the samples where all pages agree, those below others too."""
    order = "<" if head.startswith(b"II") else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    open_ones = [*struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)]
    found: set[tuple[int, int]] = set()
    for _ in range(_MOST_PAGES):
        if open_ones:
            what, others = _page(stream, order, open_ones.pop(), big)
            found.add(what)
            open_ones += [offset for offset in others if offset]
    if len(found) != 1:
        return ""
    bits, kind = found.pop()
    return EIGHT_BITS if bits <= 8 and kind == 1 and not open_ones else f"TIFF {bits} {kind}"


def _page(stream: BinaryIO, order: str, offset: int, big: bool) -> tuple[tuple[int, int], list[int]]:
    """Bits and kind of the samples of one page, and where the page after it and those below it are."""
    count, entry, pointer = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    stream.seek(offset)
    (n,) = struct.unpack(order + count, stream.read(struct.calcsize(count)))
    if n > _MOST_TAGS:
        raise struct.error("too many tags")
    size = struct.calcsize(order + entry)
    body = stream.read(n * size)
    others = [*struct.unpack(order + pointer, stream.read(struct.calcsize(pointer)))]
    found = {_BITS: 1, _SAMPLE_FORMAT: 1}
    for number in range(n):
        tag, form, values, raw = struct.unpack_from(order + entry, body, number * size)
        if tag not in (_BITS, _SAMPLE_FORMAT, _SUB_IFDS):
            continue
        width = _WIDTHS[form]
        if width * values > len(raw):
            stream.seek(struct.unpack(order + pointer, raw)[0])
            raw = stream.read(width * min(values, _MOST_PAGES))
        numbers = [int.from_bytes(raw[at : at + width], _ENDS[order]) for at in range(0, len(raw), width)][:values]
        if tag == _SUB_IFDS:
            others += numbers
        else:
            found[tag] = numbers[0]
    return (found[_BITS], found[_SAMPLE_FORMAT]), others
