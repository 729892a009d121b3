"""The comparison of finished runs: which part, whose groups, what stands in comparison.json and on the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from graticule.errors import OptionError, RunError
from graticule.evaluate.compare import compare_predictions
from graticule.jobs.compare import compare
from graticule.manifest import Manifest, object_array, sample_id_of
from graticule.predictions import Predictions

N = 120
CLASSES = ("fibre", "plate", "sphere")
PRESENT = {"run_a", "run_b", "part", "settings", "n", "n_a", "n_b", "n_groups", "classes", "a", "b", "difference"}
PRESENT |= {"discordant", "test", "notes"}
WriteRun = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteRun:
    """Writer of run folders on the same 120 images: write(name, signal, groups, parts, record) -> folder."""
    images = tmp_path / "images"
    images.mkdir()
    names = [f"{i:03d}.png" for i in range(N)]
    for i, name in enumerate(names):
        PIL.Image.fromarray(np.full((20, 24), i, np.uint8)).save(images / name)
    y = np.arange(N) % 3
    label = object_array([CLASSES[k] for k in y])

    def write_run(
        name: str,
        signal: float = 1.0,
        groups: int = 0,
        parts: tuple[str, ...] = ("cv",),
        record: dict[str, Any] | None = None,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        scores = np.random.default_rng(len(name)).normal(size=(N, 3))
        scores[np.arange(N), y] += signal
        proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        part = object_array([parts[i % len(parts)] for i in range(N)])
        ids = object_array([sample_id_of(file) for file in names])
        fold = np.where(part == "cv", np.arange(N) % 5, -1)
        Predictions(ids, object_array(names), part, fold, label, CLASSES, proba).write(folder / "predictions.parquet")
        columns = {"group": object_array([f"g{i % groups}" for i in range(N)])} if groups else {}
        Manifest(images, object_array(names), label, columns).write(folder / "manifest.parquet")
        run = {"schema_version": 1, "verb": "train", "options": {}, "wall_time_s": 60.0} | (record or {})
        (folder / "run.json").write_text(json.dumps(run))
        (folder / "DONE").write_text("")
        return folder

    return write_run


def test_two_runs_keep_the_keys_of_before(write: WriteRun, tmp_path: Path) -> None:
    a, b = write("a"), write("bb", 2.0)
    result = compare(a, b, tmp_path / "out")
    assert set(result) >= PRESENT
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == {"schema_version": 1, **result}
    assert (tmp_path / "out" / "compare.html").read_text().startswith("<!DOCTYPE html>")
    assert result["comparisons"][0]["difference"] == result["difference"]
    assert [run["figures"] for run in result["runs"]] == [result["a"], result["b"]]
    assert result["test"]["name"] == "mcnemar-exact"


def test_three_runs_have_one_comparison_each_with_the_first(write: WriteRun) -> None:
    a, b, c = write("a"), write("bb", 1.6), write("ccc", 1.8)
    result = compare(a, b, others=[c])
    assert not {"a", "b", "difference"} & set(result)
    assert [found["run_b"] for found in result["comparisons"]] == [str(b), str(c)]
    tests = [found["test"] for found in result["comparisons"]]
    assert all(test["p_holm"] >= test["p"] for test in tests)
    assert min(test["p_holm"] for test in tests) == pytest.approx(2 * min(test["p"] for test in tests))
    assert any("corrected for 2 comparisons" in note for note in result["notes"])
    assert result["comparisons"][1]["difference"] == compare(a, c)["difference"]


def test_settings_of_both_methods_are_told(write: WriteRun, tmp_path: Path) -> None:
    features = {"embedding": {"backbone": "efficientnet_lite0", "views": 4, "input_size": 224, "cached": 9}}
    a = write("a", record=features | {"head": {"requested": "svm"}})
    tuned: dict[str, Any] = {"options": {"method": "finetune", "backbone": "vgg16", "weights": "none"}}
    tuned |= {"training": {"recipe": {"input_size": 128}, "device": "cpu", "folds": [{"seconds": 2500.0}] * 2}}
    b = write("bb", record=tuned)
    old = write("ccc", record={"verb": "evaluate", "model_run": str(b)})
    gone = write("dddd", record={"verb": "evaluate", "model_run": str(tmp_path / "gone")})
    rows = compare(a, b, others=[old, gone])["runs"]
    told = [[row[key] for key in ("backbone", "method", "head", "input_size", "wall_time_s", "cached")] for row in rows]
    assert told[0] == ["efficientnet_lite0", "features", "svm", 224, 60.0, 9]
    assert told[1] == told[2] == ["vgg16", "finetune", "network", 128, 5000.0, None]
    assert told[3] == [None, "features", None, None, None, None]
    assert [rows[1][key] for key in ("weights", "device")] == ["none", "cpu"]
    assert compare(a, b)["settings"][0]["views"] == 4


def test_groups_of_either_run_count(write: WriteRun) -> None:
    plain, grouped = write("a"), write("bb", 2.0, groups=20)
    one, two = compare(grouped, plain), compare(plain, grouped)
    assert one["test"]["name"] == two["test"]["name"] == "sign-flip"
    assert one["test"]["p"] == two["test"]["p"]
    assert one["difference"]["accuracy"]["low"] == pytest.approx(-two["difference"]["accuracy"]["high"])
    assert any(str(grouped) in note for note in two["notes"])


def test_few_groups_are_told_what_p_they_could_give(write: WriteRun, tmp_path: Path) -> None:
    result = compare(write("a", groups=4), write("bb", 3.0, groups=4), tmp_path / "out")
    assert (result["test"]["p"], result["test"]["smallest_p"]) == (None, 0.125)
    assert "would give p = 0.125" in result["test"]["note"]
    assert "Too few groups" in (tmp_path / "out" / "compare.html").read_text()


def test_the_part_of_all_runs_is_compared(write: WriteRun) -> None:
    both, test = write("a", parts=("cv", "test")), write("bb", parts=("test",))
    result = compare(both, test)
    assert (result["part"], result["n"], result["n_b"]) == ("test", 60, 120)
    assert any("held-out" in note for note in result["notes"])
    with pytest.raises(RunError, match=r"no part \(cv, test\) is in all runs: .*ccc has cv"):
        compare(write("ccc"), test)


def test_a_run_is_not_compared_with_itself(write: WriteRun, tmp_path: Path) -> None:
    a, b = write("a"), write("bb")
    with pytest.raises(OptionError, match="are one folder"):
        compare(a, b, others=[tmp_path / "images" / ".." / "a"])


def test_it_is_the_comparison_of_the_predictions(write: WriteRun) -> None:
    from graticule.predictions import read_predictions

    a, b = write("a", groups=15), write("bb", 1.5, groups=15)
    group = object_array([f"g{i % 15}" for i in range(N)])
    expected = compare_predictions(*(read_predictions(f / "predictions.parquet") for f in (a, b)), group, seed=3)
    found = compare(a, b, seed=3)
    assert all(found[key] == value for key, value in expected.items())
