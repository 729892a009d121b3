"""The use test as a step: turned features are those of turned files, and every rare class carries the outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.jobs.synthesize import drawn

from graticule.features.samples import embed_samples
from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.judge import (
    Judged,
    generated_images,
    judge_images,
    judging_encoder,
    real_images,
)
from graticule.jobs.synthesize.material import Material, gather
from graticule.jobs.synthesize.use import picture_of_canvas, turned_features, with_use
from graticule.progress import Silent
from graticule.split.duplicates.symmetry import symmetric

OPTIONS = SynthesizeOptions(classes="dark", folds=2, turned="no", workers=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("use")
    drawn.write(tmp_path / "real", drawn.real)
    for fold in ("fold-1", "fold-2"):
        drawn.write(tmp_path / "made" / fold, drawn.new)
    drawn.parents(tmp_path / "real", tmp_path / "parents.csv")
    return tmp_path


def test_turned_features_are_those_of_turned_pictures(place: Path) -> None:
    real = real_images(place / "real", None, OPTIONS)
    encoder = judging_encoder(real, OPTIONS, Silent())
    found = gather(real, encoder, OPTIONS, Silent())
    views = turned_features(found)
    assert views.shape == (8, 120, found.samples.whole_features.shape[1])
    for symmetry in (1, 6):
        folder = place / f"turned{symmetry}" / "dark"
        folder.mkdir(parents=True)
        for row in range(3):
            turned = np.ascontiguousarray(symmetric(picture_of_canvas(found, row), symmetry))
            PIL.Image.fromarray(turned).save(folder / f"{row}.png")
        again = embed_samples(
            real_images(folder.parent, None, OPTIONS), encoder, workers=1, batch_size=None, reporter=Silent()
        )
        # resizing a picture and turning the input are the same but for rounding
        apart = np.linalg.norm(views[symmetry, :3] - again.whole_features, axis=1)
        assert (apart < 0.15 * np.linalg.norm(again.whole_features, axis=1)).all()


@pytest.fixture(scope="module")
def looked(place: Path) -> tuple[Judged, Material]:
    real = real_images(place / "real", None, OPTIONS)
    found = gather(real, judging_encoder(real, OPTIONS, Silent()), OPTIONS, Silent())
    with (place / "made.csv").open("w") as stream:
        stream.write("path,label,generator\n")
        for file in sorted((place / "made").glob("*/*/*.png")):
            stream.write(f"{file.relative_to(place).as_posix()},{file.parent.name},{file.parent.parent.name}\n")
    made = generated_images(place / "made.csv", real)
    shas = found.samples.manifest.columns["sha256"]
    seen = {f"fold-{k + 1}": frozenset(shas[found.fold != k].tolist()) for k in range(2)}
    return judge_images(real, made, seen, OPTIONS, Silent()), found


@pytest.mark.parametrize("looks_at", ["features", "pixels"])
def test_rare_classes_carry_the_outcome(looked: tuple[Judged, Material], looks_at: str) -> None:
    judged = with_use(*looked, replace(OPTIONS, use=looks_at))
    told = {one.label: one for one, _ in judged.classes}
    assert told["bright"].use is None
    use = told["dark"].use
    assert use is not None
    assert told["dark"].verdict == ("accepted" if use["accepted"] else "no gain shown")
    assert use["words"] in told["dark"].describe()["reasons"]
