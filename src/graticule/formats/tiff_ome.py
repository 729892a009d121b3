"""What an OME-TIFF declares, read before tifffile builds anything from it: bounds, and sets over several files.

Every file of such a set describes all of it. What counts for one file are the planes that the description lays into
this file, by its identifier (UUID) or else its name; a file that holds all planes it describes is left to tifffile.
Source: the OME-TIFF specification, https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

from graticule.formats.raster import Refused

_AXES = "ZCT"
_MAX_LABELS = 1_000_000  # of a modulo annotation, which tifffile lays out one by one


class Unfollowed(Refused):
    """A description that cannot be followed, though the pages of the file may be whole."""


@dataclass(frozen=True)
class OmeFacts:
    """What the file itself says.

    Attributes
    ----------
    name : str
        Name of the file, without folders; "" where it is not known.
    pages : int
        Number of pages.
    size_of : function of int
        Width, height and samples of a pixel of a page.
    """

    name: str
    pages: int
    size_of: Callable[[int], tuple[int, int, int]]


@dataclass(frozen=True)
class _Block:
    """A run of planes that a TiffData element lays into pages of a file."""

    uuid: str
    file: str
    first: dict[str, int]
    page: int
    count: int | None  # None: as many as there are

    @property
    def named(self) -> bool:
        """Whether the element names a file at all; if not, it is the one that it stands in."""
        return bool(self.uuid or self.file)


@dataclass(frozen=True)
class Declared:
    """One image of an OME description.

    Attributes
    ----------
    order : str
        Letters of Z, C and T, the one that changes fastest first.
    sizes : dict of str to int
        Planes, channels (of one sample each, or several in a page) and time points of the whole image.
    size : tuple of int
        Width, height, and samples of a pixel (0: not said).
    blocks : tuple
        Where its planes lie.
    """

    order: str
    sizes: dict[str, int]
    size: tuple[int, int, int]
    blocks: tuple[_Block, ...]

    @property
    def planes(self) -> int:
        """Number of planes of the whole image."""
        return math.prod(self.sizes.values())


@dataclass(frozen=True)
class Part:
    """The planes of one image that lie in this file.

    Attributes
    ----------
    axes : str
        Letters of Z, C and T, the slowest first.
    held : dict of str to tuple of int
        Positions along each axis that this file holds, ascending.
    declared : dict of str to int
        Positions along each axis of the whole image.
    pages : tuple of int
        Page of each plane, row by row along `axes`.
    """

    axes: str
    held: dict[str, tuple[int, ...]]
    declared: dict[str, int]
    pages: tuple[int, ...] = field(repr=False)


def parts_of_set(xml: str, facts: OmeFacts) -> list[Part] | None:
    """What a file holds of the images that its description declares.

    Returns
    -------
    list of Part, or None
        None: the file holds each plane that it describes, which tifffile finds too.

    Raises
    ------
    Unfollowed
        When the description is damaged, lies in another file, or is of pages of another size.
    Refused
        When it claims planes that the file does not hold and names no other file for them, or names this file for
        nothing.
    """
    try:
        root = ElementTree.fromstring(xml)
        _check_labels(root)
        images = [_declared(pixels) for pixels in root.iter() if _tag(pixels) == "Pixels"]
    except (ElementTree.ParseError, ValueError, KeyError, OverflowError) as error:
        raise Unfollowed("its OME description is damaged") from error
    if any(_tag(element) == "BinaryOnly" for element in root):
        raise Unfollowed("its OME description lies in another file")
    here = _this_file(root.get("UUID", ""), facts.name, images)
    images = [_with_shared_pages(image, here, facts) for image in images]
    parts = [_part(image, here, facts.pages) for image in images]
    if all(here(block) for image in images for block in image.blocks):
        for image, part in zip(images, parts, strict=True):
            if part is None or len(part.pages) < image.planes:
                raise _cut_off(image.planes, facts.pages)
        uuid = root.get("UUID")
        if all(block.uuid == uuid or not block.named for image in images for block in image.blocks):
            return None  # tifffile knows the file by its identifier alone
    found = [part for part in parts if part is not None]
    if not found:
        raise Refused(f"its OME description names none of its planes in this file of {facts.pages:,} pages")
    return found


def _cut_off(claimed: int, pages: int) -> Refused:
    return Refused(f"is cut off: its OME description names {claimed:,} planes, the file has {pages:,} pages")


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _check_labels(root: Any) -> None:
    """ValueError for annotations that tifffile would unroll into more labels than a file can hold."""
    for along in root.iter():
        if _tag(along).startswith("ModuloAlong") and "Start" in along.attrib:
            start, end, step = (float(along.get(key, 1)) for key in ("Start", "End", "Step"))
            if not abs(end - start) <= _MAX_LABELS * abs(step):
                raise ValueError(end)


def _declared(pixels: Any) -> Declared:
    """An image by its element Pixels; sizes below 1 are a ValueError."""
    order = "".join(axis for axis in pixels.attrib["DimensionOrder"] if axis in _AXES)
    sizes = {axis: int(pixels.attrib[f"Size{axis}"]) for axis in order}
    if sorted(order) != sorted(_AXES) or min(sizes.values()) < 1:
        raise ValueError(order)
    said = {int(one.get("SamplesPerPixel", 1)) for one in pixels if _tag(one) == "Channel"}
    if len(said) > 1 or min(said, default=1) < 1:
        raise ValueError(said)
    size = int(pixels.attrib["SizeX"]), int(pixels.attrib["SizeY"]), max(said, default=0)
    blocks = tuple(_block(one) for one in pixels if _tag(one) == "TiffData")
    return Declared(order, sizes, size, blocks or (_Block("", "", dict.fromkeys(_AXES, 0), 0, None),))


def _with_shared_pages(image: Declared, here: Callable[[_Block], bool], facts: OmeFacts) -> Declared:
    """The image with its channels counted as pages are: samples of a pixel share one."""
    page = next((block.page for block in image.blocks if here(block)), None)
    if page is None:
        return image
    if page >= facts.pages:
        raise _cut_off(image.planes, facts.pages)
    width, height, samples = facts.size_of(page)
    said = image.size[2]
    if (width, height) != image.size[:2] or (said > 1 and said != samples):
        found, told = (f"{w} x {h} of {s or 1} samples" for w, h, s in ((width, height, samples), image.size))
        raise Unfollowed(f"its OME description is of pages of {told}, they are of {found}")
    # some writers do not say that the channels share a page; the page does
    channels = image.sizes["C"] // samples if image.sizes["C"] % samples == 0 else image.sizes["C"]
    return replace(image, sizes=image.sizes | {"C": channels})


def _block(element: Any) -> _Block:
    attributes = element.attrib
    count = attributes.get("PlaneCount", attributes.get("NumPlanes", "1" if "IFD" in attributes else None))
    uuid = next((child for child in element if _tag(child) == "UUID"), None)
    page, planes = int(attributes.get("IFD", 0)), None if count is None else int(count)
    first = {axis: int(attributes.get(f"First{axis}", 0)) for axis in _AXES}
    if min(page, planes or 0, *first.values()) < 0:
        raise ValueError(page)
    named = ("", "") if uuid is None else ((uuid.text or "").strip(), _base(uuid.get("FileName", "")))
    return _Block(*named, first, page, planes)


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].casefold()


def _this_file(root: str, name: str, images: list[Declared]) -> Callable[[_Block], bool]:
    """A test whether a block lies in this file."""
    named = [block for image in images for block in image.blocks if block.named]
    # one name for all: the file itself, whatever it is called by now
    alone = len({(block.uuid, block.file) for block in named}) == 1 and all(
        block.named for image in images for block in image.blocks
    )
    by_uuid = {(block.uuid, block.file) for block in named if root and block.uuid == root}
    by_name = {(block.uuid, block.file) for block in named if name and block.file == _base(name)}
    if by_uuid and by_name and not by_uuid & by_name:
        raise Unfollowed("its OME description has one place for its identifier and another for its name")

    def here(block: _Block) -> bool:
        if not block.named or (alone and not (root and block.uuid and block.uuid != root)):
            return True
        return (block.uuid, block.file) in (by_uuid or by_name)

    return here


def _part(image: Declared, here: Callable[[_Block], bool], n_pages: int) -> Part | None:
    """The planes of an image that lie in this file, None when there are none."""
    places: dict[tuple[int, ...], int] = {}
    for block in image.blocks:
        if not here(block) or any(block.first[axis] >= image.sizes[axis] for axis in _AXES):
            continue
        left = max(0, n_pages - block.page)
        count = left if block.count is None else block.count
        if block.count is not None and count > left:
            raise _cut_off(count, n_pages)
        for place, page in zip(_positions(image, block.first), range(block.page, block.page + count), strict=False):
            places[place] = page
    if not places:
        return None
    axes = image.order[::-1]
    held = {axis: tuple(sorted({place[i] for place in places})) for i, axis in enumerate(axes)}
    grid = (
        list(itertools.product(*(held[axis] for axis in axes))) if math.prod(map(len, held.values())) <= n_pages else []
    )
    if len(grid) != len(places):
        raise Refused(
            f"is cut off: its OME description names {image.planes:,} planes, {len(places):,} of them are here"
        )
    return Part(axes, held, dict(image.sizes), tuple(places[place] for place in grid))


def _positions(image: Declared, first: dict[str, int]) -> Iterator[tuple[int, ...]]:
    """Positions (slowest axis first) from a first one on, in the declared order."""
    axes = image.order[::-1]
    sizes = [image.sizes[axis] for axis in axes]
    start = 0
    for axis, size in zip(axes, sizes, strict=True):
        start = start * size + first[axis]
    for flat in range(start, math.prod(sizes)):
        place, rest = [], flat
        for size in reversed(sizes):
            rest, position = divmod(rest, size)
            place.append(position)
        yield tuple(reversed(place))
