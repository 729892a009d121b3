"""`graticule evaluate`: a finished model on other labelled images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from graticule.predictions import read_predictions


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory, draw_classes: Callable[..., Path]) -> Path:
    """Class folders of images that no model has seen."""
    return draw_classes(tmp_path_factory.mktemp("others") / "data", n=4, first=200)


@pytest.fixture(scope="module")
def evaluated(run: Path, others: Path, graticule: Callable[..., Any]) -> tuple[Path, Any]:
    """The folder that `evaluate` left, and what it printed."""
    out = others.parent / "evaluation"
    return out, graticule("evaluate", run, others, "--out", out, "--workers", 1, "--json")


def test_the_folder_holds_metrics_predictions_and_a_report(evaluated: tuple[Path, Any]) -> None:
    out, outcome = evaluated
    assert outcome.code == 0, outcome.err
    assert sorted(file.name for file in out.iterdir()) == sorted(
        [
            *("DONE", "decisions.json", "failures.csv", "manifest.parquet", "metrics.json", "predictions.parquet"),
            *("report.html", "run.json"),
        ]
    )
    predictions = read_predictions(out / "predictions.parquet")
    assert set(predictions.part) == {"test"}
    assert len(predictions) == 12


def test_json_is_what_metrics_json_holds(evaluated: tuple[Path, Any]) -> None:
    out, outcome = evaluated
    metrics = json.loads(outcome.out)
    assert metrics == json.loads((out / "metrics.json").read_text())
    assert metrics["schema_version"] == 1
    assert (metrics["n"], metrics["part"]) == (12, "test")
    assert metrics["accuracy"]["value"] == 1.0


def test_decisions_are_held_against_the_labels(evaluated: tuple[Path, Any], run: Path, others: Path) -> None:
    out, _ = evaluated
    found = json.loads((out / "decisions.json").read_text())
    assert (found["schema_version"], found["kind"], found["n"]) == (1, "evaluation", 12)
    assert sum(found["decisions"][name]["n"] for name in ("accept", "review", "reject")) == 12
    assert found["acceptance"]["rule"]["target"] == 0.99
    assert [s["level"] for s in found["sets"]] == [0.95, 0.99]
    assert all(s["per_class"]["disc"]["n"] == 4 for s in found["sets"])
    assert found["calibration"]["after"]["log_loss"] == pytest.approx(
        json.loads((out / "metrics.json").read_text())["log_loss"]["value"]
    )
    assert found["specimens"] is None
    assert "Can I act on it?" in (out / "report.html").read_text()


def test_the_decisions_are_those_of_predict(
    evaluated: tuple[Path, Any], run: Path, others: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    outcome = graticule("predict", run, others, "--out", tmp_path / "p", "--workers", 1, "--json")
    found = json.loads((evaluated[0] / "decisions.json").read_text())
    assert json.loads(outcome.out)["decisions"] == {name: d["n"] for name, d in found["decisions"].items()}


def test_specimens_are_judged_where_the_data_name_them(
    run: Path, others: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "samples.csv"
    rows = [f"{k}/{k}_{i}.png,{k},{k} {i % 2}" for k in ("disc", "square", "stripes") for i in range(200, 204)]
    file.write_text("\n".join(["path,label,specimen", *rows[:-1], rows[-1].rpartition(",")[0] + ","]))
    outcome = graticule("evaluate", run, file, "--root", others, "--out", tmp_path / "out", "--workers", 1)
    assert outcome.code == 0, outcome.err
    found = json.loads((tmp_path / "out" / "decisions.json").read_text())["specimens"]
    assert (found["n_specimens"], found["n_without"], found["wrong"]) == (6, 1, [])
    assert found["majority"]["value"] == found["mean_score"]["value"] == 1.0
    assert pq.read_table(tmp_path / "out" / "specimens.parquet")["n"].to_pylist() == [2, 2, 2, 2, 2, 1]
    assert "Specimen by specimen" in (tmp_path / "out" / "report.html").read_text()


def test_a_bundle_without_evidence_says_so(
    images: Path, others: Path, graticule: Callable[..., Any], fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    options = ("--folds", 1, "--test-size", 0.25)
    assert graticule("train", images, "--out", tmp_path / "run", *fast, *options).code == 0
    outcome = graticule("evaluate", tmp_path / "run", others, "--out", tmp_path / "out", "--workers", 1)
    assert outcome.code == 0, outcome.err
    found = json.loads((tmp_path / "out" / "decisions.json").read_text())
    assert (found["decisions"], found["acceptance"], found["sets"]) == (None, None, [])
    assert "the bundle holds no scores of images that its model never saw" in found["words"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Whether answers can be taken without a look cannot be told" in page
    assert "The bundle holds no scores" in page


def test_the_record_names_the_model(evaluated: tuple[Path, Any], run: Path, others: Path) -> None:
    out, _ = evaluated
    record = json.loads((out / "run.json").read_text())
    assert record["bundle_sha256"] == json.loads((run / "run.json").read_text())["bundle_sha256"]
    assert record["command"] == f"graticule evaluate {run} {others} --out {out}"
    assert record["warnings"] == []


def test_labels_that_the_model_does_not_know_are_refused(
    run: Path, graticule: Callable[..., Any], draw_classes: Callable[..., Path], tmp_path: Path
) -> None:
    data = draw_classes(tmp_path / "data", n=1)
    (data / "disc").rename(data / "ellipse")
    message = graticule("evaluate", run, data, "--out", tmp_path / "out").message()
    assert "labels 'ellipse' are none of the model's classes 'disc', 'square', 'stripes'" in message
    (data / "ellipse").rename(data / "disc\u00ad")
    message = graticule("evaluate", run, data, "--out", tmp_path / "out").message()
    assert r"'disc\xad' (the model has 'disc', typed otherwise: write them alike)" in message
    assert not (tmp_path / "out").exists()


def test_data_without_labels_are_refused(
    run: Path, others: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "samples.csv"
    file.write_text("path,label\ndisc/disc_200.png,\n")
    message = graticule("evaluate", run, file, "--root", others, "--out", tmp_path / "out").message()
    assert "no image is labelled" in message


def test_training_images_among_the_data_are_told(
    run: Path, images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path
) -> None:
    outcome = graticule("evaluate", run / "model", images, "--out", tmp_path / "out", "--workers", 1)
    assert outcome.code == 0
    assert "27 of 36 images have the same pixels as training images" in outcome.out
    assert "27 of 36 images have the same pixels" in (tmp_path / "out" / "report.html").read_text()


def test_each_later_opening_of_the_held_out_part_is_counted(
    run: Path, images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path
) -> None:
    shutil.copytree(run, tmp_path / "run")
    for times in (2, 3):
        out = tmp_path / f"evaluation-{times}"
        outcome = graticule("evaluate", tmp_path / "run", images, "--out", out, "--workers", 1)
        assert f"9 of the images are the run's held-out part, which was opened {times} times by now" in outcome.out
        assert f"opened {times} times" in (tmp_path / "run" / "report.html").read_text()
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [opening["verb"] for opening in record["test_openings"]] == ["train", "evaluate", "evaluate"]
    assert graticule("predict", tmp_path / "run", images, "--out", tmp_path / "p", "--workers", 1).code == 0


def test_other_images_and_a_bundle_alone_open_nothing(
    run: Path, others: Path, images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path
) -> None:
    before = (run / "run.json").read_bytes()
    outcome = graticule("evaluate", run / "model", images, "--out", tmp_path / "a", "--workers", 1)
    assert "held-out part" not in outcome.out
    # the same names, other pixels
    shutil.copytree(others, tmp_path / "data")
    for file in (tmp_path / "data").rglob("*.png"):
        file.rename(file.with_name(file.name.replace("_2", "_")))
    outcome = graticule("evaluate", run, tmp_path / "data", "--out", tmp_path / "b", "--workers", 1)
    assert outcome.code == 0
    assert (run / "run.json").read_bytes() == before


def test_a_single_class_leaves_figures_undefined_not_wrong(
    run: Path, others: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "samples.csv"
    file.write_text("path,label\n" + "".join(f"disc/disc_{i}.png,disc\n" for i in range(200, 204)))
    options = ("--root", others, "--workers", 1, "--json")
    outcome = graticule("evaluate", run, file, "--out", tmp_path / "out", *options)
    assert outcome.code == 0, outcome.err
    metrics = json.loads(outcome.out)
    assert metrics["accuracy"]["value"] == 1.0
    assert metrics["macro_specificity"]["value"] is None
    assert metrics["roc_auc_macro"]["value"] is None
    assert metrics["per_class"]["square"]["n"] == 0
    assert (tmp_path / "out" / "report.html").is_file()
    assert "--root" in json.loads((tmp_path / "out" / "run.json").read_text())["command"]


def test_groups_of_the_data_are_respected_and_named(
    run: Path, others: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "samples.csv"
    rows = [f"{kind}/{kind}_{i}.png,{kind},lot {i}" for kind in ("disc", "square") for i in range(200, 204)]
    file.write_text("\n".join(["path,label,lot", *rows]))
    outcome = graticule(
        "evaluate", run, file, "--root", others, "--group", "lot", "--out", tmp_path / "out", "--workers", 1
    )
    assert outcome.code == 0, outcome.err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["n_groups"] == 4
    assert metrics["accuracy"]["method"] == "too_few_groups"
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["data"]["group_column"] == "lot"
    assert "--group lot" in record["command"]
