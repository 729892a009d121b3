"""`graticule train`: the run folder is what the contract says, and what is scored is what is shipped."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

from graticule.bundle import read_bundle
from graticule.files import sha256_file
from graticule.heads.scoring import probabilities, unpack_heads
from graticule.manifest import Manifest
from graticule.predictions import read_predictions

CLASSES = ["disc", "square", "stripes"]
HEADLINES = [
    *("accuracy", "balanced_accuracy", "macro_precision", "macro_sensitivity", "macro_specificity", "macro_f1"),
    *("roc_auc_macro", "average_precision_macro", "log_loss", "brier", "ece"),
]
PER_CLASS = ["precision", "sensitivity", "specificity", "f1", "roc_auc", "average_precision"]
METHODS = {"wilson", "bootstrap", "cluster-t", "group-bootstrap", "too_few_groups"}


def _json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    assert content["schema_version"] == 1
    return content


def test_the_command_tells_its_figures_and_where_the_report_is(trained: tuple[Path, Any]) -> None:
    run, outcome = trained
    assert outcome.code == 0, outcome.err
    assert "27 images, 3 classes, stratified 3-fold cross-validation" in outcome.out
    assert "held-out part: accuracy" in outcome.out
    assert f"report: {run / 'report.html'}" in outcome.out
    assert "embedding 36 ..." in outcome.err


def test_the_run_folder_holds_the_files_of_the_contract(run: Path) -> None:
    files = {str(file.relative_to(run)) for file in run.rglob("*") if file.is_file()}
    bundle = ("model.onnx", "head.safetensors", "bundle.json", "reference.safetensors", "SHA256SUMS", "MODEL_CARD.md")
    assert files == {
        *("run.json", "manifest.parquet", "splits.parquet", "predictions.parquet", "metrics.json"),
        *("decisions.json", "report.html", "failures.csv", "DONE"),
        *(f"model/{name}" for name in bundle),
    }


def test_the_marker_is_written_last(run: Path) -> None:
    done = (run / "DONE").stat().st_mtime_ns
    assert all(file.stat().st_mtime_ns <= done for file in run.rglob("*"))


def test_tables_have_the_columns_of_the_contract(run: Path) -> None:
    predictions = pq.read_table(run / "predictions.parquet")
    assert predictions.column_names == ["sample_id", "path", "part", "fold", "label", *(f"p_{c}" for c in CLASSES)]
    splits = pq.read_table(run / "splits.parquet")
    assert splits.column_names == ["sample_id", "part", "fold"]
    manifest = pq.read_table(run / "manifest.parquet")
    assert manifest.column_names == ["sample_id", "path", "label", "sha256"]
    root = Path(_json(run / "run.json")["data"]["root"])
    expected = [sha256_file(root / path) for path in manifest["path"].to_pylist()]
    assert manifest["sha256"].to_pylist() == expected
    for table in (predictions, splits, manifest):
        assert table.num_rows == 36
    # what was scored stands in the split it was scored in
    by_id = {row["sample_id"]: (row["part"], row["fold"]) for row in splits.to_pylist()}
    assert all(by_id[row["sample_id"]] == (row["part"], row["fold"]) for row in predictions.to_pylist())
    assert sorted({part for part, _ in by_id.values()}) == ["cv", "test"]
    assert {fold for part, fold in by_id.values() if part == "test"} == {-1}


def test_probabilities_are_probabilities(run: Path) -> None:
    proba = read_predictions(run / "predictions.parquet").proba
    assert np.isfinite(proba).all()
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(1), 1.0, atol=1e-6)


def _check_figure(figure: dict[str, Any]) -> None:
    assert {"value", "low", "high", "method", "level"} <= set(figure)
    assert figure["method"] in METHODS
    assert figure["level"] == 0.95
    if figure["low"] is not None:
        assert figure["low"] <= figure["value"] <= figure["high"]


def test_metrics_json_has_the_fields_of_the_contract(run: Path) -> None:
    metrics = _json(run / "metrics.json")
    for body, n, part in ((metrics, 27, "cv"), (metrics["test"], 9, "test")):
        assert (body["task"], body["n"], body["n_groups"]) == ("classification", n, None)
        assert (body["classes"], body["part"]) == (CLASSES, part)
        for name in HEADLINES:
            _check_figure(body[name])
            assert "baseline" in body[name]
        assert list(body["per_class"]) == CLASSES
        for row in body["per_class"].values():
            assert set(row) == {"n", *PER_CLASS}
            for name in PER_CLASS:
                _check_figure(row[name])
        assert np.array(body["confusion"]).sum() == n
    assert [fold["n"] for fold in metrics["per_fold"]] == [9, 9, 9]
    assert metrics["learning_curve"][-1]["fraction"] == 1.0


def test_run_json_says_how_to_repeat_the_run(run: Path, images: Path) -> None:
    record = _json(run / "run.json")
    assert record["verb"] == "train"
    assert record["seed"] == 0
    assert record["command"] == (
        f"graticule train {images} --out {run} --head logistic --folds 3 --test-size 0.25 --views 1"
    )
    assert record["data"]["classes"] == dict.fromkeys(CLASSES, 12)
    assert record["data"]["n"] == 36
    # fixtures of other files may have embedded the same images before
    assert record["embedding"]["decoded"] + record["embedding"]["cached"] == 36
    assert record["embedding"]["licence"] == "Apache-2.0"
    assert record["head"]["shipped"] == "mean of the 3 fold heads"
    assert [fold["fold"] for fold in record["head"]["folds"]] == [0, 1, 2]
    assert [opening["verb"] for opening in record["test_openings"]] == ["train"]
    assert {"python", "numpy", "scikit-learn", "onnxruntime"} <= set(record["packages"])
    assert record["bundle_sha256"] == hashlib.sha256((run / "model" / "SHA256SUMS").read_bytes()).hexdigest()


def test_the_bundle_says_what_it_is(run: Path) -> None:
    info = _json(run / "model" / "bundle.json")
    assert info["classes"] == CLASSES
    assert info["preprocessing"] == {
        "size": 224,
        "resample": "bicubic",
        "intensity": {"policy": "full", "windows": [], "kinds": ["8 bit"], "outside": [0.0, 0.0]},
        "info_bar": "crop",
        "marks": "keep",
        "scale_nm": None,
        "selection": {"z": None, "channel": None, "page": None},
    }
    assert info["n_training"] == 27
    # 27 images are too few to calibrate
    assert info["calibration"] == {"method": "none"}
    assert info["thresholds"]["status"] in ("estimated", "not certifiable")
    assert info["reference"] is None
    assert info["data_sha256"] == _json(run / "run.json")["data"]["sha256"]
    for line in (run / "model" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((run / "model" / name).read_bytes()).hexdigest() == digest
    bundle = read_bundle(run / "model")
    assert bundle.reference["features"].shape == (27, info["parts"]["centre"])
    assert bundle.reference["pixel_sha256"].shape == (27, 32)
    assert len(bundle.reference["paths"].tobytes().decode().split("\n")) == 27
    assert bundle.reference["evidence.proba"].shape == (27, 3)
    for text in (*CLASSES, "Apache-2.0", "sha256sum -c SHA256SUMS"):
        assert text in bundle.card


def test_no_file_of_a_run_is_a_pickle(run: Path) -> None:
    for file in run.rglob("*"):
        if file.is_file():
            assert not file.read_bytes().startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")), file
            assert file.suffix not in (".pkl", ".joblib", ".pt", ".pth")


def test_the_report_loads_nothing_from_elsewhere(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_the_model_scored_on_the_test_part_is_the_one_shipped(
    run: Path, images: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    predictions = read_predictions(run / "predictions.parquet").of_part("test")
    names = tmp_path / "names.txt"
    names.write_text("\n".join(str(images / path) for path in predictions.path))
    assert graticule("predict", run, names, "--out", tmp_path / "out", "--workers", 1).code == 0
    again = pq.read_table(tmp_path / "out" / "predictions-00000.parquet")
    proba = np.column_stack([again[f"p_{name}"].to_numpy() for name in CLASSES])
    np.testing.assert_allclose(proba, predictions.proba, rtol=0, atol=1e-6)


def _features(graticule: Callable[..., Any], images: Path, file: Path) -> dict[str, Any]:
    assert graticule("embed", images, "--out", file, "--views", 1, "--workers", 1).code == 0
    return dict(np.load(file))


def test_out_of_fold_scores_come_from_the_head_of_that_fold(
    run: Path, images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path
) -> None:
    matrix = _features(graticule, images, tmp_path / "features.npz")
    heads = unpack_heads(read_bundle(run / "model").heads)
    predictions = read_predictions(run / "predictions.parquet")
    rows = {name: i for i, name in enumerate(matrix["sample_id"].tolist())}
    features = matrix["features"][[rows[name] for name in predictions.sample_id]]
    for fold, head in enumerate(heads):
        here = predictions.fold == fold
        np.testing.assert_allclose(probabilities([head], features[here]), predictions.proba[here], atol=1e-6)
    test = predictions.part == "test"
    np.testing.assert_allclose(probabilities(heads, features[test]), predictions.proba[test], atol=1e-6)


def test_labels_that_mean_nothing_are_not_learnt_out_of_fold(
    graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path
) -> None:
    """Noise with random labels: heads know the images they saw, and must not have seen those they are scored on."""
    rng = np.random.default_rng(5)
    data = tmp_path / "data"
    data.mkdir()
    rows = ["path,label"]
    for i in range(40):
        PIL.Image.fromarray(rng.integers(0, 256, (24, 24), dtype=np.uint8)).save(data / f"{i:02d}.png")
        rows.append(f"{i:02d}.png,{'ab'[i % 2]}")
    (data / "manifest.csv").write_text("\n".join(rows))
    outcome = graticule("train", data, "--out", tmp_path / "run", *fast, "--folds", 3, "--json")
    value = json.loads(outcome.out)["accuracy"]["value"]
    assert value < 0.65
    assert graticule("predict", tmp_path / "run", data, "--out", tmp_path / "seen", "--workers", 1).code == 0
    seen = pq.read_table(tmp_path / "seen" / "predictions-00000.parquet").to_pylist()
    right = [row["label"] == "ab"[int(row["path"][:2]) % 2] for row in seen]
    assert len(right) == 40
    assert np.mean(right) > 0.75


@pytest.fixture
def table(images: Path, tmp_path: Path) -> Callable[[np.random.Generator | None], Path]:
    """Writes a manifest of the images, its rows shuffled or not."""

    def write(rng: np.random.Generator | None) -> Path:
        names = sorted(str(file.relative_to(images)) for file in images.rglob("*.png"))
        order = np.arange(len(names)) if rng is None else rng.permutation(len(names))
        rows = [f"{names[i]},{names[i].split('/')[0]}" for i in order]
        file = tmp_path / f"{'sorted' if rng is None else 'shuffled'}.csv"
        file.write_text("\n".join(["path,label", *rows]))
        return file

    return write


def test_workers_and_the_order_of_rows_change_nothing(
    images: Path, table: Callable[..., Path], graticule: Callable[..., Any], tmp_path: Path
) -> None:
    options = ("--root", images, "--views", 1, "--head", "logistic", "--folds", 2)
    cases = {"a": (table(None), 1), "b": (table(np.random.default_rng(3)), 2)}
    for name, (data, workers) in cases.items():
        outcome = graticule("train", data, "--out", tmp_path / name, *options, "--workers", workers)
        assert outcome.code == 0, outcome.err
    for file in (
        "predictions.parquet",
        "metrics.json",
        "splits.parquet",
        "model/head.safetensors",
        "model/bundle.json",
    ):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_another_head_decodes_nothing_and_a_grown_folder_only_what_is_new(
    images: Path, graticule: Callable[..., Any], draw_classes: Callable[..., Path], tmp_path: Path, warm_cache: Path
) -> None:
    first = graticule(
        "train", images, "--out", tmp_path / "svm", "--views", 1, "--workers", 1, "--head", "svm", "--folds", 2
    )
    assert "0 images decoded, 36 taken from the cache" in first.out
    record = _json(tmp_path / "svm" / "run.json")
    assert (record["embedding"]["decoded"], record["embedding"]["cached"]) == (0, 36)
    assert {fold["kind"] for fold in record["head"]["folds"]} <= {"rbf_svm", "linear_svm"}
    grown = draw_classes(tmp_path / "grown")
    draw_classes(grown, n=2, first=50, classes=("disc",))
    second = graticule(
        "train", grown, "--out", tmp_path / "more", "--views", 1, "--workers", 1, "--head", "logistic", "--folds", 2
    )
    assert "2 images decoded, 36 taken from the cache" in second.out


def test_an_unreadable_image_is_listed_and_left_out(
    graticule: Callable[..., Any], draw_classes: Callable[..., Path], fast: tuple[str, ...], tmp_path: Path
) -> None:
    data = draw_classes(tmp_path / "data", n=6)
    (data / "disc" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    outcome = graticule("train", data, "--out", tmp_path / "run", *fast, "--folds", 2)
    assert outcome.code == 3
    assert "cannot read disc/broken.png" in outcome.err
    assert "1 image could not be read" in outcome.err
    with (tmp_path / "run" / "failures.csv").open(newline="") as stream:
        (failure,) = csv.DictReader(stream)
    assert failure["path"] == "disc/broken.png"
    assert failure["error"]
    assert len(read_predictions(tmp_path / "run" / "predictions.parquet")) == 18
    assert "disc/broken.png" not in Manifest.read(tmp_path / "run" / "manifest.parquet").path
    assert _json(tmp_path / "run" / "run.json")["data"]["n_unreadable"] == 1
    assert "disc/broken.png" in (tmp_path / "run" / "report.html").read_text()
    assert (tmp_path / "run" / "DONE").is_file()


def test_refit_ships_one_head_and_says_so(
    images: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    outcome = graticule("train", images, "--out", tmp_path / "run", *fast, "--folds", 2, "--refit")
    assert outcome.code == 0
    assert len(unpack_heads(read_bundle(tmp_path / "run" / "model").heads)) == 1
    head = _json(tmp_path / "run" / "run.json")["head"]
    assert "refitted" in head["shipped"]
    assert head["refitted"]["kind"] == "logistic"
    assert "its figures are estimates" in outcome.out


def test_one_fold_with_a_held_out_part(
    images: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    outcome = graticule("train", images, "--out", tmp_path / "run", *fast, "--folds", 1, "--test-size", 0.3, "--json")
    assert outcome.code == 0, outcome.err
    metrics = json.loads(outcome.out)
    assert metrics["part"] == "test"
    assert metrics["learning_curve"] is None
    predictions = read_predictions(tmp_path / "run" / "predictions.parquet")
    assert set(predictions.part) == {"test"}
    assert len(predictions) == metrics["n"] == metrics["test"]["n"]
    splits = pq.read_table(tmp_path / "run" / "splits.parquet")
    assert splits.num_rows == 36
    assert "<html" in (tmp_path / "run" / "report.html").read_text()


def _grouped_table(images: Path, file: Path, *, split: bool = False, unlabelled: int = 0) -> Path:
    """Manifest with 4 specimens; the last one is the test part where asked; the last rows lose their labels."""
    rows = []
    for source in sorted(images.rglob("*.png")):
        group = int(source.stem[-2:]) % 4
        part = ("test" if group == 3 else "train") if split else ""
        rows.append([str(source.relative_to(images)), source.parent.name, f"specimen {group}", part])
    for row in rows[len(rows) - unlabelled :]:
        row[1] = ""
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([["path", "label", "group", "split"], *rows])
    return file


def test_groups_and_the_split_column_are_respected(
    images: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    data = _grouped_table(images, tmp_path / "samples.csv", split=True, unlabelled=2)
    options = ("--folds", 3, "--near-duplicates", "exact")  # the drawings look alike
    outcome = graticule("train", data, "--root", images, "--out", tmp_path / "run", *fast, *options)
    assert outcome.code == 0, outcome.err
    metrics, record = _json(tmp_path / "run" / "metrics.json"), _json(tmp_path / "run" / "run.json")
    assert record["data"]["group_column"] == "group"
    assert (record["data"]["n"], record["data"]["n_unlabelled"], record["data"]["n_groups"]) == (34, 2, 4)
    assert metrics["accuracy"]["method"] == "too_few_groups"
    assert metrics["accuracy"]["low"] is None
    assert "note: only 3 groups: too few for intervals" in outcome.out
    assert len(metrics["per_group"]) == 3
    splits = pq.read_table(tmp_path / "run" / "splits.parquet").to_pylist()
    manifest = Manifest.read(tmp_path / "run" / "manifest.parquet")
    group = dict(zip(manifest.sample_id, manifest.group, strict=True))
    where: dict[str, set[tuple[str, int]]] = {}
    for row in splits:
        where.setdefault(group[row["sample_id"]], set()).add((row["part"], row["fold"]))
    assert all(len(places) == 1 for places in where.values())
    assert where["specimen 3"] == {("test", -1)}


def test_groups_can_be_switched_off_and_the_report_is_stamped(
    images: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    data = _grouped_table(images, tmp_path / "samples.csv")
    outcome = graticule(
        "train", data, "--root", images, "--out", tmp_path / "run", *fast, "--folds", 2, "--group", "none"
    )
    assert outcome.code == 0
    assert "groups were switched off (--group none)" in outcome.out
    assert "groups were switched off" in (tmp_path / "run" / "report.html").read_text()
    assert _json(tmp_path / "run" / "metrics.json")["accuracy"]["method"] == "wilson"
