"""Embedding without worker processes, where these are not what is tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from graticule.features.engines import local
from graticule.images.decode import Decoded, ImageFile, decode_file
from graticule.images.image import read_image
from graticule.images.preprocess import Preprocessing, prepare
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network

WriteImages = Callable[..., list[Path]]


class PoolHere:
    """Stands for DecodePool where worker processes are not what is tested; counts the files it decodes."""

    decoded = 0

    def __init__(self, workers: int, preprocessing: Preprocessing, *, facts: bool, orientation: bool) -> None:
        self.preprocessing, self.facts, self.orientation = preprocessing, facts, orientation

    def __enter__(self) -> PoolHere:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, files: Sequence[ImageFile]) -> Future[list[Decoded]]:
        type(self).decoded += len(files)
        future: Future[list[Decoded]] = Future()
        measured = {"facts": self.facts, "orientation": self.orientation}
        future.set_result([decode_file(file, self.preprocessing, **measured) for file in files])
        return future

    def close(self) -> None:
        pass


@pytest.fixture
def pool_here(monkeypatch: pytest.MonkeyPatch) -> type[PoolHere]:
    pool = type("CountingPool", (PoolHere,), {"decoded": 0})
    monkeypatch.setattr(local, "DecodePool", pool)
    return pool


def images_of(files: list[Path]) -> list[ImageFile]:
    return [ImageFile(file) for file in files]


def expected_features(files: list[Path], encoder: Encoder) -> np.ndarray:
    """One file after another, without pool, threads and cache."""
    network = Network(encoder.model)
    pixels = [prepare(read_image(file), encoder.preprocessing)[None] for file in files]
    return np.concatenate([network.averaged(picture, encoder.views) for picture in pixels])
