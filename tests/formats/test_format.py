"""A format of which one picture is read follows an option or is refused."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
from tests.formats.pictures import RGB, SMOOTH, read, saved

from graticule.errors import ImageError
from graticule.formats.selection import Selection


def test_a_single_picture_takes_selections_that_fit() -> None:
    data = saved(RGB, "PNG")
    np.testing.assert_array_equal(read(data, selection=Selection(z="max", channel=(2,), page=0)).pixels, RGB[:, :, 2])
    np.testing.assert_array_equal(read(data, selection=Selection(z=0, channel=(2, 1, 0))).pixels, RGB[:, :, ::-1])
    for selection, cause in (
        (Selection(z=1), "--z 0 or max"),
        (Selection(page=1), "--page 0"),
        (Selection(channel=(3,)), "--channel 0 to 2"),
    ):
        with pytest.raises(ImageError, match=cause):
            read(data, selection=selection)


def test_of_several_frames_the_first_is_read_or_the_option_is_refused() -> None:
    frames = [PIL.Image.fromarray(SMOOTH), PIL.Image.fromarray(SMOOTH[::-1].copy())]
    made = {kind: saved(frames[0], kind, save_all=True, append_images=frames[1:]) for kind in ("WEBP", "PNG", "MPO")}
    made["GIF"] = saved(frames[0].quantize(16), "GIF", save_all=True, append_images=[frames[1].quantize(16)])
    for data in made.values():
        first = read(data)
        for selection in (Selection(z=0), Selection(page=0), Selection(z="max", page=0)):
            assert read(data, selection=selection).digest() == first.digest()
        for selection in (Selection(z="max"), Selection(z=1), Selection(page=1)):
            with pytest.raises(ImageError, match=r"--page 0|--z 0"):
                read(data, selection=selection)
    assert read(saved(SMOOTH, "PNG"), selection=Selection(z="max")).digest() == read(saved(SMOOTH, "PNG")).digest()
