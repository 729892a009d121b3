"""The comparison of finished runs: which part, whose groups, what stands in comparison.json and on the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from tests.evaluate.compare.paired import compare_predictions

from graticule.arrays import object_array
from graticule.errors import OptionError, RunError
from graticule.jobs.compare import compare
from graticule.manifest import Manifest, sample_id_of
from graticule.predictions import Predictions

N = 120
CLASSES = ("fibre", "plate", "sphere")
PRESENT = {"run_a", "run_b", "part", "settings", "n", "n_a", "n_b", "n_groups", "classes", "a", "b", "difference"}
PRESENT |= {"discordant", "test", "notes"}
WriteRun = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteRun:
    """Writer of run folders on the same 120 images, see `write_run`."""
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
        fold: Sequence[int] | None = None,
        sha256: Sequence[str] | None = None,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        scores = np.random.default_rng(len(name)).normal(size=(N, 3))
        scores[np.arange(N), y] += signal
        proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        part = object_array([parts[i % len(parts)] for i in range(N)])
        ids = object_array([sample_id_of(file) for file in names])
        folds = np.where(part == "cv", np.arange(N) % 5 if fold is None else np.array(fold), -1)
        Predictions(ids, object_array(names), part, folds, label, CLASSES, proba).write(folder / "predictions.parquet")
        columns = {"group": object_array([f"g{i % groups}" for i in range(N)])} if groups else {}
        columns |= {"sha256": object_array(list(sha256))} if sha256 else {}
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
    assert set(expected.pop("notes")) <= set(found["notes"])
    assert all(found[key] == value for key, value in expected.items())


def test_runs_that_do_not_tell_hashes_are_doubted_by_the_hash_of_their_data(write: WriteRun, tmp_path: Path) -> None:
    a, b = write("a", record={"data": {"sha256": "1"}}), write("bb", record={"data": {"sha256": "2"}})
    same = write("ccc", record={"data": {"sha256": "1"}}, sha256=["h"] * N)
    result = compare(a, b, tmp_path / "out")
    assert len(result["cautions"]) == 1
    assert "may have seen different images under the same paths" in result["cautions"][0]
    assert result["notes"][0] == result["cautions"][0]
    assert result["cautions"][0] in (tmp_path / "out" / "compare.html").read_text()
    assert compare(a, same)["cautions"] == []


def test_a_run_without_groups_is_called_too_good_where_its_folds_split_groups(write: WriteRun, tmp_path: Path) -> None:
    sound, off = {"options": {"group": "auto"}}, {"options": {"group": "none"}}
    grouped = write("a", groups=20, fold=[i % 20 % 5 for i in range(N)], record=sound)
    leaky = write("bb", 4.0, fold=[i // 20 % 5 for i in range(N)], record=off)
    result = compare(grouped, leaky, tmp_path / "out")
    why = "groups were switched off with --group none, and images of 20 of 20 groups are on both sides of its splits"
    assert [run["too_good"] for run in result["runs"]] == [None, why]
    assert result["cautions"][0] == f"The figures of {leaky} are too good: {why}."
    assert "--group auto against none" in result["cautions"][1]
    words = (tmp_path / "out" / "compare.html").read_text()
    assert f"the figures of B are too good ({why}): it does not show that B is better" in words
    # folds that keep the groups together although they do not know them
    lucky = write("ccc", fold=[i % 20 % 5 for i in range(N)], record=off)
    assert compare(grouped, lucky)["cautions"] == []
    # without any names of groups the option alone tells
    assert compare(leaky, lucky)["runs"][1]["too_good"] == "groups were switched off with --group none"


def test_targets_out_of_reach_of_both_runs_are_noted(write: WriteRun) -> None:
    a, b, good = write("a", 0.5), write("bb", 0.5), write("ccc", 9.0)
    result = compare(a, b, others=[good])
    told = [note for note in result["notes"] if note.startswith("Not reached by either: 99%, 98%, 95% accuracy")]
    assert len(told) == 1
    assert f"No threshold on the scores of {a} or of {b} keeps it" in told[0]
    assert result["comparisons"][1]["coverage"][0]["b"] > 0
