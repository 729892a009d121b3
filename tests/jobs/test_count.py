"""`count` as a function: planted answers are counted per class and specimen, and options that do not fit are told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from graticule.answers import Shards, block_of, prediction_schema
from graticule.errors import OptionError, RunError
from graticule.jobs.count import count
from graticule.jobs.options import CountOptions
from graticule.runs import write_json

CLASSES = ("fibre", "plate")


@pytest.fixture
def predicted(tmp_path: Path) -> Path:
    """Six images: four fibres, a plate, and a file that cannot be read."""
    folder = tmp_path / "answers"
    folder.mkdir()
    proba = np.array([[0.9, 0.1]] * 4 + [[0.2, 0.8], [np.nan, np.nan]])
    n = len(proba)
    decided = {
        "set": [[]] * n, "novelty": [None] * n, "decision": ["accept"] * 5 + ["reject"], "reason": [""] * n,
        "nearest": [[]] * n,
    }  # fmt: skip
    with Shards(folder, prediction_schema(CLASSES)) as shards:
        paths = [f"{i}.png" for i in range(n)]
        shards.write(block_of(paths, [f"{i}" for i in range(n)], proba, ~np.isnan(proba[:, 0]), CLASSES, decided))
    write_json(folder / "summary.json", {"verb": "predict", "n": n, "run": str(tmp_path / "gone")})
    (folder / "DONE").touch()
    return folder


def table(folder: Path, *columns: str) -> Path:
    """Images 0 to 2 are of specimen s, the others of t; further columns as "name: value of all"."""
    rows = [",".join(["path", "specimen", *(c.split(":")[0] for c in columns)])]
    for i in range(6):
        rows.append(",".join([f"{i}.png", "s" if i < 3 else "t", *(c.split(":")[1] for c in columns)]))
    file = folder / "table.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def test_planted_counts_are_found_in_all_and_per_specimen(predicted: Path, tmp_path: Path) -> None:
    options = CountOptions(table=table(tmp_path), by="specimen")
    told = count(predicted, tmp_path / "out", options)
    assert told["prior_shift"]["offered"] is False
    assert json.loads((tmp_path / "out" / "counts.json").read_text())["level"] == told["level"]
    with (tmp_path / "out" / "counts.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = {(row["specimen"], row["class"]): float(row["value"]) for row in rows if row["quantity"] == "count"}
    planted = {"all images": (4, 1), "s": (3, 0), "t": (1, 1)}
    assert found == {(name, kind): n for name, own in planted.items() for kind, n in zip(CLASSES, own, strict=True)}
    assert (told["n"], told["n_unreadable"]) == (6, 1)


@pytest.mark.parametrize(
    ("columns", "more", "words"),
    [
        (["diameter_um:2"], {}, "say what it is"),
        ([], {"diameter_is": "Feret"}, "there is none"),
        (["volume_ml:1"], {"volume_ml": 2.0}, "contradict each other"),
    ],
)
def test_sizes_and_volumes_must_be_told_once(
    columns: list[str], more: dict[str, object], words: str, predicted: Path, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=words):
        count(predicted, tmp_path / "out", CountOptions(table=table(tmp_path, *columns), by="specimen", **more))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_run_that_was_asked_for_must_serve(predicted: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError):
        count(predicted, tmp_path / "out", CountOptions(calibration=tmp_path / "gone"))
    assert count(predicted, tmp_path / "out", CountOptions())["prior_shift"]["reasons"]
