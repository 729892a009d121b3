"""Stacks that a TIFF file declares: their dimensions, and the plane that a selection chooses."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from graticule.formats.raster import Refused
from graticule.formats.selection import Selection
from graticule.formats.tiff_ome import Part
from graticule.formats.tiff_pixels import PagePixels, check_page, finish, read_page

_NAMES = {"T": "time points", "C": "channels", "Z": "planes", "P": "positions", "R": "regions", "A": "angles"}
_MAX_LISTED = 4


@dataclass(frozen=True)
class Pages:
    """Pages of one shape that a description lays out, under the names that tifffile's series have."""

    keyframe: Any
    pages: tuple[Any, ...]
    dataoffset: None = None


@dataclass(frozen=True)
class Stack:
    """One image, or one level of a pyramid, that a file declares.

    Attributes
    ----------
    dialect : str
        Who declares it: "ome", "imagej", ...
    axes : str
        One letter per dimension, such as "TZCYX" (T time, Z plane, C channel, S sample of a pixel).
    shape : tuple of int
    series, page : object or None
        tifffile's series or `Pages`, or the single page.
    held : dict of str to tuple of int
        Of a set over several files: positions along each axis that this file holds.
    declared : dict of str to int
        ... and how many the whole set has.
    """

    dialect: str
    axes: str
    shape: tuple[int, ...]
    series: Any
    page: Any
    held: dict[str, tuple[int, ...]] = field(default_factory=dict)
    declared: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, series: Any, dialect: str) -> Self:
        """From a series of tifffile; the first unnamed dimension counts as planes where there are none."""
        axes = str(series.axes)
        if "Z" not in axes:
            unnamed = next((axis for axis in axes if axis in "QI"), None)
            axes = axes.replace(unnamed, "Z", 1) if unnamed else axes
        return cls(dialect, axes, tuple(int(n) for n in series.shape), series, None)

    @classmethod
    def of_page(cls, page: Any, dialect: str) -> Self:
        """From a single page."""
        return cls(dialect, str(page.axes), tuple(int(n) for n in page.shape), None, page)

    @classmethod
    def of_part(cls, part: Part, pages: list[Any], dialect: str) -> Self:
        """From the pages of a file that hold some planes of a set.

        Raises
        ------
        Refused
            When the pages are not alike.
        """
        key = pages[0]
        if any((page.shape, page.dtype, page.photometric) != (key.shape, key.dtype, key.photometric) for page in pages):
            raise Refused(f"is damaged: the {dialect} description joins pages of unlike size or type")
        shape = (*(len(part.held[axis]) for axis in part.axes), *(int(n) for n in key.shape))
        axes = part.axes + str(key.axes)
        return cls(dialect, axes, shape, Pages(key, tuple(pages)), None, part.held, part.declared)

    def here(self, selection: Selection) -> Selection:
        """A selection of planes and channels of the whole set, counted among those that this file holds.

        Raises
        ------
        Refused
            When what is chosen lies in another file.
        """
        z, channel = selection.z, selection.channel
        for axis, what, wanted in (("Z", "plane", z), ("C", "channel", channel)):
            held, total = self.held.get(axis, ()), self.declared.get(axis, 1)
            if total == len(held) or total == 1 or wanted is None:
                continue
            listed = ", ".join(map(str, held[:_MAX_LISTED])) + (", ..." if len(held) > _MAX_LISTED else "")
            asked = wanted if isinstance(wanted, tuple) else (wanted,)
            if wanted == "max" or not set(asked) <= set(held):
                option = f"--{'z' if axis == 'Z' else 'channel'} {','.join(map(str, asked))}"
                raise Refused(
                    f"holds {what} {listed} of {total} of a set over several files: {option} cannot be followed"
                )
            places = tuple(held.index(int(one)) for one in asked)
            z, channel = (places[0], channel) if axis == "Z" else (z, places)
        return replace(selection, z=z, channel=channel)

    @property
    def dimensions(self) -> dict[str, int]:
        """Sizes above 1 of everything but rows, columns and samples of a pixel."""
        return {a: n for a, n in zip(self.axes, self.shape, strict=True) if a not in "YXS" and n > 1}

    def outside(self) -> tuple[str, ...]:
        """A note on what of a set lies in other files."""
        lacking = [
            f"{len(self.held[axis])} of {total} {_NAMES[axis]}"
            for axis, total in self.declared.items()
            if total > len(self.held[axis])
        ]
        return (f"one file of a set: it holds {', '.join(lacking)}",) if lacking else ()

    @property
    def others(self) -> list[str]:
        """Dimensions that --page chooses: neither plane nor channel."""
        return [axis for axis in self.dimensions if axis not in "ZC"]

    @property
    def pages(self) -> int:
        """How many values --page has here."""
        return math.prod(self.dimensions[axis] for axis in self.others)


def read_stack(stacks: list[Stack], selection: Selection, data: bytes) -> tuple[PagePixels, tuple[str, ...]]:
    """The picture that a selection chooses from what a file declares.

    Raises
    ------
    Refused
        When the selection leaves anything open, with the list of what the file holds and the options that choose.
    """
    total = sum(stack.pages for stack in stacks)
    if total > 1 and selection.page is None:
        raise Refused(_question(stacks, selection))
    left = selection.page or 0
    if left >= total:
        raise Refused(f"has no page {left}; allowed: --page 0 to {total - 1}")
    for stack in stacks:
        if left < stack.pages:
            break
        left -= stack.pages
    selection = stack.here(selection)
    planes, channels = stack.dimensions.get("Z", 1), stack.dimensions.get("C", 1)
    if (planes > 1 and selection.z is None) or (channels > 1 and selection.channel is None):
        raise Refused(_question(stacks, selection))
    if isinstance(selection.z, int) and selection.z >= planes:
        raise Refused(f"has no plane {selection.z}; allowed: --z 0 to {planes - 1}, or max")
    if channels > 1 and selection.channel is not None and max(selection.channel) >= channels:
        raise Refused(f"has no channel {max(selection.channel)}; allowed: --channel 0 to {channels - 1}")
    fixed = _coordinates(stack, left)
    picture = _project(stack, fixed, selection, data)
    notes = (f"{_choice(selection)} of {_holds(stacks)}",) if len(stacks) > 1 or stack.dimensions else ()
    return picture, (*notes, *stack.outside())


def _question(stacks: list[Stack], selection: Selection) -> str:
    options = []
    first = stacks[0]
    if "Z" in first.dimensions and selection.z is None:
        options.append(f"--z 0 to {first.dimensions['Z'] - 1} or max")
    if "C" in first.dimensions and selection.channel is None:
        options.append(f"--channel one or three of 0 to {first.dimensions['C'] - 1}")
    total = sum(stack.pages for stack in stacks)
    if total > 1 and selection.page is None:
        options.append(f"--page 0 to {total - 1}")
    return f"holds {_holds(stacks)} ({first.dialect}); choose with {', '.join(options)}"


def _holds(stacks: list[Stack]) -> str:
    """For people: "2 planes x 3 channels", or a list of images or levels with their sizes."""
    if len(stacks) == 1:
        found = [f"{n} {_NAMES.get(axis, f'of {axis}')}" for axis, n in stacks[0].dimensions.items()]
        return " x ".join(found)
    sizes = []
    for stack in stacks[:_MAX_LISTED]:
        size = dict(zip(stack.axes, stack.shape, strict=True))
        inner = "".join(f" x {n} {_NAMES.get(axis, f'of {axis}')}" for axis, n in stack.dimensions.items())
        sizes.append(f"{size.get('X', 1)} x {size.get('Y', 1)}{inner}")
    more = ", ..." if len(stacks) > _MAX_LISTED else ""
    return f"{len(stacks)} images or levels ({', '.join(sizes)}{more})"


def _choice(selection: Selection) -> str:
    parts = []
    if selection.page is not None:
        parts.append(f"page {selection.page}")
    if selection.z is not None:
        parts.append("brightest plane at each point" if selection.z == "max" else f"plane {selection.z}")
    if selection.channel is not None:
        parts.append("channel " + ", ".join(map(str, selection.channel)))
    return " and ".join(parts) or "the picture"


def _coordinates(stack: Stack, page: int) -> dict[str, int]:
    """Positions along the dimensions that --page chooses."""
    sizes = [stack.dimensions[axis] for axis in stack.others]
    return dict(zip(stack.others, (int(i) for i in np.unravel_index(page, sizes)), strict=True)) if sizes else {}


def _project(stack: Stack, fixed: dict[str, int], selection: Selection, data: bytes) -> PagePixels:
    planes: Iterator[int] = iter(
        range(stack.dimensions.get("Z", 1)) if selection.z == "max" else (int(selection.z or 0),)
    )
    brightest: PagePixels | None = None
    for z in planes:
        picture = _layers(stack, {**fixed, "Z": z}, selection, data)
        if brightest is None:
            brightest = picture
        else:
            # NaN is passed on and refused later
            pixels = np.maximum(brightest.pixels, picture.pixels)
            brightest = PagePixels(pixels, brightest.bits, brightest.notes)
    assert brightest is not None
    return brightest


def _layers(stack: Stack, at: dict[str, int], selection: Selection, data: bytes) -> PagePixels:
    if "C" not in stack.dimensions:
        return _plane(stack, at, selection.channel, data)
    pictures = [_plane(stack, {**at, "C": c}, None, data) for c in selection.channel or (0,)]
    if len(pictures) == 1:
        return pictures[0]
    if any(picture.pixels.ndim != 2 for picture in pictures):
        raise Refused("its channels are colour pictures; allowed: one of them with --channel N")
    return PagePixels(np.stack([p.pixels for p in pictures], axis=2), pictures[0].bits, pictures[0].notes)


def _plane(stack: Stack, at: dict[str, int], channel: tuple[int, ...] | None, data: bytes) -> PagePixels:
    """One plane, from the page that holds it, or out of the block in which all planes lie."""
    if stack.page is not None:
        return read_page(stack.page, stack.page, channel, len(data))
    series, key = stack.series, stack.series.keyframe
    inner = len([n for n in key.shape if n > 1])
    sizes = [n for n in stack.shape if n > 1]
    axes = [axis for axis, n in zip(stack.axes, stack.shape, strict=True) if n > 1]
    outer = len(sizes) - inner
    if outer >= 0 and not {"Z", "C", "T"} & set(axes[outer:]) and tuple(sizes[outer:]) == _squeezed(key.shape):
        position = [at.get(axis, 0) for axis in axes[:outer]]
        index = int(np.ravel_multi_index(position, sizes[:outer])) if outer else 0
        if math.prod(sizes[:outer]) == len(series.pages):
            page = series.pages[index]
            if page is None:
                raise Refused("the plane lies in another file or is missing")
            return read_page(page, key, channel, len(data))
        if len(series.pages) == 1 and series.dataoffset is not None:
            return finish(_in_block(series, key, index, data), str(key.axes), key, channel)
    return _from_whole(stack, at, channel, len(data))


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(n) for n in shape if n > 1)


def _in_block(series: Any, key: Any, index: int, data: bytes) -> NDArray[Any]:
    """A plane of an uncompressed block without a page of its own (ImageJ hyperstacks, STK)."""
    if key.compression != 1 or key.fillorder != 1 or key.predictor != 1 or key.bitspersample not in (8, 16, 32, 64):
        raise Refused("planes without a page of their own must not be compressed")
    check_page(key, key, len(data), chunks=False)
    kind = np.dtype(key.dtype).newbyteorder(key.parent.byteorder)
    count = math.prod(key.shape)
    start = int(series.dataoffset) + index * count * kind.itemsize
    if start + count * kind.itemsize > len(data):
        raise Refused("is cut off: planes of the stack lie outside the file")
    block = np.frombuffer(data, kind, count, start).reshape(key.shape)
    return block.astype(kind.newbyteorder("="))


def _from_whole(stack: Stack, at: dict[str, int], channel: tuple[int, ...] | None, n_bytes: int) -> PagePixels:
    """A plane cut out of the whole stack, for layouts in which planes and pages are not the same."""
    series, key = stack.series, stack.series.keyframe
    if math.prod(stack.shape) * np.dtype(series.dtype).itemsize > 2**29:
        raise Refused("is too large to be read as a whole, which its layout needs")
    for page in series.pages:
        if page is None:
            raise Refused("planes lie in another file or are missing")
        check_page(page, key, n_bytes, chunks=len(series.pages) > 1 or not series.dataoffset)
    whole = np.asarray(series.asarray(maxworkers=1)).reshape(stack.shape)
    where = tuple(slice(None) if axis in "YXS" else at.get(axis, 0) for axis in stack.axes)
    axes = "".join(axis for axis in stack.axes if axis in "YXS")
    return finish(whole[where], axes, key, channel)
