"""`synthesize DATA` as a function: generators cross-fitted over drawn pictures, judged, and ready to train."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.jobs.synthesize import drawn
from tests.synthesis.drawn import blobs

from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.make import synthesize
from graticule.sources.synthetic import read_synthetic
from graticule.split.parents_table import read_parents

OPTIONS = SynthesizeOptions(classes="dark", n=20, steps=150, folds=2, workers=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rare")
    for kind, n in (("bright", 60), ("dark", 44)):
        (folder / "real" / kind).mkdir(parents=True)
        for i, picture in enumerate(drawn.KINDS[kind](blobs(n, len(kind)))):
            PIL.Image.fromarray((picture[:23] * 255).astype(np.uint8)).save(folder / "real" / kind / f"{i:03d}.png")
    synthesize(folder / "real", folder / "made", OPTIONS)
    return folder


def test_images_of_all_classes_by_each_generator(place: Path) -> None:
    made = read_synthetic(place / "made")
    assert len(made) == 3 * 2 * 20
    assert set(made.columns["generator"]) == {"fold-1", "fold-2", "all"}
    for file in made.files()[::17]:
        with PIL.Image.open(file) as image:
            # grey stays grey, and each is as large as a real one
            assert (image.mode, image.size) == ("L", (24, 23))
    about = json.loads((place / "made" / "run.json").read_text())
    assert about["command"].startswith("graticule synthesize ")
    assert [one["name"] for one in about["generators"]] == ["fold-1", "fold-2", "all"]
    assert all(one["steps"] == 150 for one in about["generators"])


def test_no_generator_saw_what_another_left_out_twice(place: Path) -> None:
    made = read_synthetic(place / "made")
    seen = read_parents(place / "made", made, "auto")
    assert seen is not None
    every = {hashlib.sha256(file.read_bytes()).hexdigest() for file in (place / "real").glob("*/*.png")}
    assert seen["all"] == every
    # what one leaves out the other saw
    assert seen["fold-1"] | seen["fold-2"] == every
    assert not (every - seen["fold-1"]) & (every - seen["fold-2"])


def test_every_class_has_a_verdict_and_the_set_test_was_made(place: Path) -> None:
    gate = json.loads((place / "made" / "gate.json").read_text())
    assert [one["label"] for one in gate["classes"]] == ["bright", "dark"]
    for one in gate["classes"]:
        assert one["n_generated"] == 60
        assert one["copied_as_a_set"]["p"] is not None
        assert one["verdict"] in ("use not tested", "refused")


def test_the_same_seed_makes_the_same_images(place: Path, tmp_path: Path) -> None:
    synthesize(place / "real", tmp_path / "made", replace(OPTIONS, use="none"))
    one, other = read_synthetic(place / "made"), read_synthetic(tmp_path / "made")
    assert one.path.tolist() == other.path.tolist()
    assert [file.read_bytes() for file in one.files()[::7]] == [file.read_bytes() for file in other.files()[::7]]
