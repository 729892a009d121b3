"""How deep the values of a TIFF file are, told by the tags of its pages alone."""

import struct
from typing import BinaryIO, Literal

from graticule.formats.format import EIGHT_BITS

_MOST_PAGES = 64
_MOST_TAGS = 512
_BITS, _SAMPLE_FORMAT, _SUB_IFDS = 258, 339, 330
_WIDTHS = {3: 2, 4: 4, 13: 4, 16: 8, 18: 8}  # bytes of a value by the type of its tag
_ENDS: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}


def depth_by_tags(stream: BinaryIO, head: bytes) -> str:
    """The depth where all pages agree, those below others too: "8 bit", or bits and kind as "TIFF 16 1"; else ""."""
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
