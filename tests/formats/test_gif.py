"""GIF: the first frame, complete or refused."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import PIL.Image
from tests.formats.pictures import RGB, SMOOTH, read, refused, saved


def test_gif_gives_its_first_frame() -> None:
    palette = PIL.Image.fromarray(RGB).quantize(8)
    data = saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)])
    image = read(data)
    np.testing.assert_array_equal(image.pixels, np.asarray(palette.convert("RGB")))
    assert image.notes == ("first of 2 frames",)
    independent = np.asarray(imagecodecs.gif_decode(data))
    np.testing.assert_array_equal(image.pixels, independent[0, :, :, :3])


def test_gif_faults() -> None:
    palette = PIL.Image.fromarray(SMOOTH).quantize(64)
    data = saved(palette, "GIF")
    for share in (0.1, 0.5, 0.9):
        assert refused(data[: int(len(data) * share)], "cut off")
    assert read(data[:-1]).notes == ("the end mark of the GIF file is missing",)
    frame = data.index(b"\x2c\0\0\0\0")
    taller = bytearray(data)
    for place in (8, frame + 7):
        struct.pack_into("<H", taller, place, 2 * SMOOTH.shape[0])
    assert refused(bytes(taller), "cannot be decoded")  # the stream ends at half of the height
