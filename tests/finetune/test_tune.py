"""The steps of fine-tuning that need no network: rows of a fold, the input's scale, rows of the picture proper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.made_samples import folds_of  # noqa: E402

from graticule.finetune import tune  # noqa: E402
from graticule.finetune.classes import ClassGoal  # noqa: E402
from graticule.finetune.options import FinetuneOptions  # noqa: E402
from graticule.finetune.recipe import Recipe  # noqa: E402
from graticule.images.preprocess import Preprocessing  # noqa: E402
from graticule.split.division import Division  # noqa: E402

RECIPE = Recipe(epochs=3, batch_size=10, input_size=32, lr=1e-3, validation=0.2)


def division(n: int, synthetic: int = 0) -> Division:
    part = ["cv"] * n + ["synthetic"] * synthetic
    folds = folds_of(part, [i % 2 for i in range(n)] + [-1] * synthetic)
    return Division(replace(folds, k=2), [], [])


def test_an_input_of_another_size_shows_the_same_field() -> None:
    reading = Preprocessing(size=224, scale_nm=10.0)
    assert tune._at_size(reading, 112) == replace(reading, size=112, scale_nm=20.0)
    assert tune._at_size(Preprocessing(size=224), 112).scale_nm is None


def test_synthetic_images_train_and_choose_no_epoch() -> None:
    given = division(60, synthetic=10)
    train = np.r_[np.arange(1, 60, 2), np.arange(60, 70)]
    rows = tune._divided(0, ClassGoal(np.zeros(70, np.int64), 1), given, RECIPE, seed=0)
    assert rows.held.tolist() == list(range(0, 60, 2))
    assert set(range(60, 70)) <= set(rows.train.tolist())
    assert len(rows.validation) == 6
    assert max(rows.validation) < 60
    assert sorted([*rows.train, *rows.validation]) == sorted(train)


def test_what_synthetic_images_were_made_from_does_not_choose_the_epoch() -> None:
    given = division(60, synthetic=10)
    goal = ClassGoal(np.zeros(70, np.int64), 1)
    parental = np.zeros((70, 2), bool)
    parental[:40, 0] = True
    some = replace(given, folds=replace(given.folds, parental=parental))
    rows = tune._divided(0, goal, some, RECIPE, seed=0)
    assert len(rows.validation) > 2
    assert rows.validation.min() >= 40
    assert set(range(1, 40, 2)) <= set(rows.train.tolist())
    assert tune._divided(1, goal, some, RECIPE, seed=0).validation.min() < 40
    parental[:, 0] = True
    every = replace(given, folds=replace(given.folds, parental=parental))
    parts = [tune._divided(fold, goal, every, RECIPE, seed=0) for fold in range(2)]
    assert [len(part.validation) > 0 for part in parts] == [False, True]
    assert sorted(parts[0].train) == sorted([*range(1, 60, 2), *range(60, 70)])
    (note,) = tune._blind_notes(every, parts)
    assert note.startswith("in fold 1 synthetic images were made from all training images")
    assert tune._blind_notes(given, parts) == []
    assert every.folds.key() != given.folds.key()


@pytest.mark.parametrize(("options", "expected"), [({}, 3 * (3 + 3 + 6)), ({"ensemble": True}, 3 * (3 + 3))])
def test_the_steps_of_the_whole_run_are_foreseen(options: Any, expected: int) -> None:
    assert tune._planned_steps(division(60), FinetuneOptions(**options), RECIPE) == expected
