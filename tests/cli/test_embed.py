"""embed: the feature matrix with ids, in three kinds of file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from graticule.features.cache import FeatureCache


@pytest.mark.parametrize("ending", [".parquet", ".npz", ".csv"])
def test_features_are_written_with_ids(
    images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path, ending: str
) -> None:
    file = tmp_path / f"features{ending}"
    outcome = graticule("embed", images, "--out", file, "--views", 1, "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["n"], told["n_features"], told["schema_version"]) == (36, 7264, 1)
    if ending == ".npz":
        matrix = dict(np.load(file, allow_pickle=False))
        assert set(matrix) == {"sample_id", "path", "label", "features", "names"}
        assert matrix["features"].shape == (36, 7264)
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
    assert len(names) == 7264
    assert "exists already" in graticule("embed", images, "--out", file).message()


def test_a_folder_without_classes_is_embedded_without_labels(
    images: Path, graticule: Callable[..., Any], tmp_path: Path, warm_cache: Path
) -> None:
    outcome = graticule("embed", images / "disc", "--out", tmp_path / "f.npz", "--views", 1, "--workers", 1)
    assert "12 images, 7264 features; 0 decoded, 12 from the cache" in outcome.out
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


def test_a_cache_that_cannot_be_used_costs_time_only(
    images: Path, graticule: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRATICULE_CACHE", "/proc/graticule")
    outcome = graticule("embed", images, "--out", tmp_path / "f.npz", "--views", 1, "--workers", 1, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["decoded"] == 36
    assert FeatureCache(Path("/proc/graticule"), "0" * 64).fault
