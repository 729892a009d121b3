"""The sizes of images, told by a look at some of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image

from graticule.formats.selection import Selection
from graticule.images.decode import ImageFile
from graticule.images.sides import longer_side, longer_sides


def write(file: Path, width: int, height: int) -> ImageFile:
    PIL.Image.fromarray(np.full((height, width), 7, np.uint8)).save(file)
    return ImageFile(file)


def test_the_longer_side(tmp_path: Path) -> None:
    assert longer_side(write(tmp_path / "a.png", 20, 30), Selection()) == 30
    assert longer_side(write(tmp_path / "b.png", 40, 30), Selection()) == 40


def test_what_cannot_be_read_has_no_side(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{i}.png", 10 + i, 5) for i in range(6)]
    files[2].path.write_bytes(b"no image")
    assert sorted(longer_sides(files, Selection(), workers=1)) == [10, 11, 13, 14, 15]
    assert sorted(longer_sides(files, Selection(), workers=1, most=2)) == [10, 15]
