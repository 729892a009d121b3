"""Fixtures for every test: a cache of its own, the real Lite0 network at a small input, and tiny images."""

from __future__ import annotations

import os

# one thread in linear algebra, here and in processes that tests start: small matrices gain nothing from more, and two
# test runs on one machine would slow each other down many times; read once, when NumPy is imported
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from tests.drawn_values import N_VALUED, DrawnValues

from graticule.images.preprocess import Preprocessing
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.networks.backbones import EMBEDDED
from graticule.networks.encoder import Encoder, embedded_encoder

WriteImages = Callable[..., list[Path]]
SMALL = 48


@pytest.fixture(scope="session")
def shared_graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of ONNX graphs built during this session; their hashes are pinned, so sharing them hides nothing."""
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, shared_graphs: Path) -> Path:
    """An empty feature cache for each test, never the user's; built graphs are shared."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "graphs").symlink_to(shared_graphs, target_is_directory=True)
    monkeypatch.setenv("GRATICULE_CACHE", str(folder))
    return folder


@pytest.fixture
def lite0() -> Encoder:
    """The default network, one view, at its own input size, with the short features of earlier versions."""
    return embedded_encoder(EMBEDDED["efficientnet_lite0"], views=1, output="features")


@pytest.fixture
def encoder(lite0: Encoder) -> Encoder:
    """The default network on 48 x 48 pixels: real weights, 20 times faster."""
    return replace(lite0, preprocessing=Preprocessing(size=SMALL))


def picture(seed: int, size: tuple[int, int] = (20, 24), channels: int = 3) -> NDArray[np.uint8]:
    """Random smooth pixels of shape (height, width[, channels])."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, channels), dtype=np.uint8)
    image = PIL.Image.fromarray(coarse if channels == 3 else coarse[:, :, 0])
    return np.asarray(image.resize(size[::-1], PIL.Image.Resampling.BICUBIC))


@pytest.fixture
def write_images(tmp_path: Path) -> WriteImages:
    """Write n different PNG files below tmp_path; returns their paths in order."""

    def write(n: int, folder: str = "images", first: int = 0) -> list[Path]:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        files = [target / f"{i:03d}.png" for i in range(first, first + n)]
        for i, file in enumerate(files, first):
            PIL.Image.fromarray(picture(i)).save(file)
        return files

    return write


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> DrawnValues:
    """120 pictures of 24 specimens with a number each, in a table."""
    made = DrawnValues(tmp_path_factory.mktemp("planted") / "images", N_VALUED)
    made.plant()
    made.value_table()
    return made


@pytest.fixture(scope="session")
def value_table(planted: DrawnValues) -> Path:
    """Their table."""
    return planted.folder.parent / "values.csv"


@pytest.fixture(scope="session")
def valued_run(planted: DrawnValues, value_table: Path) -> Path:
    """A run on them with a held-out part."""
    options = TrainOptions(
        target="fraction",
        target_min=0.0,
        target_max=1.0,
        folds=4,
        test_size=0.2,
        tolerance=0.05,
        head="ridge",
        features="network",
    )
    with pytest.MonkeyPatch.context() as patch, planted.instead_of_pixels():
        patch.setenv("GRATICULE_CACHE", str(value_table.parent / "cache"))
        train(value_table, value_table.parent / "run", options)
    return value_table.parent / "run"
