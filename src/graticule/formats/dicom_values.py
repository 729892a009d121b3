"""Stored samples of a DICOM frame to grey or RGB: unused bits, sign, palette, colour model (PS3.3 C.7.6.3, C.7.9).

The same for every transfer syntax, so that a compressed file gives what its uncompressed twin gives.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.formats.colour import invert, ycbcr_to_rgb
from graticule.formats.dicom_frames import FrameLayout
from graticule.formats.dicom_streams import Stored, is_jpeg_2000
from graticule.formats.raster import Refused

_GREY = ("MONOCHROME1", "MONOCHROME2")
_FULL, _PARTIAL = ("YBR_FULL", "YBR_FULL_422"), ("YBR_PARTIAL_422", "YBR_PARTIAL_420")
_OF_JPEG_2000 = ("YBR_ICT", "YBR_RCT")  # undone by its decoder
_NAMES = ("Red", "Green", "Blue")


def shown(stored: Stored, layout: FrameLayout, dataset: Any) -> tuple[NDArray[Any], int, tuple[str, ...]]:
    """One frame as a picture of which black is 0, before any rescale.

    Parameters
    ----------
    stored : Stored
    layout : FrameLayout
    dataset : pydicom.Dataset
        For its palette.

    Returns
    -------
    pixels : array, shape (rows, columns) or (rows, columns, 3)
    bits : int
        Significant bits of a value.
    notes : tuple of str

    Raises
    ------
    Refused
        When the samples do not fit what the data set declares.
    """
    if layout.fractional:
        return stored.samples.astype(stored.samples.dtype.newbyteorder("=")), layout.allocated, ()
    values, bits = declared_bits(stored, layout), layout.stored
    notes: tuple[str, ...] = ()
    if layout.low:
        notes = (f"values are stored from bit {layout.low} on",)
    allowed = (*_GREY, "PALETTE COLOR") if layout.samples == 1 else ("RGB", *_FULL, *_PARTIAL, *_OF_JPEG_2000)
    if layout.photometric not in allowed:
        raise Refused(f"{layout.samples} samples of a colour model other than {', '.join(allowed)}")
    if layout.photometric == "PALETTE COLOR":
        if not stored.exact:
            notes += ("its palette indices went through lossy compression: colours may be wrong",)
        values = through_palette(values, dataset, layout)
        return values, 8 * values.dtype.itemsize, notes
    if layout.samples == 3:
        model, more = _colour_model(stored, layout)
        notes += more
        if model in (*_FULL, *_PARTIAL):
            if layout.signed:
                raise Refused("luminance and chrominance with a sign are not supported in DICOM")
            values = ycbcr_to_rgb(values, bits, partial=model in _PARTIAL)
    return (invert(values, bits) if layout.photometric == "MONOCHROME1" else values), bits, notes


def declared_bits(stored: Stored, layout: FrameLayout) -> NDArray[Any]:
    """Samples in the declared type, without the bits that do not count (they may hold anything, PS3.5 8.1.1).

    A lossy stream knows no single bits: what it overshoots is cut at the largest value.

    Raises
    ------
    Refused
        When the stream has more bits than the cell.
    """
    if stored.precision > layout.allocated:
        raise Refused(f"is damaged: a DICOM frame of {stored.precision} bits, declared are {layout.allocated}")
    width = max(8, layout.allocated)
    unsigned, kind = np.dtype(f"u{width // 8}"), "i" if layout.signed else "u"
    top = 2**layout.stored - 1
    samples = stored.samples
    if not stored.exact and samples.dtype.kind == kind == "i":
        samples = np.clip(samples, -(top // 2) - 1, top // 2)
    values = samples.astype(samples.dtype.newbyteorder("=")).astype(unsigned)
    if layout.low and stored.precision > layout.stored:
        values >>= unsigned.type(layout.low)
    if stored.exact or samples.dtype.kind == "i":
        values &= unsigned.type(top)
    else:
        np.minimum(values, unsigned.type(top), out=values)
    if not layout.signed:
        return values
    spare = unsigned.type(width - min(layout.stored, stored.precision))
    signed = np.dtype(f"i{width // 8}")
    return np.asarray((values << spare).view(signed) >> signed.type(spare))


def _colour_model(stored: Stored, layout: FrameLayout) -> tuple[str, tuple[str, ...]]:
    """The colour model that holds, and a note where the data set says another: the stream's own word counts."""
    declared = layout.photometric
    if declared == "RGB":
        if stored.colour == "YCbCr" or (stored.subsampled and not stored.colour):
            return "YBR_FULL", ("declares RGB, but its JPEG stream is YCbCr: the stream was followed",)
        return "RGB", ()
    if stored.colour == "RGB":
        return "RGB", (f"declares {declared}, but its JPEG stream is RGB: the stream was followed",)
    if stored.colour == "YCbCr":
        return (declared if declared in _PARTIAL else "YBR_FULL"), ()
    if declared in _OF_JPEG_2000 and not is_jpeg_2000(layout.syntax):
        return "RGB", (f"declares {declared}, which JPEG 2000 alone has: taken for RGB",)
    return ("RGB" if declared in _OF_JPEG_2000 else declared), ()


def through_palette(indices: NDArray[Any], dataset: Any, layout: FrameLayout) -> NDArray[Any]:
    """Colours of palette indices; an index beyond the palette takes its first or last colour (PS3.3 C.7.6.3.1.5).

    Returns
    -------
    uint8 or uint16 array, shape (rows, columns, 3)

    Raises
    ------
    Refused
        When the palette is missing or damaged.
    """
    first, table = _palette(dataset, layout)
    places = indices.astype(np.int32)
    places -= first
    np.clip(places, 0, len(table) - 1, out=places)
    return np.ascontiguousarray(table[places])


def _palette(dataset: Any, layout: FrameLayout) -> tuple[int, NDArray[Any]]:
    """The index of the first colour, and the colours, uint8 or uint16 of shape (entries, 3)."""
    described = dataset.get("RedPaletteColorLookupTableDescriptor")
    if described is None or len(described) != 3:
        raise Refused("is damaged: its DICOM palette is missing")
    entries, first, depth = (int(value) for value in described)
    entries = (entries & 0xFFFF) or 2**16
    first -= 2**16 if layout.signed and first >= 2**15 else 0
    if "RedPaletteColorLookupTableData" not in dataset:
        return first, _expanded(dataset, entries, first)
    columns = [_entries(dataset[f"{name}PaletteColorLookupTableData"], entries, layout) for name in _NAMES]
    table = np.stack(columns, axis=1)
    # entries of 8 bits may be kept in words
    return first, table.astype(np.uint8) if depth == 8 and table.max(initial=0) < 256 else table


def _entries(element: Any, entries: int, layout: FrameLayout) -> NDArray[Any]:
    value = element.value
    column: NDArray[Any]
    if not isinstance(value, bytes):
        column = np.atleast_1d(np.asarray(value, np.uint16))
    elif len(value) >= 2 * entries:
        column = np.frombuffer(value, ">u2" if layout.big_endian else "<u2", entries).astype(np.uint16)
    else:
        swapped = layout.big_endian and element.VR == "OW" and len(value) % 2 == 0
        column = (
            np.frombuffer(value, np.uint8).reshape(-1, 2)[:, ::-1].ravel()
            if swapped
            else np.frombuffer(value, np.uint8)
        )
    if len(column) < entries:
        raise Refused("is damaged: its DICOM palette is shorter than declared")
    return column[:entries]


def _expanded(dataset: Any, entries: int, first: int) -> NDArray[Any]:
    """The colours of a palette that is stored as segments (PS3.3 C.7.9.2), as pydicom expands it."""
    from pydicom.pixels import apply_color_lut

    if "SegmentedRedPaletteColorLookupTableData" not in dataset:
        raise Refused("is damaged: its DICOM palette is missing")
    colours = apply_color_lut(np.arange(first, first + entries, dtype=np.int32), dataset)
    return np.asarray(colours)[:, :3]
