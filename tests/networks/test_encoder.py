"""An encoder and its feature space: each ingredient counts, and the graph is built once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graticule.errors import OptionError
from graticule.images.preprocess import Preprocessing
from graticule.networks import encoder as encoder_module
from graticule.networks.backbones import EMBEDDED, GRAPHS, weights_file
from graticule.networks.encoder import Encoder, embedded_encoder
from graticule.networks.session import Network

LITE0 = EMBEDDED["efficientnet_lite0"]


def test_every_ingredient_changes_the_space(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    spaces = {
        encoder.space(),
        replace(encoder, views=4).space(),
        replace(encoder, preprocessing=Preprocessing(64)).space(),
        replace(encoder, model=encoder.model + b"\0").space(),
        replace(encoder, output="penultimate").space(),
    }
    same = replace(encoder, backbone="another name").space()
    monkeypatch.setattr(encoder_module, "READER_VERSION", "another")
    spaces.add(encoder.space())
    assert len(spaces) == 6
    assert same in spaces


def test_embedded_encoders(lite0: Encoder) -> None:
    assert (lite0.backbone, lite0.n_features, lite0.preprocessing.size) == ("efficientnet_lite0", 992, 224)
    plain = embedded_encoder(LITE0, views=4, output="penultimate")
    assert (plain.n_features, plain.views) == (1280, 4)
    pixels = np.zeros((1, 32, 32, 3), np.uint8)
    assert Network(plain.model, plain.output)(pixels).shape == (1, 1280)
    assert Network(lite0.model, lite0.output)(pixels).shape == (1, 992)
    assert len(repr(lite0)) < 1000 < len(lite0.model)


def test_views_are_checked_early() -> None:
    with pytest.raises(OptionError, match="--views 3 is not possible; allowed: 1, 4, 8"):
        embedded_encoder(LITE0, views=3)


@pytest.fixture
def own_graphs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache whose folder of graphs is not shared."""
    monkeypatch.setenv("GRATICULE_CACHE", str(tmp_path / "home"))
    return tmp_path / "home" / "graphs"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Notes each time a graph is built."""
    built: list[object] = []
    build = encoder_module._build
    monkeypatch.setattr(encoder_module, "_build", lambda *a: built.append(a) or build(*a))
    return built


def test_the_graph_is_built_once(own_graphs: Path, builds: list[object]) -> None:
    one, other = (embedded_encoder(LITE0, views=1) for _ in range(2))
    assert one.model == other.model
    assert len(builds) == 1
    (file,) = own_graphs.iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    assert embedded_encoder(LITE0, views=1).model == one.model
    assert len(builds) == 2
    assert embedded_encoder(LITE0, views=1).model == one.model
    assert len(builds) == 2


def test_a_poisoned_graph_under_any_name_is_not_used(own_graphs: Path, builds: list[object]) -> None:
    honest = embedded_encoder(LITE0, views=1).model
    (file,) = own_graphs.iterdir()
    poison = honest.replace(b"blocks.2.mean", b"blocks.2.MEAN")
    named = hashlib.sha256(poison).hexdigest()
    for name in (file.name, f"{named}.onnx", f"{file.stem[:16]}-{named}.onnx", f"{'0' * 64}.onnx"):
        (own_graphs / name).write_bytes(poison)
    assert embedded_encoder(LITE0, views=1).model == honest
    assert file.read_bytes() == honest
    assert len(builds) == 2


@pytest.mark.parametrize("backbone", EMBEDDED)
@pytest.mark.parametrize("output", ["statistics", "features", "penultimate"])
def test_the_pinned_hashes_are_those_of_the_graphs_built_here(backbone: str, output: str) -> None:
    spec = EMBEDDED[backbone]
    if weights_file(spec) is None:
        pytest.skip(f"the package {spec.package} is not installed")
    built = hashlib.sha256(encoder_module._build(spec, output)).hexdigest()
    assert built == GRAPHS[backbone, output], "the builder changed, or onnx writes other bytes: pin this hash"


def test_a_graph_that_is_not_pinned_is_not_kept(own_graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GRAPHS, ("efficientnet_lite0", "statistics"), "0" * 64)
    encoder = embedded_encoder(LITE0, views=1)
    assert hashlib.sha256(encoder.model).hexdigest() != "0" * 64
    assert not own_graphs.exists()
    other = replace(LITE0, layers=LITE0.layers[:1], channels=LITE0.channels[:1])
    assert len(embedded_encoder(other, views=1).model) < len(encoder.model)
    assert not own_graphs.exists()


def test_a_cache_that_cannot_be_written_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lite0: Encoder
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("GRATICULE_CACHE", str(blocked))
    assert embedded_encoder(LITE0, views=1, output="features").model == lite0.model
