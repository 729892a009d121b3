"""`graticule train --method finetune`: the same tables and bundle as features give, resumed after a stop."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import NETWORK, stripes  # noqa: E402

from graticule.bundle import read_bundle  # noqa: E402
from graticule.finetune import all_folds, fold  # noqa: E402
from graticule.heads.predictor import Predictor  # noqa: E402
from graticule.images.decode import ImageFile  # noqa: E402
from graticule.manifest import Manifest  # noqa: E402
from graticule.predictions import read_predictions  # noqa: E402

TINY = ("--method", "finetune", "--backbone", NETWORK, "--weights", "none", "--input-size", "32", "--device", "cpu")
QUICK = (*TINY, "--folds", "2", "--epochs", "4", "--batch-size", "8", "--workers", "1", "--lr", "0.004")
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 striped pictures in three class folders."""
    folder = tmp_path_factory.mktemp("stripes")
    pixels, y = stripes(48, size=40)
    for i, (picture, label) in enumerate(zip(pixels, y, strict=True)):
        place = folder / ("coarse", "fine", "none")[label]
        place.mkdir(exist_ok=True)
        PIL.Image.fromarray(picture[:, :, 0]).save(place / f"{i:02d}.png")
    return folder


@pytest.fixture(scope="module")
def tuned(images: Path, tmp_path_factory: pytest.TempPathFactory, graticule: Command) -> tuple[Path, Any]:
    """A run with a held-out part."""
    out = tmp_path_factory.mktemp("tuned") / "run"
    return out, graticule("train", images, "--out", out, *QUICK, "--test-size", "0.25")


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def test_a_run_of_the_same_shape_as_one_of_features(tuned: tuple[Path, Any]) -> None:
    run, outcome = tuned
    assert outcome.code == 0, outcome.err
    assert "fold 2 of 2, epoch 4: loss" in outcome.err
    files = {file.name for file in run.iterdir()}
    tables = {"run.json", "manifest.parquet", "splits.parquet", "predictions.parquet", "metrics.json"}
    assert files == tables | {"decisions.json", "report.html", "failures.csv", "model", "DONE"}
    predictions = read_predictions(run / "predictions.parquet")
    assert sorted(set(predictions.part)) == ["cv", "test"]
    assert np.isfinite(predictions.proba).all()
    assert predictions.proba.sum(axis=1) == pytest.approx(1.0)
    record = read(run / "run.json")
    assert record["options"]["method"] == "finetune"
    assert record["training"]["recipe"]["epochs"] == 4
    assert [len(fold["history"]) for fold in record["training"]["folds"]] == [4, 4]
    assert record["training"]["parity"]["largest_difference"] < 1e-3
    assert any("refitted on all cross-validated images" in text for text in record["warnings"])


def test_the_model_that_was_tested_is_the_one_that_predicts(
    tuned: tuple[Path, Any], images: Path, tmp_path: Path, graticule: Command
) -> None:
    run, _ = tuned
    outcome = graticule("predict", run, images, "--out", tmp_path / "answers", "--workers", "1")
    assert outcome.code == 0, outcome.err
    table = pq.read_table(tmp_path / "answers" / "predictions-00000.parquet").to_pylist()
    given = {row["path"]: [row[f"p_{name}"] for name in ("coarse", "fine", "none")] for row in table}
    predictions = read_predictions(run / "predictions.parquet")
    tested = predictions.take(predictions.part == "test")
    assert len(tested) == 12
    assert np.array([given[path] for path in tested.path]) == pytest.approx(tested.proba, abs=1e-6)


def test_the_bundle_is_whole_and_says_what_it_is(tuned: tuple[Path, Any], images: Path) -> None:
    run, _ = tuned
    bundle = read_bundle(run / "model")
    assert bundle.info.parity is not None
    assert bundle.info.parity["n"] == 36
    assert bundle.info.preprocessing["size"] == 32
    assert bundle.info.licence.startswith("none")
    assert "0.logit_weights" in bundle.heads
    manifest, splits = (pq.read_table(run / f"{name}.parquet").to_pylist() for name in ("manifest", "splits"))
    parts = {row["sample_id"]: row["part"] for row in splits}
    training = [images / row["path"] for row in manifest if parts[row["sample_id"]] == "cv"]
    predictor = Predictor.of(bundle)
    one_view = replace(predictor, encoder=replace(predictor.encoder, views=1))
    blocks = one_view.stream([ImageFile(file) for file in training], workers=1)
    features = np.concatenate([block.features for block in blocks])
    assert len(features) == 36
    assert bundle.reference["mean_features"] == pytest.approx(features.mean(axis=0), rel=1e-4, abs=1e-5)
    assert "refitted" in bundle.card


def test_the_report_shows_how_the_network_was_trained(tuned: tuple[Path, Any]) -> None:
    page = (tuned[0] / "report.html").read_text()
    assert "How the network was trained" in page
    assert "was fine-tuned end to end" in page
    assert "Training and validation loss against epoch" in page
    assert "was not changed" not in page


@pytest.mark.parametrize("stop_in", ["fold-0", "refit"])
def test_a_stopped_run_is_resumed_to_the_same_model(
    images: Path,
    tmp_path: Path,
    graticule: Command,
    monkeypatch: pytest.MonkeyPatch,
    tuned: tuple[Path, Any],
    stop_in: str,
) -> None:
    words = ("train", images, "--out", tmp_path / "run", *QUICK, "--test-size", "0.25")
    plain = fold.fit_network

    def stopped(*given: Any, saved: Any, watch: Any, **more: Any) -> Any:
        if saved.file.name == f"{stop_in}.checkpoint":
            step = watch.step

            def ask(done: int, steps: int, loss: float) -> None:
                step(done, steps, loss)
                if done == 3:
                    signal.raise_signal(signal.SIGINT)

            watch.step = ask
        return plain(*given, saved=saved, watch=watch, **more)

    with monkeypatch.context() as patch:
        patch.setattr(fold, "fit_network", stopped)
        outcome = graticule(*words)
    assert outcome.code == 130
    assert "--resume" in outcome.err
    assert graticule(*words).code == 2
    assert not (tmp_path / "run" / "DONE").exists()
    resumed = graticule(*words, "--resume")
    assert resumed.code == 0, resumed.err
    for name in ("model/model.onnx", "model/head.safetensors", "predictions.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (tuned[0] / name).read_bytes(), name
    assert not (tmp_path / "run" / "work").exists()


def test_a_resumed_run_with_other_options_is_refused(
    images: Path, tmp_path: Path, graticule: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("train", images, "--out", tmp_path / "run", *QUICK)
    plain = fold.fit_network

    def stopped(*given: Any, saved: Any, **more: Any) -> Any:
        if saved.file.name.startswith("fold-1"):
            raise KeyboardInterrupt
        return plain(*given, saved=saved, **more)

    with monkeypatch.context() as patch:
        patch.setattr(fold, "fit_network", stopped)
        assert graticule(*words).code == 130
    assert "other data, options or versions" in graticule(*words, "--resume", "--seed", "1").message()
    truncated = tmp_path / "run" / "work" / "fold-0.finished"
    truncated.write_bytes(truncated.read_bytes()[:-50])
    assert "truncated or was altered" in graticule(*words, "--resume").message()


def test_folds_trained_apart_give_the_same_model(
    images: Path, tmp_path: Path, graticule: Command, monkeypatch: pytest.MonkeyPatch, tuned: tuple[Path, Any]
) -> None:
    monkeypatch.setattr(all_folds, "_gpus", lambda: ["cpu", "cpu"])
    words = [word for word in QUICK if word not in ("--device", "cpu")]
    outcome = graticule("train", images, "--out", tmp_path / "run", *words, "--test-size", "0.25")
    assert outcome.code == 0, outcome.err
    assert "fold 2 of 2 finished after" in outcome.err
    for name in ("model/model.onnx", "predictions.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (tuned[0] / name).read_bytes(), name


def test_an_ensemble_is_the_mean_of_its_folds(images: Path, tmp_path: Path, graticule: Command) -> None:
    outcome = graticule("train", images, "--out", tmp_path / "run", *QUICK, "--ensemble", "--views", "4")
    assert outcome.code == 0, outcome.err
    bundle = read_bundle(tmp_path / "run" / "model")
    assert bundle.info.heads == "mean of the 2 fold networks"
    assert {"0.logit_weights", "1.logit_weights"} <= set(bundle.heads)
    assert bundle.info.views == 4
    # where a fold was held out, one of the two members gave its out-of-fold score: the mean holds a half of it
    graticule("predict", tmp_path / "run", images, "--out", tmp_path / "answers", "--workers", "1")
    table = pq.read_table(tmp_path / "answers" / "predictions-00000.parquet").to_pylist()
    given = {row["path"]: [row[f"p_{name}"] for name in ("coarse", "fine", "none")] for row in table}
    folds = read_predictions(tmp_path / "run" / "predictions.parquet")
    rest = 2 * np.array([given[path] for path in folds.path]) - folds.proba
    assert rest.min() > -1e-4
    assert rest.sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_one_part_trains_compiled_and_the_very_network_is_tested(
    images: Path, tmp_path: Path, graticule: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[torch.nn.Module] = []
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)
    words = (*TINY, "--folds", "1", "--test-size", "0.3", "--epochs", "2", "--frozen-blocks", "2", "--workers", "1")
    outcome = graticule("train", images, "--out", tmp_path / "run", *words, "--compile")
    assert outcome.code == 0, outcome.err
    assert len(compiled) == 1
    record = read(tmp_path / "run" / "run.json")
    assert record["training"]["shipped"] == "the network of the training part"
    assert record["training"]["recipe"]["frozen_blocks"] == 2
    assert record["training"]["folds"][0]["n_validation"] > 0
    assert not any("refitted" in text for text in record["warnings"])


def test_both_methods_are_compared_on_the_same_images(
    tuned: tuple[Path, Any], images: Path, tmp_path: Path, graticule: Command
) -> None:
    words = ("--folds", "2", "--test-size", "0.25", "--views", "1", "--workers", "1", "--head", "logistic")
    assert graticule("train", images, "--out", tmp_path / "features", *words).code == 0
    splits = [Manifest.read(run / "manifest.parquet").path.tolist() for run in (tuned[0], tmp_path / "features")]
    assert splits[0] == splits[1]
    outcome = graticule("compare", tmp_path / "features", tuned[0], "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["n"] == 36


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--method", "finetune", "--backbone", "resnet5O"), "resnet50"),
        (("--method", "finetuning"), "allowed are features, finetune"),
        (("--epochs", "3"), "--epochs belongs to --method finetune"),
        ((*TINY, "--head", "svm"), "--head belongs to --method features"),
        ((*TINY, "--epochs", "0"), "--epochs 0: allowed are whole numbers from 1"),
        ((*TINY, "--lr", "3"), "--lr 3.0: allowed are numbers above 0 and below 1"),
        ((*TINY, "--augment", "histology"), "allowed are auto, microscopy, unscaled, ultrasound, none"),
        ((*TINY, "--device", "npu"), "--device npu: allowed are auto, cpu, cuda"),
        ((*TINY, "--frozen-blocks", "99"), "--frozen-blocks 99"),
        (("--method", "finetune", "--backbone", "inception_v3", "--weights", "none", "--input-size", "40"), "takes 75"),
        (("--method", "finetune", "--backbone", "resnet18"), "--weights FILE"),
        ((*TINY[:4], "--weights", "nowhere.pth"), "nowhere.pth"),
        ((*TINY[:2], "--backbone", "dla34", "--weights", "none", "--input-size", "100"), "it takes 96 and 128"),
        ((*TINY, "--seed", str(2**64)), "allowed are whole numbers from 0 to"),
    ],
)
def test_bad_options_are_one_clear_message_before_an_image_is_read(
    images: Path, tmp_path: Path, graticule: Command, words: tuple[str, ...], told: str
) -> None:
    assert told in graticule("train", images, "--out", tmp_path / "run", *words).message()
    assert not (tmp_path / "run").exists()


def test_a_batch_of_one_image_is_refused(images: Path, tmp_path: Path, graticule: Command) -> None:
    outcome = graticule("train", images, "--out", tmp_path / "run", *TINY, "--folds", "2", "--batch-size", "1")
    assert "batch normalisation needs two images; give at least --batch-size 4" in outcome.message()
    assert not list((tmp_path / "run" / "work").glob("pixels*"))
