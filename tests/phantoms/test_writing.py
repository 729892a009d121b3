"""Image files keep what they are given."""

from pathlib import Path

import numpy as np
from PIL import Image

from graticule.phantoms.writing import write_jpeg, write_mask, write_png


def test_png_and_masks_keep_every_value(tmp_path: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_png(tmp_path / "a.png", grey)
    write_mask(tmp_path / "m.png", grey.astype(np.uint16) * 200)
    with Image.open(tmp_path / "a.png") as image, Image.open(tmp_path / "m.png") as mask:
        np.testing.assert_array_equal(np.asarray(image), grey)
        np.testing.assert_array_equal(np.asarray(mask), grey.astype(np.uint16) * 200)


def test_jpeg_is_smaller_the_lower_its_quality(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    for quality in (60, 95):
        write_jpeg(tmp_path / f"{quality}.jpg", noise, quality)
    sizes = [(tmp_path / f"{quality}.jpg").stat().st_size for quality in (60, 95)]
    assert sizes[0] < sizes[1]
    with Image.open(tmp_path / "95.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (64, 64))
