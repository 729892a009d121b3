"""TIFF 6.0, BigTIFF and their scientific dialects: which picture of the file is read.

    plain file        its pages, thumbnails not counted (`tiff_pages`)
    declared file     OME, ImageJ, tifffile's own, LSM, STK, pyramids, ...: what it declares must be chosen, and must be
                      there: planes that a description claims are held against the pages of the file first

Pixels of a page are the business of `tiff_pixels`.
"""

import io
import json
import math
from collections.abc import Callable
from typing import Any

import tifffile

from graticule.formats.format import Format
from graticule.formats.instrument.metadata import Metadata
from graticule.formats.instrument.tiff import tiff_metadata
from graticule.formats.raster import Raster, Refused
from graticule.formats.selection import Selection
from graticule.formats.tiff_depth import depth_by_tags
from graticule.formats.tiff_ome import OmeFacts, Part, Unfollowed, parts_of_set
from graticule.formats.tiff_pages import TAG_FAULTS, full_pages, read_plain
from graticule.formats.tiff_stack import Stack, read_stack

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
_SAID = {"shaped": "tifffile", "ome": "OME", "imagej": "ImageJ", "stk": "STK", "lsm": "LSM", "mmstack": "Micro-Manager"}
_REDUCED = 1  # bit of NewSubfileType
_UIC2 = 33629  # one entry a plane
_POINTER = 8  # bytes of an entry in a list of planes


def read_tiff(data: bytes, selection: Selection, name: str = "") -> Raster:
    """The picture of a TIFF file that `selection` chooses.

    Parameters
    ----------
    data : bytes
    selection : Selection
    name : str
        Name of the file: one of a set describes which planes lie in which file.

    Raises
    ------
    Refused
        When the file is damaged, cut off, too large, of a kind that is not supported, or holds several pictures of
        which `selection` does not choose one.
    """
    with tifffile.TiffFile(io.BytesIO(data), _multifile=False) as tiff:
        if not len(tiff.pages):
            raise Refused("holds no TIFF page")
        stacks = _declared(tiff, selection, len(data), name)
        if stacks is None:
            picture, notes = read_plain(tiff, selection, len(data))
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
    except TAG_FAULTS:
        return Metadata(warnings=("the instrument's metadata cannot be read",))


def _declared(tiff: tifffile.TiffFile, selection: Selection, n_bytes: int, name: str) -> list[Stack] | None:
    """What a file with declared dimensions holds, or None for a plain file."""
    pyramid = _pyramid(tiff)
    dialect = next((name for name in _DIALECTS if getattr(tiff, f"is_{name}", False)), None)
    if dialect is None:
        return pyramid
    try:
        parts = _before_series(tiff, dialect, selection, n_bytes, name)
        if parts is not None:
            return [Stack.of_part(part, [tiff.pages[page] for page in part.pages], dialect) for part in parts]
        series = list(tiff.series)
    except Unfollowed as error:
        _check_not_followed(tiff, str(error), selection)
        return pyramid
    except Refused:
        raise
    except TAG_FAULTS as error:
        raise Refused(
            f"its {_SAID.get(dialect, dialect)} description is damaged: {' '.join(str(error).split())[:200]}"
        ) from error
    if not series or series[0].kind in ("generic", "uniform"):
        if pyramid is None:
            _check_not_followed(tiff, f"its {_SAID.get(dialect, dialect)} description cannot be followed", selection)
        return pyramid
    # smaller versions of a picture that is not tiled are thumbnails, not levels of a pyramid
    proper = [one for one in series if one.shape and (one.keyframe.is_tiled or len(one.keyframe.treeindex) == 1)]
    levels = [one.levels if one.keyframe.is_tiled else one.levels[:1] for one in proper]
    for one in proper:
        _check_planes(
            dialect, math.prod(one.shape) // max(1, math.prod(one.keyframe.shape)), one.keyframe, tiff, n_bytes
        )
    stacks = [Stack.of(level, dialect) for one in levels for level in one]
    if len(stacks) == 1 and not stacks[0].dimensions:
        return None
    return stacks


def _before_series(
    tiff: tifffile.TiffFile, dialect: str, selection: Selection, n_bytes: int, name: str
) -> list[Part] | None:
    """Bounds on what tifffile would lay out plane by plane; the parts of a set over several files."""
    first: Any = tiff.pages[0]
    if dialect == "ome":
        return parts_of_set(tiff.ome_metadata or "", OmeFacts(name, len(tiff.pages), _size_of(tiff)))
    if dialect == "shaped":
        _check_planes(dialect, _planes_of_shaped(first), first, tiff, n_bytes)
    if dialect == "stk":
        tag = first.tags.get(_UIC2)
        _check_planes(dialect, 1 if tag is None else int(tag.count), first, tiff, n_bytes)
    if dialect == "mmstack":
        _check_micro_manager(tiff.micromanager_metadata or {}, selection, n_bytes)
    return None


def _check_micro_manager(described: dict[str, Any], selection: Selection, n_bytes: int) -> None:
    """Refuse an index larger than the file, and planes or channels chosen from a stack that goes on in another file."""
    index = described["IndexMap"]
    if not len(index):
        return
    # channel, plane, time point and position of each page; tifffile lays out the block that they span
    span = [int(index[:, k].max()) - int(index[:, k].min()) + 1 for k in range(4)]
    if math.prod(span) * _POINTER > n_bytes:
        raise Refused("is cut off: its Micro-Manager index names more planes than the file can hold")
    for name, option, chosen, held in (
        ("Slices", "z", selection.z, span[1]),
        ("Channels", "channel", selection.channel, span[0]),
    ):
        declared = described["Summary"].get(name, 1)
        if chosen is not None and isinstance(declared, int) and declared > held:
            what = {"z": "planes", "channel": "channels"}[option]
            raise Refused(
                f"holds {held} of {declared} {what} of a set over several files: --{option} cannot be followed"
            )


def _size_of(tiff: tifffile.TiffFile) -> Callable[[int], tuple[int, int, int]]:
    """Width, height and samples of a pixel of each page."""

    def size(index: int) -> tuple[int, int, int]:
        page: Any = tiff.pages[index]
        return int(page.imagewidth), int(page.imagelength), max(1, int(page.samplesperpixel))

    return size


def _planes_of_shaped(page: Any) -> int:
    """Planes that tifffile's own description claims; 1 where it cannot be read, which tifffile finds too."""
    try:
        shape = json.loads(page.shaped_description)["shape"]
        return math.prod(int(n) for n in shape) // max(1, int(math.prod(page.shape)))
    except TAG_FAULTS:
        return 1


def _check_planes(dialect: str, planes: int, page: Any, tiff: tifffile.TiffFile, n_bytes: int) -> None:
    """Refuse more planes than there are pages, but for those in one plain block behind a single page."""
    held = len(tiff.pages)
    if planes <= held or (page.compression == 1 and page.dataoffsets and planes * page.nbytes <= n_bytes):
        return
    said = _SAID.get(dialect, dialect)
    raise Refused(f"is cut off: its {said} description names {planes:,} planes, the file has {held:,} pages")


def _check_not_followed(tiff: tifffile.TiffFile, cause: str, selection: Selection) -> None:
    """Refuse a description that cannot be followed, unless one page is all there is or a page is chosen."""
    if tiff.is_imagej and _planes_of_imagej(tiff) > len(tiff.pages):
        raise Refused("is cut off: planes that its ImageJ description names are missing")
    count = len(full_pages(tiff))
    if count > 1 and (selection.page is None or selection.z not in (None, 0)):
        raise Refused(f"{cause}; choose one of its pages with --page 0 to {count - 1}")


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
        except TAG_FAULTS:
            break
        larger = levels[-1]
        ratios = [a / max(1, b) for a, b in zip(larger.shape[:2], page.shape[:2], strict=False)]
        if page.axes == first.axes and len(ratios) == 2 and all(1.5 <= ratio <= 8 for ratio in ratios):
            levels.append(page)
    return [Stack.of_page(page, "pyramid") for page in levels] if len(levels) > 1 else None


def _is_tiff(data: bytes, _: str) -> bool:
    """Whether bytes begin as a TIFF or BigTIFF; Canon's raw files do too."""
    return data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")) and data[8:11] != b"CR\x02"


FORMAT = Format(
    "TIFF",
    (".tif", ".tiff", ".lsm", ".stk"),
    "BigTIFF too; 1 to 32 bits, signed or not, 12 packed bits, floats, planar, tiles, palettes, CMYK, all usual codecs",
    read_tiff,
    test=_is_tiff,
    depth=depth_by_tags,
)
