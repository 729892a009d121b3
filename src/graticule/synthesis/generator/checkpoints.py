"""When a generator is stopped: before it repeats what it saw, where its images are taken for what they are meant to be.

The loss on held-out images does not warn in time: it is still falling, or flat, when copying begins. So images are
drawn at checkpoints, and asked as the judge asks them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from graticule.arrays import Float32Array, IntArray

FIRST, SPACING = 150, 1.5
# checkpoints that copy before learning ends
_COPYING = 2


class Learner(Protocol):
    """What learns step by step and can draw at any step."""

    steps: int

    def learn(self, steps: int) -> None:
        """Go on by so many steps."""

    def state(self) -> Any:
        """What draws now, to come back to."""

    def restore(self, state: Any) -> None:
        """Come back to a state."""

    def draw(self, y: IntArray, rng: np.random.Generator) -> Float32Array:
        """New images of classes."""


@dataclass(frozen=True)
class Checkpoint:
    """What was seen at one step.

    Attributes
    ----------
    steps : int
    copies : bool
        Whether the copy test fails in a class.
    agreement : float
        Mean over classes of the share that a model of the real images takes for the class; NaN where there is none.
    """

    steps: int
    copies: bool
    agreement: float

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "steps": self.steps,
            "copies": self.copies,
            "agreement": None if np.isnan(self.agreement) else self.agreement,
        }


def checkpoint_steps(most: int) -> list[int]:
    """Steps at which images are drawn, each 1.5 times the last, up to `most`."""
    steps = [min(FIRST, most)]
    while steps[-1] < most:
        steps.append(min(most, round(steps[-1] * SPACING)))
    return steps


def learn_until_copying(learner: Learner, most: int, look: Callable[[Learner], tuple[bool, float]]) -> list[Checkpoint]:
    """Learn, stop after two checkpoints that copy, and leave the learner at the best one that does not.

    The best is the one of highest agreement, the later of equal ones; where all copy, it is the first.

    Parameters
    ----------
    learner : Learner
    most : int
        Steps at most.
    look : callable
        Whether the learner copies now, and its agreement.

    Returns
    -------
    list of Checkpoint
        Of which the learner stands at that of `learner.steps`.
    """
    seen: list[Checkpoint] = []
    states: list[Any] = []
    for step in checkpoint_steps(most):
        learner.learn(step - learner.steps)
        copies, agreement = look(learner)
        seen.append(Checkpoint(step, copies, agreement))
        states.append(learner.state())
        if sum(one.copies for one in seen) >= _COPYING:
            break
    learner.restore(states[_best(seen)])
    return seen


def _best(seen: Sequence[Checkpoint]) -> int:
    honest = [i for i, one in enumerate(seen) if not one.copies]
    return max(honest, key=lambda i: (np.nan_to_num(seen[i].agreement), i)) if honest else 0
