"""`graticule train --target COLUMN --method finetune`: the same tables, limits and bundle as features give."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import NETWORK  # noqa: E402

from graticule.bundle import read_value_bundle  # noqa: E402
from graticule.finetune import fold  # noqa: E402
from graticule.values import read_values  # noqa: E402

TINY = ("--method", "finetune", "--backbone", NETWORK, "--weights", "none", "--input-size", "32", "--device", "cpu")
QUICK = (
    *TINY,
    "--folds",
    "2",
    "--epochs",
    "20",
    "--batch-size",
    "8",
    "--workers",
    "1",
    "--lr",
    "0.004",
    "--views",
    "1",
)
TARGET = ("--target", "ink", "--target-unit", "mg", "--target-min", "0")
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 pictures of 24 specimens; the number is how much of the picture is dark."""
    folder = tmp_path_factory.mktemp("ink")
    rng = np.random.default_rng(0)
    rows = ["path,ink,group"]
    for i in range(72):
        share = np.linspace(0.1, 0.8, 24)[i // 3] + rng.normal(0, 0.03)
        picture = np.where(rng.random((40, 40)) < share, 40, 200) + rng.normal(0, 10, (40, 40))
        PIL.Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(folder / f"{i:02d}.png")
        rows.append(f"{i:02d}.png,{100 * share:.2f},s{i // 3}")
    (folder / "ink.csv").write_text("\n".join(rows) + "\n")
    return folder / "ink.csv"


@pytest.fixture(scope="module")
def tuned(table: Path, tmp_path_factory: pytest.TempPathFactory, graticule: Command) -> tuple[Path, Any]:
    """A run with a held-out part."""
    out = tmp_path_factory.mktemp("tuned") / "run"
    return out, graticule("train", table, "--out", out, *TARGET, *QUICK, "--test-size", "0.25")


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def test_a_run_of_the_same_shape_as_one_of_features(tuned: tuple[Path, Any]) -> None:
    run, outcome = tuned
    assert outcome.code == 0, outcome.err
    assert "% of a standard deviation" in outcome.err
    assert not (run / "work").exists()
    values = read_values(run / "predictions.parquet")
    assert sorted(set(values.part)) == ["cv", "test"]
    assert np.isfinite(values.value).all()
    metrics, record = read(run / "metrics.json"), read(run / "run.json")
    assert metrics["r2"]["value"] > 0.5
    assert metrics["mae"]["value"] < 0.7 * metrics["baselines"]["mean"]["mae"]["value"]
    assert metrics["intervals"]["coverage"]["value"] > 0.7
    assert (record["training"]["recipe"]["augment"], record["training"]["recipe"]["balance"]) == ("unscaled", "none")
    assert record["training"]["parity"]["largest_difference"] < 1e-3
    assert any("refitted on all cross-validated images" in text for text in record["warnings"])
    folds = pq.read_table(run / "splits.parquet").to_pylist()
    assert {row["part"] for row in folds} == {"cv", "test"}


def test_the_page_says_how_the_network_was_trained_and_nothing_of_classes(tuned: tuple[Path, Any]) -> None:
    page = (tuned[0] / "report.html").read_text("utf-8")
    assert "How the network was trained" in page
    assert "minimised Huber" in page
    for word in ("log loss", "Temperature", "Label smoothing", "accuracy", "other answers"):
        assert word not in page.split("</style>", 1)[1], word


def test_the_model_that_was_tested_is_the_one_that_predicts_without_torch(
    tuned: tuple[Path, Any], table: Path, tmp_path: Path, graticule: Command
) -> None:
    run, _ = tuned
    outcome = graticule("predict", run, table.parent, "--out", tmp_path / "answers", "--workers", "1")
    assert outcome.code == 0, outcome.err
    given = {row["path"]: row for row in pq.read_table(tmp_path / "answers" / "predictions-00000.parquet").to_pylist()}
    values = read_values(run / "predictions.parquet")
    tested = values.take(values.part == "test")
    assert len(tested) == 24
    for name in ("value", "low", "high"):
        told = np.array([given[path][name] for path in tested.path])
        assert told == pytest.approx(getattr(tested, name), rel=1e-6, abs=1e-6)
    bundle = read_value_bundle(run / "model")
    assert bundle.info.parity is not None
    assert bundle.info.reference is not None
    assert set(bundle.heads) == {"0.0.slope", "0.0.offset", "0.0.rooted"}
    assert bundle.reference["mean_features"].shape == (bundle.info.n_features,)


def test_evaluation_explanation_and_doubtful_numbers_work_on_it(
    tuned: tuple[Path, Any], table: Path, tmp_path: Path, graticule: Command
) -> None:
    run, _ = tuned
    evaluated = graticule("evaluate", run, table, "--out", tmp_path / "evaluation", "--workers", "1")
    assert evaluated.code == 0, evaluated.err
    assert read(tmp_path / "evaluation" / "metrics.json")["n"] == 72
    explained = graticule("explain", run, table.parent / "00.png", "--out", tmp_path / "maps")
    assert explained.code == 0, explained.err
    doubtful = graticule("label-errors", run, "--out", tmp_path / "doubtful")
    assert doubtful.code == 0, doubtful.err


def test_both_methods_are_compared_on_the_same_images(
    tuned: tuple[Path, Any], table: Path, tmp_path: Path, graticule: Command
) -> None:
    features = tmp_path / "features"
    options = ("--folds", "2", "--test-size", "0.25", "--features", "network", "--input-size", "32", "--views", "1")
    assert graticule("train", table, "--out", features, *TARGET, *options, "--workers", "1").code == 0
    compared = graticule("compare", features, tuned[0], "--json")
    assert compared.code == 0, compared.err
    assert read_json(compared.out)["n_groups"] == 16


def read_json(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text)
    return content


@pytest.mark.parametrize("stop_in", ["fold-1", "refit"])
def test_a_stopped_run_is_resumed_to_the_same_model(
    table: Path,
    tmp_path: Path,
    graticule: Command,
    monkeypatch: pytest.MonkeyPatch,
    tuned: tuple[Path, Any],
    stop_in: str,
) -> None:
    words = ("train", table, "--out", tmp_path / "run", *TARGET, *QUICK, "--test-size", "0.25")
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

    monkeypatch.setattr(fold, "fit_network", stopped)
    assert graticule(*words).code != 0
    assert not (tmp_path / "run" / "DONE").exists()
    monkeypatch.setattr(fold, "fit_network", plain)
    # another scale of the number is another goal
    other = graticule(*words, "--resume", "--target-scale", "log")
    assert (other.code, "with other data, options or versions" in other.err) == (2, True)
    resumed = graticule(*words, "--resume")
    assert resumed.code == 0, resumed.err
    for name in ("model.onnx", "head.safetensors"):
        assert (tmp_path / "run" / "model" / name).read_bytes() == (tuned[0] / "model" / name).read_bytes()
    assert (tmp_path / "run" / "predictions.parquet").read_bytes() == (tuned[0] / "predictions.parquet").read_bytes()
