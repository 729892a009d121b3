"""No file of a user is decoded in the process of a verb: its readers fail there, and everything goes on as ever."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import PIL.Image
import pytest

from graticule.images import image
from graticule.jobs.review import open_review

Command = Callable[..., Any]


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading an image fails in this process; workers start anew and know nothing of it."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a user's file was decoded in the main process")

    monkeypatch.setattr(image, "_decode", refuse)
    monkeypatch.setattr(PIL.Image, "open", refuse)


@pytest.fixture
def data(images: Path, tmp_path: Path) -> Path:
    """The images, some of them with 16 bits, and near-copies of a few."""
    folder = shutil.copytree(images, tmp_path / "data")
    for kind in ("disc", "square", "stripes"):
        for i in range(3):
            pixels = np.asarray(PIL.Image.open(folder / kind / f"{kind}_{i:02d}.png")).astype(np.uint16)
            PIL.Image.fromarray(pixels[1:, 1:] * 200).save(folder / kind / f"copy_{i}.png")
    return folder


def test_training_and_what_follows_decode_in_workers_alone(
    data: Path, tmp_path: Path, graticule: Command, fast: tuple[str, ...], no_decoding: None
) -> None:
    run, labels = tmp_path / "run", tmp_path / "labels.db"
    for i in (10, 11):  # pictures under two labels are always listed
        shutil.copy(data / "disc" / f"disc_{i}.png", data / "square" / f"wrong_{i}.png")
    for page, words in {
        "report.html": ("train", data, "--out", run, *fast, "--folds", 2),
        "audit.html": ("audit", data, "--out", tmp_path / "audit"),
        "explain.html": ("explain", run, data, "--out", tmp_path / "explain", "--limit", 3, "--workers", 1),
        "label_errors.html": ("label-errors", run, "--out", tmp_path / "label-errors"),
    }.items():
        outcome = graticule(*words)
        assert outcome.code == 0, outcome.err
        (file,) = tmp_path.glob(f"*/{page}")
        assert "data:image/" in file.read_text(), page
    assert graticule("predict", run, data, "--out", tmp_path / "answers", "--workers", 1).code == 0
    with open_review(tmp_path / "answers", str(labels)) as review:
        assert review.pictures.shown(0).pixels.size > 0
        assert review.pictures.thumbnail(1).startswith(b"\xff\xd8")
        assert review.pictures.training_thumbnail(0).startswith(b"\xff\xd8")
        assert review.pictures.explanation(0, "disc") is not None
