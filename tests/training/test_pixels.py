"""Decoded images on disk: what the network would see, in order, unreadable ones named, none half written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.images.decode import ImageFile  # noqa: E402
from graticule.images.image import read_image  # noqa: E402
from graticule.images.preprocess import Preprocessing, prepare  # noqa: E402
from graticule.training.pixels import decode_pixels, map_pixels  # noqa: E402


def test_pixels_are_those_of_prediction_and_unreadable_files_are_black_and_named(
    write_images: Callable[..., list[Path]], tmp_path: Path
) -> None:
    files = write_images(5)
    files[2].write_bytes(b"")
    done: list[int] = []
    out, reading = tmp_path / "pixels.npy", Preprocessing(size=16)
    errors = decode_pixels([ImageFile(file) for file in files], reading, out, workers=1, progress=done.append)
    assert [bool(error) for error in errors] == [False, False, True, False, False]
    assert done[-1] == 5
    pixels = map_pixels(out)
    assert pixels.shape == (5, 16, 16, 3)
    assert not pixels.flags.writeable
    assert not pixels[2].any()
    for i in (0, 4):
        np.testing.assert_array_equal(pixels[i], prepare(read_image(files[i]), reading))
    assert sorted(file.name for file in tmp_path.glob("pixels*")) == ["pixels.npy"]
