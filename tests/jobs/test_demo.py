"""The demonstration: draw, train, predict, on images small enough for a test."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from graticule.errors import RunError
from graticule.jobs import demo as job
from graticule.jobs.train.options import TrainOptions
from graticule.phantoms.families import FAMILIES
from graticule.phantoms.labelled import LabelledFamily
from graticule.phantoms.powder import Micrograph


def _stripes(label: int, image: int, seed: int) -> Micrograph:
    """Rows or columns that alternate in brightness, with noise."""
    rng = np.random.default_rng([label, image, seed])
    wave = 120 + 60 * np.sin(np.arange(48) / 2)
    grid = wave[:, None] if label == 0 else wave[None, :]
    pixels = (grid + rng.normal(0, 8, (48, 48))).astype(np.uint8)
    return Micrograph(pixels, np.zeros((48, 48), np.uint16), f"P{image % 4:03d}", 1.0, "SEM-1")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few tiny images of two classes and a quick cross-validation: the way is tested, not the picture."""
    monkeypatch.setitem(FAMILIES, "powder", LabelledFamily("powder", "stripes", ("across", "along"), _stripes))
    monkeypatch.setattr(job, "_TRAINING_PER_CLASS", 8)
    monkeypatch.setattr(job, "_NEW_PER_CLASS", 2)
    monkeypatch.setattr(job, "_PARTICLES_PER_CLASS", 12)
    monkeypatch.setattr(job, "TrainOptions", partial(TrainOptions, views=1, folds=2, head="logistic"))


def test_the_demonstration_goes_the_whole_way(tmp_path: Path) -> None:
    result = job.demo(tmp_path / "demo", workers=1)
    out = tmp_path / "demo"
    assert {file.name for file in out.iterdir()} == {
        *("DONE", "sample", "run", "new", "predictions"),
        *("particles", "particles-run"),
    }
    assert result["report"] == out / "run" / "report.html"
    assert result["report"].is_file()
    metrics = json.loads((out / "run" / "metrics.json").read_text())
    assert (metrics["n"], metrics["n_groups"]) == (16, 4)
    assert (result["right"], result["n_new"]) == (4, 4)
    # the new images carry no hint at their class
    assert sorted(file.name for file in (out / "new").iterdir()) == [f"new_{i:03d}.png" for i in range(4)]
    assert (out / "predictions" / "predictions.csv").is_file()
    particles = json.loads((out / "particles-run" / "run.json").read_text())
    assert result["particles"]["metrics"]["n"] == 36
    assert particles["embedding"]["input_size"] == 96
    with pytest.raises(RunError, match="holds a finished demo"):
        job.demo(out, workers=1)


def test_an_interrupted_demonstration_is_not_taken_for_a_finished_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "train", interrupt)
    with pytest.raises(KeyboardInterrupt):
        job.demo(tmp_path / "demo", workers=1)
    assert not (tmp_path / "demo" / "DONE").exists()
    with pytest.raises(RunError, match="holds an interrupted demo"):
        job.demo(tmp_path / "demo", workers=1)
