"""The blind test beside a judgement: fresh real images, generated ones that are no copies, a page of clues."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest

from graticule.arrays import object_array
from graticule.files import sha256_file
from graticule.formats.selection import EVERYTHING
from graticule.jobs.synthesize.blind import write_blind_test
from graticule.manifest import Manifest
from graticule.synthesis.blind import images_of_test, read_truth

N_REAL, N_MADE = 60, 50


def drawn(folder: Path, n: int, size: int, seed: int) -> Manifest:
    """Files of one class, of a size of their own."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for i in range(n):
        PIL.Image.fromarray(rng.integers(0, 256, (size, size), dtype=np.uint8)).save(folder / f"{i:02d}.png")
    names = object_array([f"{i:02d}.png" for i in range(n)])
    return Manifest(folder, names, object_array(["oil"] * n))


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    """A judgement of images at 16 px; of the real ones at 40 px the last 20 were not seen by the generator."""
    real, made = drawn(tmp_path / "real", N_REAL, 40, 0), drawn(tmp_path / "made", N_MADE, 16, 1)
    found = SimpleNamespace(flagged=np.arange(N_MADE) < 5)
    return SimpleNamespace(
        classes=[(found, np.arange(N_MADE))],
        real=SimpleNamespace(manifest=real),
        made=SimpleNamespace(manifest=made, info=[SimpleNamespace(width=16, height=16)] * N_MADE),
        seen=(np.arange(N_REAL) < N_REAL - 20)[None],
    )


def test_only_fresh_images_and_no_copies_are_asked_all_of_one_size(judged: Any, tmp_path: Path) -> None:
    assert write_blind_test(tmp_path, judged, EVERYTHING, 0)
    truth = read_truth(tmp_path / "blind-truth.csv")
    names = images_of_test(tmp_path / "blind")
    assert {sha256_file(tmp_path / "blind" / name) for name in names} == set(truth)
    asked = [image for image in truth.values() if not image.again]
    # 20 pairs, of which four are clues
    assert [sum(image.kind == kind for image in asked) for kind in ("real", "generated")] == [16, 16]
    assert {int(image.source[:2]) >= N_REAL - 20 for image in asked if image.kind == "real"} == {True}
    assert min(int(image.source[:2]) for image in asked if image.kind == "generated") >= 5
    sizes = set()
    for name in names:
        with PIL.Image.open(tmp_path / "blind" / name) as image:
            sizes.add(image.size)
    assert sizes == {(16, 16)}
    page = (tmp_path / "blind-clue.html").read_text("utf-8")
    assert page.count('alt="real oil"') == page.count('alt="generated oil"') == 4


def test_generators_of_folds_leave_each_image_out_once_and_too_few_make_no_test(judged: Any, tmp_path: Path) -> None:
    fold = np.arange(N_REAL) % 3
    judged.seen = np.stack([fold != k for k in range(3)])
    assert write_blind_test(tmp_path, judged, EVERYTHING, 0)
    (tmp_path / "none").mkdir()
    judged.seen = np.ones((1, N_REAL), bool)
    assert not write_blind_test(tmp_path / "none", judged, EVERYTHING, 0)
    assert list((tmp_path / "none").iterdir()) == []
    other = SimpleNamespace(**vars(judged) | {"seen": np.zeros((1, N_REAL), bool)})
    other.real = SimpleNamespace(manifest=replace(judged.real.manifest, label=object_array(["air"] * N_REAL)))
    assert not write_blind_test(tmp_path / "none", other, EVERYTHING, 0)
