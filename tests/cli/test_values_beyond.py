"""Images whose values lie beyond those of the training images: told by every verb that scores them, never accepted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest

from graticule.bundle import read_bundle, write_bundle
from graticule.images.beyond import BRIGHTER

KINDS = ("disc", "stripes")
FACTOR = 15  # from the 8 bits that are drawn to the 12 of a camera


def deepened(folder: Path, factor: int) -> None:
    """Each drawn image in 16 bits, its values times a factor."""
    for file in sorted(folder.rglob("*.png")):
        PIL.Image.fromarray(np.asarray(PIL.Image.open(file)).astype(np.uint16) * factor).save(file)


@pytest.fixture(scope="module")
def deep(
    tmp_path_factory: pytest.TempPathFactory,
    in_session_cache: None,
    draw_classes: Callable[..., Path],
    graticule: Callable[..., Any],
    fast: tuple[str, ...],
) -> Path:
    """A folder with a run on 12-bit values, and new images: usual ones, partly brighter and wholly brighter ones."""
    root = tmp_path_factory.mktemp("deep")
    deepened(draw_classes(root / "data", n=20, classes=KINDS), FACTOR)
    new = draw_classes(root / "new", n=2, first=200, classes=KINDS)
    deepened(new, FACTOR)
    for kind in KINDS:
        usual = np.asarray(PIL.Image.open(new / kind / f"{kind}_200.png"))
        part = usual.copy()
        part[:8] = 20_000
        PIL.Image.fromarray(part).save(new / kind / "part.png")
        PIL.Image.fromarray(usual * 4 + np.uint16(4096)).save(new / kind / "whole.png")
    assert graticule("train", root / "data", "--out", root / "run", *fast, "--folds", 3).code == 0
    return root


def rows_of(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in pq.read_table(folder / "predictions-00000.parquet").to_pylist()}


def check(rows: dict[str, dict[str, Any]]) -> None:
    for kind in KINDS:
        usual = rows[f"{kind}/{kind}_200.png"]
        assert usual["reason"] != BRIGHTER
        part, whole = rows[f"{kind}/part.png"], rows[f"{kind}/whole.png"]
        assert (part["decision"], part["reason"]) == (whole["decision"], whole["reason"]) == ("reject", BRIGHTER)
        assert part["label"] is not None
        assert whole["label"] is whole["score"] is None


@pytest.mark.parametrize("options", [(), ("--target-accuracy", 0.5, "--novelty-alpha", 0), ("--novelty-fdr",)])
def test_predict_never_accepts_them_and_says_why(
    deep: Path, tmp_path: Path, warm_cache: Path, graticule: Callable[..., Any], options: tuple[object, ...]
) -> None:
    out = tmp_path / "predicted"
    assert graticule("predict", deep / "run", deep / "new", "--out", out, "--workers", 1, *options).code == 3
    check(rows_of(out))
    failures = (out / "failures.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(failures) == 2
    assert all("whole.png" in line and "brighter" in line for line in failures)


def test_a_bundle_of_an_earlier_version_is_held_to_its_window_too(
    deep: Path, tmp_path: Path, warm_cache: Path, graticule: Callable[..., Any]
) -> None:
    old = read_bundle(deep / "run" / "model")
    del old.info.preprocessing["intensity"]["outside"]
    write_bundle(tmp_path / "old", old)
    assert graticule("predict", tmp_path / "old", deep / "new", "--out", tmp_path / "p", "--workers", 1).code == 3
    check(rows_of(tmp_path / "p"))


def test_evaluate_rejects_them(deep: Path, tmp_path: Path, warm_cache: Path, graticule: Callable[..., Any]) -> None:
    out = tmp_path / "evaluated"
    command = ("evaluate", deep / "run", deep / "new", "--out", out, "--workers", 1)
    assert graticule(*command, "--novelty-alpha", 0, "--target-accuracy", 0.5).code == 3
    decisions = json.loads((out / "decisions.json").read_text())["decisions"]
    assert decisions["reject"]["n"] == 2
    assert any(f"2 of 6 images: {BRIGHTER}" in note for note in json.loads((out / "run.json").read_text())["warnings"])


def test_explain_says_so(deep: Path, tmp_path: Path, warm_cache: Path, graticule: Callable[..., Any]) -> None:
    out = tmp_path / "explained"
    assert graticule("explain", deep / "run", deep / "new", "--out", out, "--workers", 1).code == 3
    notes = json.loads((out / "explain.json").read_text())["notes"]
    assert [BRIGHTER in note for note in notes] == [True]
    assert BRIGHTER in (out / "explain.html").read_text(encoding="utf-8")


def test_training_covers_them_and_says_what_that_costs(
    deep: Path, tmp_path: Path, warm_cache: Path, graticule: Callable[..., Any], fast: tuple[str, ...]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(deep / "data", data)
    for kind in KINDS:
        shutil.copy(deep / "new" / kind / "whole.png", data / kind / "z.png")
    assert graticule("train", data, "--out", tmp_path / "run", *fast, "--folds", 3).code == 0
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert "from 0 to 65535 (chosen by the values of 42 images)" in record["embedding"]["reading"]["intensity"]
    assert any("holds 2 of 42" in note for note in record["warnings"])
    assert graticule("predict", tmp_path / "run", deep / "new", "--out", tmp_path / "p", "--workers", 1).code == 0
    assert all(row["reason"] != BRIGHTER for row in rows_of(tmp_path / "p").values())


def test_a_window_that_was_asked_for_may_leave_out_what_training_left_out(
    deep: Path, tmp_path: Path, warm_cache: Path, graticule: Callable[..., Any], fast: tuple[str, ...]
) -> None:
    run = tmp_path / "run"
    options = ("--folds", 3, "--test-size", 0.25, "--intensity", "0:2000")
    assert graticule("train", deep / "data", "--out", run, *fast, *options).code == 0
    test = json.loads((run / "decisions.json").read_text())["test"]
    assert test["decisions"]["reject"]["n"] == (test["novelty"] or {"rejected": 0})["rejected"]
    notes = json.loads((run / "run.json").read_text())["warnings"]
    assert any("40 of 40 images have more than 0.2%" in note for note in notes)
    assert graticule("predict", run, deep / "data" / "disc", "--out", tmp_path / "p", "--workers", 1).code == 0
    assert all(row["reason"] != BRIGHTER for row in rows_of(tmp_path / "p").values())
