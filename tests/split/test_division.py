"""How samples are divided: copies stay together where that is possible, leaks are refused, synthetic images train."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.made_samples import samples_of

from graticule.errors import FoldError
from graticule.features.samples import Samples
from graticule.images.preprocess import Preprocessing
from graticule.progress import Silent
from graticule.split import division
from graticule.split.division import Division, check_split, divide_samples
from graticule.split.duplicates.find import Pair
from graticule.split.kinship import Kinship
from graticule.split.options import SplitOptions


def divided(
    samples: Samples, monkeypatch: pytest.MonkeyPatch, near: dict[int, int] | None = None, **options: Any
) -> Division:
    """A division where the images named are near-copies of others."""
    n = len(samples.manifest)
    unit = np.arange(n)
    for copy, original in (near or {}).items():
        unit[copy] = unit[original]
    pairs = [Pair(a, b, "near", 0.9, "") for b, a in (near or {}).items()]
    monkeypatch.setattr(division, "relate", lambda *_: Kinship(pairs, np.arange(n), unit))
    return divide_samples(samples, Preprocessing(size=8), SplitOptions(**options), Silent())


def test_near_copies_stay_on_one_side(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = samples_of(["a", "b"] * 20)
    found = divided(samples, monkeypatch, {10: 0, 20: 0, 11: 1}, folds=4)
    fold = found.folds.fold
    assert fold[0] == fold[10] == fold[20]
    assert fold[1] == fold[11]
    assert "altered ones, near-duplicates" in found.notes[0]
    exact = divided(samples, monkeypatch, {10: 0, 20: 0, 11: 1}, folds=4, near_duplicates="exact")
    assert len(np.unique(exact.folds.component)) == 40
    assert "different images" in exact.notes[0]


def test_near_copies_that_leave_too_few_units_are_parted_unless_asked_to_be_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = samples_of(["a"] * 6 + ["b"] * 6)
    chain = dict.fromkeys(range(1, 6), 0)
    found = divided(samples, monkeypatch, chain, folds=3)
    assert len(np.unique(found.folds.component)) == 12
    assert "different images" in found.notes[0]
    with pytest.raises(FoldError):
        divided(samples, monkeypatch, chain, folds=3, near_duplicates="join")


def test_a_split_that_leaks_is_refused_early_or_allowed_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    split = ["test" if i % 4 < 2 and i < 16 else "train" for i in range(32)]
    samples = samples_of(["a", "b"] * 16, split=split, group=[f"g{i // 3}" for i in range(32)])
    with pytest.raises(FoldError, match="--allow-leaks"):
        check_split(samples.manifest, SplitOptions(folds=2))
    with pytest.raises(FoldError, match="--allow-leaks"):
        divided(samples, monkeypatch, folds=2)
    allowed = divided(samples, monkeypatch, folds=2, allow_leaks=True)
    assert allowed.leaks
    assert (allowed.folds.part == "test").tolist() == [part == "test" for part in split]


def test_synthetic_images_train_and_never_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = ["synthetic" if i >= 24 else "real" for i in range(30)]
    found = divided(samples_of(["a", "b"] * 15, origin=origin), monkeypatch, folds=3)
    assert set(found.folds.part[24:]) == {"synthetic"}
    assert set(found.folds.fold[24:].tolist()) == {-1}
    assert (found.folds.part[:24] == "cv").all()
