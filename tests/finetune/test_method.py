"""The method "finetune" hands on what the engine found as either kind of outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.made_samples import folds_of, samples_of  # noqa: E402

from graticule.finetune import method  # noqa: E402
from graticule.finetune.classes import ClassGoal  # noqa: E402
from graticule.finetune.numbers import ValueGoal  # noqa: E402
from graticule.finetune.options import FinetuneOptions  # noqa: E402
from graticule.finetune.tune import Tuned  # noqa: E402
from graticule.images.preprocess import Preprocessing  # noqa: E402
from graticule.progress import Silent  # noqa: E402
from graticule.regress.target import Target  # noqa: E402
from graticule.split.division import Division  # noqa: E402


@pytest.fixture
def goals(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The goals that the engine, replaced here, was asked for."""
    asked: list[Any] = []

    def tune(goal: Any, *_: Any) -> Tuned:
        asked.append(goal)
        answers = np.full((goal.n_samples, goal.outputs), 0.25)
        encoder: Any = "the encoder"
        return Tuned(answers, encoder, ["head"], "one network", {"recipe": {}}, ["a word"], np.ones(3, np.float32))

    monkeypatch.setattr(method, "tune", tune)
    return asked


def test_classes_are_numbered_in_their_order(goals: list[Any]) -> None:
    samples = samples_of(["b", "a", "b", "c"])
    division = Division(folds_of(["cv"] * 4, [0, 1, 0, 1]), [], [])
    processes: Any = None
    found = method.fine_tune(
        samples, Preprocessing(size=8), division, FinetuneOptions(), processes, Path("work"), Silent()
    )
    (goal,) = goals
    assert isinstance(goal, ClassGoal)
    assert (goal.y.tolist(), goal.outputs) == ([1, 0, 1, 2], 3)
    assert found.proba.shape == (4, 3)
    assert (found.heads, found.shipped, found.warnings) == (["head"], "one network", ["a word"])
    assert found.training == {"recipe": {}}


def test_a_number_is_learnt_on_its_scale_and_beside_constants(goals: list[Any]) -> None:
    numbers = ["1", "10", "100", "1000", "5"]
    samples = samples_of(["a"] * 5, target=numbers)
    division = Division(folds_of(["cv", "cv", "cv", "cv", "test"], [0, 1, 0, 1, -1]), [], [])
    processes: Any = None
    found = method.fine_tune_value(
        samples,
        Preprocessing(size=8),
        division,
        Target("dose", scale="log"),
        FinetuneOptions(),
        processes,
        Path("work"),
        Silent(),
    )
    (goal,) = goals
    assert isinstance(goal, ValueGoal)
    np.testing.assert_allclose(goal.learnt, np.log([1, 10, 100, 1000, 5]))
    # differences are told in the spread of what trains, the held-out part left out
    assert goal.spread == pytest.approx(np.std(np.log([1, 10, 100, 1000])))
    assert found.learnt.tolist() == [0.25] * 5
    assert set(found.baselines) == {"mean", "median"}
    assert found.mean_features is not None
