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
    rows = tune._divided(train, np.arange(0, 60, 2), ClassGoal(np.zeros(70, np.int64), 1), given, RECIPE, seed=0)
    assert set(range(60, 70)) <= set(rows.train.tolist())
    assert len(rows.validation) == 6
    assert max(rows.validation) < 60
    assert sorted([*rows.train, *rows.validation]) == sorted(train)


@pytest.mark.parametrize(("options", "expected"), [({}, 3 * (3 + 3 + 6)), ({"ensemble": True}, 3 * (3 + 3))])
def test_the_steps_of_the_whole_run_are_foreseen(options: Any, expected: int) -> None:
    assert tune._planned_steps(division(60), FinetuneOptions(**options), RECIPE) == expected
