"""TIFF files that declare no dimensions: which page is the picture, and which are thumbnails of it.

The pictures of such a file are the pages of the chain, and full pictures in sub-directories. A thumbnail is a page that
says so (NewSubfileType), or one beside which a much larger picture stands. It is never taken for the picture.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile

from graticule.formats.named import camera_raw
from graticule.formats.raster import Refused
from graticule.formats.selection import Selection
from graticule.formats.tiff_pixels import PagePixels, read_page

# What tifffile or a reader of tags may raise on odd tags; pixels are read all the same.
TAG_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, OSError, SyntaxError)
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_MAX_PAGES = 100_000
_MAX_SUBS = 256  # sub-directories looked at in one file
_MAX_DEPTH = 3
_RAW_MODELS = (tifffile.PHOTOMETRIC.CFA, tifffile.PHOTOMETRIC.LINEAR_RAW)
_DNG_VERSION, _MAKE = 50706, 271
_RAW_KINDS = {
    "nikon": "NEF",
    "sony": "ARW",
    "pentax": "PEF",
    "ricoh": "PEF",
    "samsung": "SRW",
    "hasselblad": "3FR",
    "phase one": "IIQ",
    "kodak": "DCR",
    "seiko epson": "ERF",
    "canon": "CR2",
    "olympus": "ORF",
    "panasonic": "RW2",
    "leica": "RWL",
    "fujifilm": "RAF",
}


@dataclass(frozen=True)
class TiffPictures:
    """The pictures of a file.

    Attributes
    ----------
    pages : list of page
        Full pages of the chain, then full pictures of sub-directories; what --page counts.
    chain : int
        How many of them are of the chain.
    first : int
        The one that is meant when none is chosen.
    """

    pages: list[Any]
    chain: int
    first: int


def read_plain(tiff: tifffile.TiffFile, selection: Selection, n_bytes: int) -> tuple[PagePixels, tuple[str, ...]]:
    """The picture of a file that declares no dimension, and notes.

    With --z and without --page the pages of the chain count as planes.

    Raises
    ------
    Refused
        When there is no such page, the file is one of camera raw data, or the pages are no planes of one stack.
    """
    pictures = _pictures(tiff)
    if selection.z is not None and selection.page is None and len(pictures.pages) > 1:
        return _from_planes(pictures, selection, n_bytes)
    if selection.z not in (None, 0, "max"):
        raise Refused("holds one plane a page; allowed: --z 0 or max")
    chosen = pictures.first if selection.page is None else selection.page
    if chosen >= len(pictures.pages):
        raise Refused(f"has no page {chosen}; allowed: --page 0 to {len(pictures.pages) - 1}")
    page = pictures.pages[chosen]
    return read_page(page, page, selection.channel, n_bytes), _notes(pictures, chosen)


def _notes(pictures: TiffPictures, chosen: int) -> tuple[str, ...]:
    count = len(pictures.pages)
    if count == 1:
        return ()
    largest = max(map(_area, pictures.pages))
    if not chosen:
        smaller = " (not the largest)" if _area(pictures.pages[0]) < largest else ""
        return (f"first of {count} pages{smaller}; --page chooses another",)
    which = f"page {chosen}, the largest" if _area(pictures.pages[chosen]) == largest else f"page {chosen}"
    return (f"{which} of {count} pages; --page chooses another",)


def _from_planes(pictures: TiffPictures, selection: Selection, n_bytes: int) -> tuple[PagePixels, tuple[str, ...]]:
    """A page of the chain, or the brightest value over all of them."""
    pages, count = pictures.pages[: pictures.chain], pictures.chain
    if pictures.first >= count:
        raise Refused("its pages are thumbnails of a picture in a sub-directory, no planes; choose with --page")
    if isinstance(selection.z, int) and selection.z >= count:
        raise Refused(f"has no plane {selection.z}; allowed: --z 0 to {count - 1} (its pages), or max")
    kinds = {(page.shape, str(page.dtype), page.photometric) for page in pages}
    if len(kinds) > 1:
        sizes = ", ".join(f"{page.imagewidth} x {page.imagelength}" for page in pages[:4])
        more = ", ..." if count > 4 else ""
        raise Refused(f"its pages are no planes of one stack ({sizes}{more}); choose with --page 0 to {count - 1}")
    if selection.z != "max":
        page = pages[int(selection.z or 0)]
        return read_page(page, page, selection.channel, n_bytes), (f"plane {selection.z} of {count} pages",)
    brightest = read_page(pages[0], pages[0], selection.channel, n_bytes)
    for page in pages[1:]:
        picture = read_page(page, page, selection.channel, n_bytes)
        if picture.pixels.shape != brightest.pixels.shape:
            raise Refused("its pages are no planes of one stack; choose with --page")
        # NaN is passed on and refused later
        pixels = np.maximum(brightest.pixels, picture.pixels)
        brightest = PagePixels(pixels, max(brightest.bits, picture.bits), brightest.notes)
    return brightest, (f"brightest of {count} pages at each point",)


def full_pages(tiff: tifffile.TiffFile) -> list[Any]:
    """Pages in the order of the chain, without thumbnails and masks; all of them when nothing else is there."""
    pages = _chain(tiff)
    return [page for page in pages if not _lesser(page)] or pages


def _chain(tiff: tifffile.TiffFile) -> list[Any]:
    pages: list[Any] = []
    # a page's size may be absurd: it is looked at when it is chosen
    for index in range(min(len(tiff.pages), _MAX_PAGES)):
        try:
            pages.append(tiff.pages[index])
        except TAG_FAULTS:
            if not index:
                raise
            break  # the chain is damaged behind the pages that are whole
    return pages


def _pictures(tiff: tifffile.TiffFile) -> TiffPictures:
    chain = _chain(tiff)
    inner = _sub_pages(chain)
    _refuse_camera_raw(chain, inner)
    full = [page for page in chain if not _lesser(page)]
    subs = [page for page in inner if not _lesser(page)]
    pages = [*full, *subs] or chain
    largest = max(range(len(pages)), key=lambda i: (_area(pages[i]), -i))
    # in a sub-directory stands what belongs to the page; of the chain only what is far smaller is a thumbnail
    inside = largest >= len(full) and bool(full) and _area(pages[largest]) > _area(pages[0])
    thumbnail = _is_thumbnail(pages[0], pages[largest]) or not full
    return TiffPictures(pages, len(full) or len(pages) - len(subs), largest if inside or thumbnail else 0)


def _lesser(page: Any) -> bool:
    return bool(int(page.subfiletype or 0) & (_REDUCED | _MASK))


def _area(page: Any) -> int:
    return int(page.imagewidth) * int(page.imagelength)


def _is_thumbnail(page: Any, other: Any) -> bool:
    """Whether both sides of a page are below half of the other's."""
    return 2 * int(page.imagewidth) < int(other.imagewidth) and 2 * int(page.imagelength) < int(other.imagelength)


def _sub_pages(chain: list[Any]) -> list[Any]:
    """Pages of sub-directories, those of sub-directories included; damaged ones are left out."""
    found: list[Any] = []
    seen: set[int] = set()
    level = chain
    for _ in range(_MAX_DEPTH):
        below: list[Any] = []
        for page in level:
            for index in range(len(page.subifds or ())):
                if len(found) + len(below) >= _MAX_SUBS or page.subifds[index] in seen:
                    break
                seen.add(page.subifds[index])
                try:
                    below.append(page.pages[index])
                except TAG_FAULTS:
                    continue
        found += below
        level = below
        if not below:
            break
    return found


def _refuse_camera_raw(chain: list[Any], inner: list[Any]) -> None:
    """Refuse a file whose largest picture is what a camera's sensor measured, one colour a pixel."""
    raw = [page for page in (*chain, *inner) if page.photometric in _RAW_MODELS]
    # a preview may be a little larger than what the sensor measured
    if not raw or 2 * max(map(_area, raw)) < max(map(_area, (*chain, *inner))):
        return
    kind = "DNG" if any(page.tags.get(_DNG_VERSION) is not None for page in chain) else ""
    if not kind:
        make = str(chain[0].tags.valueof(_MAKE) or "").casefold()
        kind = next((suffix for maker, suffix in _RAW_KINDS.items() if make.startswith(maker)), "")
    raise Refused(camera_raw(kind))
