"""TIFF 6.0, BigTIFF and their scientific dialects: which picture of the file is read.

    plain file        one page, or the first of several unless --page says another; thumbnails are not counted
    declared file     OME, ImageJ, tifffile's own, LSM, STK, pyramids, ...: what it declares must be chosen

Pixels of a page are the business of `tiff_pixels`.
"""

from __future__ import annotations

import io
from typing import Any

import tifffile

from graticule.data.formats.raster import Raster, Refused
from graticule.data.formats.tiff_pixels import Picture, read_page
from graticule.data.formats.tiff_stack import Stack, read_stack
from graticule.data.instrument import Metadata
from graticule.data.instrument_tiff import tiff_metadata
from graticule.data.selection import Selection

# What tifffile or a reader of tags may raise on odd tags; pixels are read all the same.
_TAG_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, OSError, SyntaxError)
_DIALECTS = (
    "shaped",
    "lsm",
    "mmstack",
    "ome",
    "imagej",
    "ndtiff",
    "fluoview",
    "stk",
    "sis",
    "svs",
    "scn",
    "qpi",
    "ndpi",
    "bif",
    "avs",
    "eer",
    "philips",
    "scanimage",
    "nih",
)
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_MAX_PAGES = 100_000


def read_tiff(data: bytes, selection: Selection) -> Raster:
    """The picture of a TIFF file that `selection` chooses.

    Raises
    ------
    Refused
        When the file is damaged, cut off, too large, of a kind that is not supported, or holds several pictures of
        which `selection` does not choose one.
    """
    with tifffile.TiffFile(io.BytesIO(data), _multifile=False) as tiff:
        if not len(tiff.pages):
            raise Refused("holds no TIFF page")
        stacks = _declared(tiff)
        if stacks is None:
            picture, notes = _plain_page(tiff, selection, len(data))
        else:
            picture, notes = read_stack(stacks, selection, data)
        metadata = _metadata(tiff)
        first: Any = tiff.pages[0]
        compression = "" if first.compression == 1 else getattr(first.compression, "name", str(first.compression))
    return Raster(
        picture.pixels,
        picture.bits,
        "TIFF",
        compression,
        (*notes, *picture.notes),
        metadata,
    )


def _metadata(tiff: tifffile.TiffFile) -> Metadata:
    try:
        return tiff_metadata(tiff)
    except _TAG_FAULTS:
        return Metadata(warnings=("the instrument's metadata cannot be read",))


def _plain_page(tiff: tifffile.TiffFile, selection: Selection, n_bytes: int) -> tuple[Picture, tuple[str, ...]]:
    """The page of a file that declares no dimension."""
    if selection.z not in (None, 0, "max"):
        raise Refused("declares no planes; allowed: --z 0 or max, and --page for its pages")
    pages = _full_pages(tiff)
    chosen = selection.page or 0
    if chosen >= len(pages):
        raise Refused(f"has no page {chosen}; allowed: --page 0 to {len(pages) - 1}")
    notes: tuple[str, ...] = ()
    if len(pages) > 1:
        which = "first" if not chosen else f"page {chosen}"
        notes = (f"{which} of {len(pages)} pages; --page chooses another",)
    page = pages[chosen]
    return read_page(page, page, selection.channel, n_bytes), notes


def _full_pages(tiff: tifffile.TiffFile) -> list[Any]:
    """Pages in the order of the chain, without thumbnails and masks; all of them when nothing else is there."""
    pages: list[Any] = []
    # a page's size may be absurd: it is looked at when it is chosen
    for index in range(min(len(tiff.pages), _MAX_PAGES)):
        try:
            pages.append(tiff.pages[index])
        except _TAG_FAULTS:
            if not index:
                raise
            break  # the chain is damaged behind the pages that are whole
    full = [page for page in pages if not int(page.subfiletype or 0) & (_REDUCED | _MASK)]
    return full or pages


def _declared(tiff: tifffile.TiffFile) -> list[Stack] | None:
    """What a file with declared dimensions holds, or None for a plain file."""
    pyramid = _pyramid(tiff)
    dialect = next((name for name in _DIALECTS if getattr(tiff, f"is_{name}", False)), None)
    if dialect is None:
        return pyramid
    try:
        series = list(tiff.series)
    except _TAG_FAULTS as error:
        raise Refused(f"its {dialect} description is damaged: {' '.join(str(error).split())[:200]}") from error
    if not series or series[0].kind in ("generic", "uniform"):
        if tiff.is_imagej and _planes_of_imagej(tiff) > len(tiff.pages):
            raise Refused("is cut off: planes that its ImageJ description names are missing")
        return pyramid
    # smaller versions of a picture that is not tiled are thumbnails, not levels of a pyramid
    proper = [one for one in series if one.shape and (one.keyframe.is_tiled or len(one.keyframe.treeindex) == 1)]
    levels = [one.levels if one.keyframe.is_tiled else one.levels[:1] for one in proper]
    stacks = [Stack.of(level, dialect) for one in levels for level in one]
    if len(stacks) == 1 and not stacks[0].dimensions:
        return None
    return stacks


def _planes_of_imagej(tiff: tifffile.TiffFile) -> int:
    described = tiff.imagej_metadata or {}
    count = 1
    for key in ("frames", "slices", "channels"):
        value = described.get(key, 1)
        count *= value if isinstance(value, int) and value > 0 else 1
    return count


def _pyramid(tiff: tifffile.TiffFile) -> list[Stack] | None:
    """Levels of a plain tiled image with smaller versions of itself in sub-directories, or None."""
    first: Any = tiff.pages[0]
    if not first.is_tiled or not first.subifds or int(first.subfiletype or 0) & _REDUCED:
        return None
    levels = [first]
    for index in range(min(len(first.subifds), 64)):
        try:
            page: Any = first.pages[index]
        except _TAG_FAULTS:
            break
        larger = levels[-1]
        ratios = [a / max(1, b) for a, b in zip(larger.shape[:2], page.shape[:2], strict=False)]
        if page.axes == first.axes and len(ratios) == 2 and all(1.5 <= ratio <= 8 for ratio in ratios):
            levels.append(page)
    return [Stack.of_page(page, "pyramid") for page in levels] if len(levels) > 1 else None
