"""BMP of Windows and OS/2: palettes of 1 to 8 bits, 16, 24 and 32 bits with any masks, run-length codes.

Written for this program: Pillow lacks 2-bit palettes and some masks, and takes the unused byte of 32 bits for
transparency in some files. Layout as in Microsoft's BITMAPINFOHEADER to BITMAPV5HEADER and IBM's BITMAPINFOHEADER2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.formats.colour import flatten_alpha
from graticule.formats.raster import Raster, Refused, check_size

_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_RGB, _RLE8, _RLE4, _MASKS, _ALPHA_MASKS = 0, 1, 2, 3, 6
_DEFAULT_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, ...]
    palette: NDArray[np.uint8]
    start: int


def read_bmp(data: bytes) -> Raster:
    """The picture of a BMP file. Pixels that a run-length code skips lie on white.

    Raises
    ------
    Refused
        When the file is cut off, damaged or of a kind that is not supported.
    """
    header = _header(data)
    notes: tuple[str, ...] = ()
    compression = ""
    if header.compression in (_RLE8, _RLE4):
        compression = "run length"
        indices, written = _run_lengths(data, header)
        pixels = _coloured(header, indices, written)
        if not written.all():
            np.copyto(pixels, 255, where=~written[:, :, None])
            notes = ("pixels that the file skips lie on white",)
    else:
        rows = _rows(data, header)
        if header.bits <= 8:
            pixels = _coloured(header, _indices(rows, header), None)
        elif header.bits == 24:
            pixels = rows[:, : 3 * header.width].reshape(header.height, header.width, 3)[:, :, ::-1]
        else:
            pixels, notes = _masked(rows, header)
    return Raster(np.ascontiguousarray(pixels if header.top_down else pixels[::-1]), 8, "BMP", compression, notes)


def _header(data: bytes) -> _Header:
    if len(data) < 26:
        raise Refused("is cut off inside the BMP header")
    start, size = struct.unpack_from("<II", data, 10)
    if size not in _HEADERS:
        raise Refused(f"a BMP header of {size} bytes is not supported")
    if len(data) < 14 + size:
        raise Refused("is cut off inside the BMP header")
    compression = used = 0
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    if size >= 40:
        (compression,) = struct.unpack_from("<I", data, 30)
        (used,) = struct.unpack_from("<I", data, 46)
    allowed = {_RGB: (1, 2, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,), _MASKS: (16, 32), _ALPHA_MASKS: (16, 32)}
    if bits not in allowed.get(compression, ()) or (size == 64 and compression not in (_RGB, _RLE8, _RLE4)):
        raise Refused(f"a BMP of {bits} bits with compression {compression} is not supported")
    top_down, height = height < 0, abs(height)
    check_size(max(height, 0), max(width, 0), 10)  # with masks and indices
    if top_down and compression in (_RLE8, _RLE4):
        raise Refused("is damaged: a run-length coded BMP cannot be stored from the top")
    end = 14 + size
    masks = _DEFAULT_MASKS.get(bits, ())
    if compression in (_MASKS, _ALPHA_MASKS):
        count = 4 if compression == _ALPHA_MASKS or size >= 56 else 3
        end = max(end, 54 + 4 * count)
        if len(data) < end:
            raise Refused("is cut off inside the BMP header")
        masks = (*struct.unpack_from(f"<{count}I", data, 54), 0)[:4]
        _check_masks(masks, bits)
    if not end <= start <= len(data):
        raise Refused("is damaged: its BMP pixels do not start after the header")
    palette = _palette(data, end, start, size, bits, used)
    return _Header(width, height, top_down, bits, compression, masks, palette, start)


def _check_masks(masks: tuple[int, ...], bits: int) -> None:
    taken = 0
    for mask in masks:
        run = mask >> ((mask & -mask).bit_length() - 1) if mask else 0
        if run & (run + 1) or mask >= 2**bits or mask & taken:
            raise Refused("is damaged: its BMP colour masks overlap or have gaps")
        taken |= mask
    if not any(masks[:3]):
        raise Refused("is damaged: its BMP colour masks are empty")


def _palette(data: bytes, end: int, start: int, size: int, bits: int, used: int) -> NDArray[np.uint8]:
    """Colours, uint8 of shape (n, 3), RGB; none above 8 bits."""
    if bits > 8:
        return np.empty((0, 3), np.uint8)
    step = 3 if size == 12 else 4
    count = min(used or 2**bits, 2**bits, (start - end) // step)
    if count < 1:
        raise Refused("is damaged: its BMP palette is missing")
    entries = np.frombuffer(data, np.uint8, count * step, end).reshape(count, step)
    return entries[:, 2::-1].copy()


def _rows(data: bytes, header: _Header) -> NDArray[np.uint8]:
    """Stored rows, uint8 of shape (height, stride); the filling of the last row may be missing."""
    needed = (header.width * header.bits + 7) // 8
    stride = (header.width * header.bits + 31) // 32 * 4
    body = data[header.start : header.start + stride * header.height]
    if len(body) < stride * (header.height - 1) + needed:
        raise Refused("is cut off: rows of the BMP are missing")
    return np.frombuffer(body.ljust(stride * header.height, b"\0"), np.uint8).reshape(header.height, stride)


def _indices(rows: NDArray[np.uint8], header: _Header) -> NDArray[np.uint8]:
    bits = header.bits
    if bits == 8:
        return rows[:, : header.width]
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    spread = (rows[:, :, None] >> shifts) & np.uint8(2**bits - 1)
    return spread.reshape(header.height, -1)[:, : header.width]


def _coloured(header: _Header, indices: NDArray[np.uint8], written: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    largest = int((indices if written is None else indices * written).max())
    if largest >= len(header.palette):
        raise Refused(f"is damaged: colour {largest} of a BMP palette of {len(header.palette)}")
    # checked above, so nothing is clipped: the mode is the one that does not check again
    colours: NDArray[np.uint8] = np.take(header.palette, indices, axis=0, mode="clip")
    return colours


def _masked(rows: NDArray[np.uint8], header: _Header) -> tuple[NDArray[Any], tuple[str, ...]]:
    kind = "<u2" if header.bits == 16 else "<u4"
    values = np.ascontiguousarray(rows).view(kind)[:, : header.width]
    layers: list[NDArray[np.uint8] | None] = []
    for mask in header.masks:
        if not mask:
            layers.append(None)
            continue
        shift = (mask & -mask).bit_length() - 1
        top = mask >> shift
        samples = (values & values.dtype.type(mask)) >> values.dtype.type(shift)
        layers.append(((samples.astype(np.uint64) * 255 + top // 2) // top).astype(np.uint8))
    blank = np.zeros((header.height, header.width), np.uint8)
    colours = [blank if layer is None else layer for layer in layers[:3]]
    alpha = layers[3]
    if alpha is None:
        return np.stack(colours, axis=2), ()
    if not alpha.any():
        return np.stack(colours, axis=2), ("transparency that hides everything was passed over",)
    return flatten_alpha(np.stack([*colours, alpha], axis=2), 255), ()


def _run_lengths(data: bytes, header: _Header) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Palette indices and which of them were written, rows from the bottom."""
    width, height, four = header.width, header.height, header.compression == _RLE4
    canvas, mask = bytearray(width * height), bytearray(width * height)
    position, column, row = header.start, 0, 0
    while True:
        if position + 2 > len(data):
            raise Refused("is cut off: the BMP run-length code has no end")
        count, value = data[position], data[position + 1]
        position += 2
        if count:
            run = bytes((value >> 4, value & 15)) * ((count + 1) // 2) if four else bytes((value,)) * count
            run = run[:count]
        elif value == 0:
            column, row = 0, row + 1
            continue
        elif value == 1:
            break
        elif value == 2:
            if position + 2 > len(data):
                raise Refused("is cut off: the BMP run-length code has no end")
            column, row = column + data[position], row + data[position + 1]
            position += 2
            continue
        else:
            length = (value + 1) // 2 if four else value
            raw = data[position : position + length]
            position += length + (length & 1)
            run = bytes(part for byte in raw for part in (byte >> 4, byte & 15))[:value] if four else raw
            if len(run) < value:
                raise Refused("is cut off inside a BMP run")
        if row >= height:
            raise Refused("is damaged: a BMP run leaves the picture")
        run = run[: max(0, width - column)]  # some writers fill a row up
        place = row * width + column
        canvas[place : place + len(run)] = run
        mask[place : place + len(run)] = b"\1" * len(run)
        column += len(run)
    shape = (height, width)
    return np.frombuffer(canvas, np.uint8).reshape(shape), np.frombuffer(mask, np.bool_).reshape(shape)
