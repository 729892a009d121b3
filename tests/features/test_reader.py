"""Settling how images are read, and what training left outside the window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
from tests.features.here import WriteImages

from graticule.arrays import object_array
from graticule.features.reader import settle
from graticule.images.options import ReadingOptions
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.progress import Silent


class Told(Silent):
    """What was begun, and how often it went on."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None]] = []
        self.done: list[int] = []

    def begin(self, text: str, total: int | None = None) -> None:
        self.begun.append((text, total))

    def advance(self, done: int) -> None:
        self.done.append(done)


def manifest_of(files: list[Path]) -> Manifest:
    return Manifest(files[0].parent, object_array([file.name for file in files]), object_array(["a"] * len(files)))


def test_the_encoder_is_the_same_network_on_the_settled_reading(write_images: WriteImages, encoder: Encoder) -> None:
    manifest = manifest_of(write_images(3))
    settled, reading = settle(manifest, encoder, ReadingOptions(), workers=1, reporter=Silent())
    assert settled.model is encoder.model
    assert settled.preprocessing == reading.preprocessing
    assert settled.preprocessing.size == encoder.preprocessing.size
    assert settled.n_features == encoder.n_features
    sized, _ = settle(manifest, encoder, ReadingOptions(size_features=True), workers=1, reporter=Silent())
    assert sized.n_features == encoder.n_features + 2


def test_images_are_looked_at_where_the_window_depends_on_them(tmp_path: Path, encoder: Encoder) -> None:
    for i in range(2):
        PIL.Image.fromarray(np.full((9, 9), 300 + 1000 * i, np.uint16)).save(tmp_path / f"{i}.tif")
    told = Told()
    settle(manifest_of(sorted(tmp_path.glob("*.tif"))), encoder, ReadingOptions(), workers=1, reporter=told)
    assert not told.done or told.begun == [("looking at pixel values", 2)]
