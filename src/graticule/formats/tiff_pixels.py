"""Pixels of one TIFF page: checked to be all there, then turned into grey or RGB of which black is 0."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from graticule.formats.colour import choose_channels, flatten_alpha, inks_to_rgb, invert, scale_to_byte, upright
from graticule.formats.raster import Refused, check_size

_PHOTO = tifffile.PHOTOMETRIC
_EXTRA = tifffile.EXTRASAMPLE
_GREY = (_PHOTO.MINISWHITE, _PHOTO.MINISBLACK)
_COLOURS = {_PHOTO.RGB: 3, _PHOTO.PALETTE: 1, _PHOTO.SEPARATED: 4, _PHOTO.YCBCR: 3, **dict.fromkeys(_GREY, 1)}
_JPEG = (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG)
_MAX_SAMPLE_VALUE = 281


@dataclass(frozen=True)
class PagePixels:
    """Pixels of a page, upright, grey or RGB, with significant bits and notes."""

    pixels: NDArray[Any]
    bits: int
    notes: tuple[str, ...]


def read_page(page: Any, key: Any, channel: tuple[int, ...] | None, n_bytes: int) -> PagePixels:
    """Read one page.

    Parameters
    ----------
    page : tifffile page or frame
        Where the data lie.
    key : tifffile page
        Its tags; the page itself, or the key frame of its series.
    channel : tuple of 1 or 3 int, or None
        Samples that become the picture; None: what the page declares as grey or colour.
    n_bytes : int
        Size of the file.

    Raises
    ------
    Refused
        When data are missing, the page is too large, or its kind is not supported.
    """
    check_page(page, key, n_bytes)
    return finish(page.asarray(maxworkers=1), str(key.axes), key, channel)


def check_page(page: Any, key: Any, n_bytes: int, *, chunks: bool = True) -> None:
    """Refuse a page that is too large, of another colour model, or not all there (tifffile would fill in zeros)."""
    samples = max(1, int(key.samplesperpixel))
    if key.dtype is None:
        raise Refused(f"samples of {key.bitspersample} bits, sample format {key.sampleformat}, are not supported")
    width = samples * np.dtype(key.dtype).itemsize
    if key.photometric not in _GREY and key.bitspersample == 32 and key.tags.get("SampleFormat") is None:
        # whole numbers by the standard, fractional ones by the writers that are known to leave the tag out
        raise Refused("is it whole or fractional numbers? Its colour samples of 32 bits lack the tag SampleFormat")
    depth = max(1, int(key.imagedepth))
    check_size(key.imagelength * depth, key.imagewidth, width)
    if key.is_tiled:
        check_size(key.tilelength, key.tilewidth, width)
    else:
        check_size(min(max(1, key.rowsperstrip), key.imagelength), key.imagewidth, width)
    photometric = key.photometric
    if photometric not in _COLOURS:
        raise Refused(f"TIFF of colour model {getattr(photometric, 'name', photometric)} is not supported")
    if photometric == _PHOTO.YCBCR and key.compression not in _JPEG:
        raise Refused("TIFF of colour model YCBCR is supported with JPEG compression only")
    if not chunks:
        return
    offsets, sizes = page.dataoffsets, page.databytecounts
    if page.is_contiguous:  # one plain block, whatever the sizes of its strips are said to be
        offsets, sizes = offsets[:1], (key.nbytes,)
    elif min(len(offsets), len(sizes)) < math.prod(key.chunked):
        raise Refused(f"lacks some of its {math.prod(key.chunked)} strips or tiles")
    for offset, size in zip(offsets, sizes, strict=False):
        if size <= 0 or offset <= 0 or offset + size > n_bytes:
            raise Refused("is cut off: a strip or tile lies outside the file")


def finish(pixels: NDArray[Any], axes: str, key: Any, channel: tuple[int, ...] | None) -> PagePixels:
    """Samples as stored to a picture.

    Parameters
    ----------
    pixels : array
    axes : str
        "YX", "YXS" or "SYX".
    key : tifffile page
        Whose tags apply.
    channel : tuple of 1 or 3 int, or None

    Raises
    ------
    Refused
        When the samples are not grey or colour and `channel` does not choose, or are of a type not supported.
    """
    if axes == "SYX":
        pixels, axes = np.moveaxis(pixels, 0, -1), "YXS"
    if axes not in ("YX", "YXS"):
        raise Refused(f"holds more than one picture (axes {axes})")
    pixels, bits = _plain_type(pixels, key)
    notes: tuple[str, ...] = ()
    if key.photometric == _PHOTO.PALETTE:
        pixels, bits = _through_palette(pixels, key), 8
    else:
        if bits < 8 and pixels.dtype.kind == "u":
            pixels, bits = scale_to_byte(pixels, bits), 8
        if key.photometric == _PHOTO.MINISWHITE:
            pixels = invert(pixels, bits)
        if channel is None or key.photometric == _PHOTO.SEPARATED:
            pixels, notes = _colour(pixels, bits, key)
    pixels = choose_channels(pixels, channel)
    tag = key.tags.get("Orientation")
    orientation = tag.value if tag is not None and isinstance(tag.value, int) else 1
    return PagePixels(upright(pixels, int(orientation)), bits, notes)


def _plain_type(pixels: NDArray[Any], key: Any) -> tuple[NDArray[Any], int]:
    """Samples in a type that the program knows, and their significant bits."""
    stored = key.bitspersample
    kind = pixels.dtype.kind
    if kind == "b":
        return pixels.astype(np.uint8), 1
    if kind == "f":
        pixels = pixels.astype(np.float32) if pixels.dtype.itemsize == 2 else pixels
        return pixels, 8 * pixels.dtype.itemsize
    if kind not in "ui":
        raise Refused(f"pixels of type {pixels.dtype} are not supported; allowed: integers and fractional numbers")
    if pixels.dtype.itemsize == 8:
        narrow = np.dtype(f"{kind}4")
        limits = np.iinfo(narrow)
        if pixels.size and (pixels.min() < limits.min or pixels.max() > limits.max):
            raise Refused("64-bit integers beyond the range of 32 bits are not supported")
        return pixels.astype(narrow), 32
    full = 8 * pixels.dtype.itemsize
    if isinstance(stored, tuple):  # tifffile has scaled channels of unequal depth to the full range
        return pixels, full
    bits = min(int(stored), full)
    if kind == "u" and bits < full and pixels.size and int(pixels.max()) >> bits:
        raise Refused(f"is damaged: its values have more than the {bits} bits that it declares")
    if bits == 16 and kind == "u":
        bits = _said_bits(pixels, key)
    return pixels, bits


def _said_bits(pixels: NDArray[Any], key: Any) -> int:
    """Significant bits of 16-bit samples whose largest possible value is said in tag MaxSampleValue."""
    tag = key.tags.get(_MAX_SAMPLE_VALUE)
    value = tag.value if tag is not None else None
    top = max(value) if isinstance(value, tuple) and value else value
    if isinstance(top, int) and 255 < top < 65535 and not top & (top + 1) and int(pixels.max(initial=0)) <= top:
        return top.bit_length()
    return 16


def _through_palette(pixels: NDArray[Any], key: Any) -> NDArray[np.uint8]:
    colours = key.colormap
    if colours is None or pixels.ndim != 2 or pixels.dtype.kind != "u":
        raise Refused("is damaged: its palette is missing, or its pixels are no palette indices")
    largest = int(pixels.max(initial=0))
    if largest >= colours.shape[1]:
        raise Refused(f"is damaged: colour {largest} of a palette of {colours.shape[1]}")
    # values of v x 256 as of v x 257; some writers store 8 bits
    table = (colours if int(colours.max()) < 256 else colours >> 8).T.astype(np.uint8)
    return np.ascontiguousarray(table[pixels])


def _colour(pixels: NDArray[Any], bits: int, key: Any) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Grey or RGB from samples with inks, transparency and extra channels."""
    if pixels.ndim == 2:
        return pixels, ()
    base, channels = _COLOURS[key.photometric], pixels.shape[2]
    extra = tuple(key.extrasamples)
    if key.tags.get("ExtraSamples") is None:
        # some writers leave out what the fourth channel is; Pillow and libtiff take it for transparency too
        rgba = key.photometric == _PHOTO.RGB and channels == 4 and bool(pixels[:, :, 3].any())
        extra = (_EXTRA.UNASSALPHA,) if rgba else (_EXTRA.UNSPECIFIED,) * max(0, channels - base)
    if key.photometric in _GREY and channels > 2:
        raise Refused(f"holds {channels} channels; choose with --channel one or three of 0 to {channels - 1}")
    if channels < base:
        raise Refused(f"is damaged: {channels} channels of a colour model with {base}")
    alpha = next((i for i, kind in enumerate(extra[: channels - base]) if kind != _EXTRA.UNSPECIFIED), None)
    notes: tuple[str, ...] = ()
    if channels - base > (alpha is not None):
        notes = (f"{channels - base - (alpha is not None)} extra channels were passed over",)
    colour = pixels[:, :, :base]
    if key.photometric == _PHOTO.SEPARATED:
        inks = key.tags.get("InkSet")
        if pixels.dtype.kind != "u" or (inks is not None and inks.value != 1):
            raise Refused("inks other than cyan, magenta, yellow and black as whole numbers are not supported")
        colour = inks_to_rgb(colour, 2**bits - 1)
    if alpha is None:
        return choose_channels(colour, (0,)) if base == 1 else np.ascontiguousarray(colour), notes
    opacity = pixels[:, :, base + alpha]
    if pixels.dtype.kind != "u":
        if not (opacity == (1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max)).all():
            raise Refused("transparency of signed or fractional samples is not supported")
        return choose_channels(colour, (0,)) if base == 1 else np.ascontiguousarray(colour), notes
    premultiplied = extra[alpha] == _EXTRA.ASSOCALPHA
    both = np.concatenate([colour, opacity[:, :, None]], axis=2)
    return flatten_alpha(both, 2**bits - 1, premultiplied=premultiplied), notes
