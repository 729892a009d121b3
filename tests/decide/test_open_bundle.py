"""The one door to a bundle: honest ones pass, each kind of forgery is one BundleError, whatever its checksums say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from safetensors.numpy import load
from tests import forgeries
from tests.forged_networks import network

from graticule.decide.open_bundle import open_bundle
from graticule.errors import BundleError
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, shared_graphs: Path) -> Path:
    """A bundle with linear heads, evidence, a rule and novelty."""
    folder = tmp_path_factory.mktemp("honest")
    rng = np.random.default_rng(0)
    for kind, level in (("dark", 60), ("grey", 110), ("light", 160)):
        (folder / "data" / kind).mkdir(parents=True)
        for i in range(14):
            pixels = rng.normal(level, 25, (24, 24)).clip(0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(folder / "data" / kind / f"{i}.png")
    (folder / "cache").mkdir()
    (folder / "cache" / "graphs").symlink_to(shared_graphs, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRATICULE_CACHE", str(folder / "cache"))
        train(folder / "data", folder / "run", TrainOptions(views=1, head="logistic", folds=3, workers=1))
    return folder / "run" / "model"


@pytest.fixture(scope="module")
def contents(honest: Path) -> forgeries.Contents:
    return forgeries.contents_of(honest)


def test_an_honest_bundle_holds_what_is_forged_here(contents: forgeries.Contents) -> None:
    document = json.loads(contents["bundle.json"])
    assert document["thresholds"] is not None
    assert document["calibration"] == {"method": "none"}
    assert "0.weights" in load(contents["head.safetensors"])
    assert {"evidence.proba", "novelty.evidence", "paths"} <= set(load(contents["reference.safetensors"]))


def test_honest_bundles_pass(honest: Path, contents: forgeries.Contents, tmp_path: Path) -> None:
    assert open_bundle(honest).info.n_features == 7264
    forgeries.write(tmp_path / "copied", contents)
    open_bundle(tmp_path / "copied")
    # a network of somebody else's, plainly made
    other = contents | {"model.onnx": network(7264, output="statistics").SerializeToString()}
    forgeries.write(tmp_path / "other", other)
    open_bundle(tmp_path / "other")


def test_every_kind_of_forgery_is_one_error(contents: forgeries.Contents, tmp_path: Path) -> None:
    accepted, words = [], {}
    for i, (kind, forged) in enumerate(forgeries.forgeries(contents)):
        assert kind not in words, f"{kind} stands there twice"
        assert forged != contents, kind
        forgeries.write(tmp_path / str(i), forged)
        try:
            open_bundle(tmp_path / str(i))
        except BundleError as error:
            words[kind] = str(error)
        else:
            accepted.append(kind)
            words[kind] = ""
    assert accepted == []
    assert len(words) > 150
    assert [kind for kind, text in words.items() if not text.isprintable() or len(text) > 1500] == []
