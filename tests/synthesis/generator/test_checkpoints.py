"""A learner is stopped when it copies and put back to the best honest checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graticule.synthesis.generator.checkpoints import Learner, checkpoint_steps, learn_until_copying


class Counting:
    """Knows its step alone."""

    def __init__(self) -> None:
        self.steps = 0

    def learn(self, steps: int) -> None:
        self.steps += steps

    def state(self) -> int:
        return self.steps

    def restore(self, state: Any) -> None:
        self.steps = state

    def draw(self, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        raise AssertionError


def test_checkpoints_grow_by_half() -> None:
    assert checkpoint_steps(1000) == [150, 225, 338, 507, 760, 1000]
    assert checkpoint_steps(100) == [100]
    assert checkpoint_steps(150) == [150]


@pytest.mark.parametrize(
    ("copies_from", "agreement", "stopped", "chosen"),
    [
        (10_000, lambda step: step, 2500, 2500),
        (500, lambda step: step, 760, 338),
        (500, lambda step: -step, 760, 150),
        (0, lambda step: step, 225, 150),
        (500, lambda step: float("nan"), 760, 338),
        (10_000, lambda step: 0.5, 2500, 2500),
    ],
)
def test_where_learning_ends_and_what_is_kept(copies_from: int, agreement: Any, stopped: int, chosen: int) -> None:
    learner = Counting()

    def look(seen: Learner) -> tuple[bool, float]:
        return seen.steps >= copies_from, float(agreement(seen.steps))

    found = learn_until_copying(learner, 2500, look)
    assert found[-1].steps == stopped
    assert learner.steps == chosen
    told = found[0].describe()
    assert told["steps"] == 150
    assert told["agreement"] is None or isinstance(told["agreement"], float)
