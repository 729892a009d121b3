"""Whole runs in seconds: every verb as it is, on features that are drawn in place of a network's.

What reads pixels is replaced: settling the reading, the search for near-duplicates, and the pass through the network.
All the rest is the program: manifests, folds, heads, calibration, the bundle on disk, decisions, reports.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx
import PIL.Image
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from graticule.features.rows import FileRow
from graticule.features.samples import Samples
from graticule.images.decode import Decoded, ImageFile, decode_file
from graticule.images.preprocess import Preprocessing
from graticule.images.reading import Reading
from graticule.networks.encoder import Encoder, WeightsInfo
from graticule.split.kinship import Kinship

KINDS = ("a", "b", "c")
N_FEATURES = 24
SIDE = 16


def small_network() -> bytes:
    """Mean colour times a matrix: pixels in, 24 features out."""
    weights = np.random.default_rng(0).normal(size=(3, N_FEATURES)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["colour"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["colour", "weights"], ["features"]),
    ]
    shown = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", N_FEATURES])]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "height", "width", 3])
    graph = helper.make_graph(nodes, "drawn", [pixels], shown, [numpy_helper.from_array(weights, "weights")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def small_encoder() -> Encoder:
    """The small network as an encoder."""
    weights = WeightsInfo("0" * 64, "MIT", "drawn")
    return Encoder("drawn", small_network(), Preprocessing(size=SIDE), 1, N_FEATURES, weights=weights)


def features_of(y: NDArray[np.int64], seed: int, distance: float = 1.2) -> NDArray[np.float32]:
    """Features of three kinds that overlap a little; shape (n, 24)."""
    rng = np.random.default_rng(seed)
    raw = 3 + distance * np.eye(3)[y] @ rng.normal(size=(3, N_FEATURES)) + rng.normal(size=(len(y), N_FEATURES))
    return np.asarray(np.sign(raw) * raw**2, np.float32)


@dataclass
class Drawn:
    """A folder of n small pictures of three kinds in turn, and the features that stand for them."""

    folder: Path
    n: int
    features: NDArray[np.float32] = field(init=False)
    info: dict[Path, tuple[int, Decoded]] = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.info = {}
        for i in range(self.n):
            file = self.folder / f"{i:05d}.png"
            PIL.Image.fromarray(rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)).save(file)
            decoded = decode_file(ImageFile(file), Preprocessing(size=SIDE))
            self.info[file.resolve()] = i, replace(decoded, pixels=None)
        self.draw(0)

    @property
    def y(self) -> NDArray[np.int64]:
        """Kind of each picture."""
        return np.arange(self.n) % len(KINDS)

    def draw(self, seed: int, distance: float = 1.2) -> None:
        """Other features for the same pictures."""
        self.features = features_of(self.y, seed, distance)

    def table(self, name: str, n: int | None = None, *, groups: int = 0, wrong: int = 0) -> Path:
        """A manifest of the first n pictures beside their folder.

        In so many groups; 0: without groups. Every so manyth label is wrong on purpose; 0: none is.
        """
        rows = ["path,label,group" if groups else "path,label"]
        for i in range(n or self.n):
            kind = (i + bool(wrong and i % wrong == 0)) % 3
            own = f"{self.folder.name}/{i:05d}.png,{KINDS[kind]}"
            rows.append(f"{own},g{i // 3 % groups}" if groups else own)
        file = self.folder.parent / name
        file.write_text("\n".join(rows) + "\n")
        return file

    def _rows(self, files: Iterable[ImageFile], _encoder: Encoder, **_: Any) -> Generator[FileRow, None, None]:
        for file in files:
            i, decoded = self.info[file.path.resolve()]
            yield FileRow(self.features[i], decoded, False)

    @contextlib.contextmanager
    def instead_of_pixels(self) -> Iterator[Encoder]:
        """The verbs take these features while it lasts."""
        encoder = small_encoder()
        reading = Reading(encoder.preprocessing, "as stored", "drawn")
        with (
            mock.patch("graticule.jobs.train.job.network_and_reading", return_value=(encoder, reading)),
            mock.patch("graticule.jobs.train.values.network_and_reading", return_value=(encoder, reading)),
            mock.patch("graticule.split.division.relate", unrelated),
            mock.patch("graticule.features.engines.local.rows", self._rows),
        ):
            yield encoder


def unrelated(samples: Samples, *_: Any) -> Kinship:
    """No picture is a copy of another."""
    alone = np.arange(len(samples.manifest))
    return Kinship([], alone, alone)
