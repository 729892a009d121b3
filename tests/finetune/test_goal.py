"""Either goal is whole: what folds, export and bundle ask of it is there, and it goes to other processes."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.finetune.classes import ClassGoal  # noqa: E402
from graticule.finetune.goal import Goal  # noqa: E402
from graticule.finetune.last_layer import LastLayer  # noqa: E402
from graticule.finetune.numbers import ValueGoal  # noqa: E402

GOALS = [ClassGoal(np.arange(12) % 3, 3), ValueGoal(np.linspace(0, 5, 12), 1.5)]


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: type(goal).__name__)
def test_a_goal_answers_all_that_is_asked(goal: Goal) -> None:
    for kind, found in ((Goal, goal), (LastLayer, goal.last_layer)):
        asked = {
            name
            for name, item in vars(kind).items()
            if not name.startswith("_") and (inspect.isfunction(item) or isinstance(item, property))
        }
        assert asked <= set(dir(found))
    assert goal.n_samples == 12
    assert goal.answers(np.zeros((3, goal.outputs), np.float32), 1.0).shape == (3, goal.outputs)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: type(goal).__name__)
def test_a_goal_reaches_another_process_and_is_known_by_what_it_says(goal: Goal) -> None:
    again = pickle.loads(pickle.dumps(goal))
    assert again.key() == goal.key()
    assert GOALS[0].key() != GOALS[1].key()
    assert ClassGoal(np.zeros(12, np.int64), 3).key() != GOALS[0].key()
