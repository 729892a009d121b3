"""From stored samples to grey or RGB: orientation, transparency, inks, bit depths. Pure functions over arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.formats.raster import Refused

_BAND = 1 << 20  # samples worked on at a time, so that intermediate arrays stay small


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Apply an EXIF/TIFF orientation (1 to 8); other values count as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def flatten_alpha(pixels: NDArray[Any], top: int, *, premultiplied: bool = False) -> NDArray[Any]:
    """Grey or RGB with or without alpha to grey or RGB on a white background.

    Parameters
    ----------
    pixels : unsigned integer array, shape (height, width) or (height, width, 1 to 4)
    top : int
        Value of white and of full opacity.
    premultiplied : bool
        Colours are stored already multiplied by alpha.

    Returns
    -------
    array of the same type, shape (height, width) or (height, width, 3)
    """
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2]
    if channels in (1, 3):
        return np.ascontiguousarray(pixels[:, :, 0]) if channels == 1 else pixels
    if channels not in (2, 4):
        raise Refused(f"{channels} channels; allowed: grey or RGB, with or without transparency")
    flat = np.empty((*pixels.shape[:2], channels - 1), pixels.dtype)
    step = max(1, _BAND // max(1, pixels.shape[1] * channels))
    for row in range(0, len(pixels), step):
        band = pixels[row : row + step]
        colour, alpha = band[:, :, :-1].astype(np.float64), band[:, :, -1:].astype(np.float64) / top
        shown = colour if premultiplied else colour * alpha
        flat[row : row + step] = np.rint(np.minimum(shown + top * (1.0 - alpha), top))
    return np.ascontiguousarray(flat[:, :, 0]) if channels == 2 else flat


def inks_to_rgb(pixels: NDArray[Any], top: int) -> NDArray[Any]:
    """Cyan, magenta, yellow and black inks (0 = no ink) to RGB without a colour profile: R = (1 - C) (1 - K).

    Parameters
    ----------
    pixels : uint8 or uint16 array, shape (height, width, 4)
    top : int
        Full ink.
    """
    rgb = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    step = max(1, _BAND // max(1, pixels.shape[1] * 4))
    for row in range(0, len(pixels), step):
        paper = top - pixels[row : row + step].astype(np.int64)
        rgb[row : row + step] = (paper[:, :, :3] * paper[:, :, 3:] + top // 2) // top
    return rgb


def ycbcr_to_rgb(pixels: NDArray[Any], bits: int, *, partial: bool = False) -> NDArray[Any]:
    """Luminance and chrominance to RGB by the factors of ITU-R BT.601, as in JFIF and DICOM (PS3.3 C.7.6.3.1.2).

    Parameters
    ----------
    pixels : unsigned integer array, shape (height, width, 3)
        Y, Cb, Cr; chrominance 0 lies in the middle of the range.
    bits : int
        Significant bits.
    partial : bool
        Whether luminance takes 16 to 235 of 256 and chrominance 16 to 240, instead of the full range.

    Returns
    -------
    array of the same type and shape, rounded and cut to the range
    """
    top, middle = 2**bits - 1, 2.0 ** (bits - 1)
    foot = 2.0 ** (bits - 4) if partial else 0.0
    light, tint = (255 / 219, 255 / 224) if partial else (1.0, 1.0)
    rgb = np.empty_like(pixels)
    step = max(1, _BAND // max(1, pixels.shape[1] * 3))
    for row in range(0, len(pixels), step):
        band = pixels[row : row + step].astype(np.float64)
        y, blue, red = light * (band[..., 0] - foot), tint * (band[..., 1] - middle), tint * (band[..., 2] - middle)
        colours = (y + 1.402 * red, y - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587, y + 1.772 * blue)
        for channel, values in enumerate(colours):
            rgb[row : row + step, :, channel] = np.clip(np.rint(values), 0, top)
    return rgb


def scale_to_byte(pixels: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Values of 1 to 7 bits scaled to the full range of 8 bits, rounded."""
    top = 2**bits - 1
    table = ((np.arange(256, dtype=np.uint32) * 255 + top // 2) // top).astype(np.uint8)
    scaled: NDArray[np.uint8] = table[pixels.astype(np.uint8, copy=False)]
    return scaled


def invert(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """White is 0 to black is 0, for integers: the largest value of that many bits less the value; -1 - v if signed."""
    if pixels.dtype.kind == "f":
        raise Refused("fractional values of which white is 0 are not supported")
    if pixels.dtype.kind == "i":
        return np.asarray(np.invert(pixels))
    return np.asarray(pixels.dtype.type(2**bits - 1) - pixels)


def choose_channels(pixels: NDArray[Any], channel: tuple[int, ...] | None) -> NDArray[Any]:
    """One channel as grey, or three as RGB; all when None.

    Parameters
    ----------
    pixels : array, shape (height, width) or (height, width, channels)
    channel : tuple of 1 or 3 int, or None

    Raises
    ------
    Refused
        When there is no such channel.
    """
    if channel is None:
        return pixels
    count = 1 if pixels.ndim == 2 else pixels.shape[2]
    if max(channel) >= count:
        raise Refused(f"has no channel {max(channel)}; allowed: --channel 0 to {count - 1}")
    layers = pixels[:, :, None] if pixels.ndim == 2 else pixels
    chosen = layers[:, :, channel[0]] if len(channel) == 1 else layers[:, :, list(channel)]
    return np.ascontiguousarray(chosen)


def grey_if_equal(pixels: NDArray[Any]) -> NDArray[Any]:
    """RGB whose channels are equal everywhere becomes grey; a sparse sample answers first."""
    if pixels.ndim == 2:
        return pixels
    for sample in (pixels[::16], pixels):
        if not (np.array_equal(sample[..., 0], sample[..., 1]) and np.array_equal(sample[..., 0], sample[..., 2])):
            return pixels
    return np.ascontiguousarray(pixels[..., 0])
