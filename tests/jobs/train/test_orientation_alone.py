"""`train --target --features orientation`: no network is asked, in training or by the bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest
from tests.directions.scenes import wires
from tests.test_bundle import resummed

from graticule.decide.open_value_bundle import open_value_bundle
from graticule.directions.features import feature_names
from graticule.errors import BundleError, OptionError
from graticule.explain.options import ExplainOptions
from graticule.features.engines import local
from graticule.jobs.explain.values import explain_model
from graticule.jobs.options import PredictOptions
from graticule.jobs.predict import predict
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.networks.encoder import NO_NETWORK
from graticule.values import read_values

N, SIDE = 40, 72


def _forbidden(*_: object, **__: object) -> None:
    raise AssertionError("a network was opened")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wires of which a share is aligned, with the share in a table; four pictures a specimen."""
    folder = tmp_path_factory.mktemp("wires")
    rows = ["path,share,group"]
    for i in range(N):
        share = round(0.1 + 0.8 * i / (N - 1), 3)
        grey = np.clip(wires(7.0 * i, share=share, side=SIDE, n=40, seed=i), 0, 255).astype(np.uint8)
        PIL.Image.fromarray(grey).save(folder / f"{i:02d}.png")
        rows.append(f"{i:02d}.png,{share},s{i % 10}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def trained(pictures: Path) -> Path:
    options = TrainOptions(
        target="share",
        target_min=0,
        target_max=1,
        features="orientation",
        head="kernel",
        folds=4,
        test_size=0.2,
        workers=1,
    )
    out = pictures.parent / f"{pictures.name}-run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "Network", _forbidden)
        train(pictures / "table.csv", out, options)
    return out


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run that a test may change; no network may be opened."""
    monkeypatch.setattr(local, "Network", _forbidden)
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_training_and_prediction_ask_no_network(run: Path, pictures: Path, tmp_path: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert (record["embedding"]["backbone"], record["embedding"]["model_sha256"]) == (NO_NETWORK, "")
    assert record["embedding"]["n_features"] == len(feature_names())
    assert any("novelty and nearest images rest on the orientation statistics" in one for one in record["warnings"])
    assert "no network was asked" in (run / "report.html").read_text()
    assert "without a network" in (run / "model" / "MODEL_CARD.md").read_text()
    assert not (run / "model" / "model.onnx").exists()
    assert "model.onnx" not in (run / "model" / "SHA256SUMS").read_text()
    summary = predict(run, pictures, tmp_path / "said", PredictOptions(workers=1))
    assert summary["novelty"] is None or summary["novelty"]["features"] == "orientation statistics"
    rows = pq.read_table(tmp_path / "said" / "predictions-00000.parquet").to_pydict()
    said = dict(zip(rows["path"], rows["value"], strict=True))
    test = read_values(run / "predictions.parquet").of_part("test")
    np.testing.assert_allclose([said[Path(path).name] for path in test.path], test.value, atol=1e-6)


def test_a_bundle_without_its_network_is_told(run: Path) -> None:
    model = run / "model"
    assert open_value_bundle(model).model == b""
    (model / "model.onnx").write_bytes(b"something")
    with pytest.raises(BundleError, match=r"altered or damaged: model\.onnx"):
        open_value_bundle(model)
    resummed(model)
    with pytest.raises(BundleError, match=r"its network model\.onnx is none that can be used"):
        open_value_bundle(model)


def test_a_network_that_bundle_json_names_must_be_there(run: Path) -> None:
    model = run / "model"
    file = model / "bundle.json"
    file.write_text(file.read_text().replace('"backbone": "none"', '"backbone": "efficientnet_lite0"'))
    names = ("head.safetensors", "bundle.json", "reference.safetensors", "MODEL_CARD.md")
    resummed(model, names)
    with pytest.raises(BundleError, match=r"it has no network model\.onnx"):
        open_value_bundle(model)


def test_the_model_is_explained_without_a_network(run: Path, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "explained"
    with pytest.raises(OptionError, match="asks no network"):
        explain_model(run, pictures, out, ExplainOptions(method="hirescam", workers=1))
    document = explain_model(run, pictures, out, ExplainOptions(limit=3, workers=1))
    assert (document["parts"], document["method"], document["baseline"]) == (["orientation"], "occlusion", "training")
    for row in document["rows"]:
        told = row["told"]["orientation"]
        # the number is cut to the bounds
        assert np.clip(document["average"] + told, 0, 1) == pytest.approx(row["predicted"], abs=1e-4)
        assert sum(row["statistics"]["by_family"].values()) == pytest.approx(told, abs=1e-4)
        assert len(row["statistics"]["single"]) > 3
    assert set(document["checks"]) == {"orientation"}
    assert {file.name for file in (out / "maps").iterdir()} == {f"{k:05d}-orientation.png" for k in range(3)}
    header = (out / "maps.csv").read_text().splitlines()[0]
    assert header == "path,predicted,overlay,border_share,orientation_overlay,network_told,orientation_told"
    assert "Share near the most frequent direction" in (out / "explain.html").read_text()
