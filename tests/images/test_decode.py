"""One file to hashes, network input and facts; unreadable files keep what is known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile

from graticule.images.decode import ImageFile, decode_file
from graticule.images.image import read_image
from graticule.images.intensity import Intensity
from graticule.images.preprocess import Preprocessing, prepare

WriteImages = Callable[..., list[Path]]
SETTINGS = Preprocessing(16)


def test_a_decoded_file(write_images: WriteImages) -> None:
    (file,) = write_images(1)
    decoded = decode_file(ImageFile(file), SETTINGS)
    assert decoded.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert decoded.pixel_sha256 == read_image(file).digest()
    assert (decoded.width, decoded.height, decoded.mode, decoded.error) == (24, 20, "RGB, 8 bit", "")
    np.testing.assert_array_equal(decoded.pixels, prepare(read_image(file), SETTINGS))


def test_without_facts_all_that_decides_a_score_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "deep.tif"
    tifffile.imwrite(file, np.arange(600, dtype=np.uint16).reshape(20, 30))
    window = Preprocessing(16, intensity=Intensity(windows=(("16 bit", 0.0, 299.0),)))
    whole, part = (decode_file(ImageFile(file), window, facts=facts) for facts in (True, False))
    np.testing.assert_array_equal(part.pixels, whole.pixels)
    assert part.outside == whole.outside == (0.0, 0.5)
    assert (part.pixel_sha256, part.facts, part.key) == ("", b"", "")
    assert whole.pixel_sha256
    assert whole.facts
    assert whole.key
    kept = [(d.sha256, d.width, d.height, d.mode, d.error) for d in (whole, part)]
    assert kept[0] == kept[1]


def test_unreadable_files_keep_what_is_known(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    decoded = decode_file(ImageFile(broken), SETTINGS)
    assert decoded.sha256 == hashlib.sha256(b"not a picture").hexdigest()
    assert decoded.pixels is None
    assert "neither JPEG, PNG nor TIFF" in decoded.error
    assert str(broken) not in decoded.error
    gone = decode_file(ImageFile(tmp_path / "gone.png"), SETTINGS)
    assert (gone.sha256, gone.pixels, gone.error) == ("", None, "No such file or directory")
