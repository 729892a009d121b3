"""Who sees what: a generator per fold that never saw what the fold judges, and one of all images for what is shipped.

Images kept from a generator tell whether it copies. Where the folds follow groups (runs, specimens), what a fold leaves
out is of other groups and cannot tell that; then some images of the groups that it sees are kept from it too, where
there are enough.
"""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import BoolArray, IntArray
from graticule.synthesis.copies import LEAST_HELD_OUT

ALL = "all"
# of the images of a class, kept back as a reference where the folds follow groups
_KEPT_BACK = 0.25


@dataclass(frozen=True)
class GeneratorPlan:
    """What one generator sees.

    Attributes
    ----------
    name : str
        "fold-1", ..., or "all".
    seen : bool array, shape (n,)
    """

    name: str
    seen: BoolArray


def plan_generators(fold: IntArray, unit: IntArray, y: IntArray, *, by_group: bool, seed: int) -> list[GeneratorPlan]:
    """A plan per fold, and one that sees everything.

    Parameters
    ----------
    fold : int array, shape (n,)
        The fold that each image is judged in, from 0; -1 for images of a held-out part, which no generator sees.
    unit : int array, shape (n,)
        Copies of each other.
    y : int array, shape (n,)
        Classes.
    by_group : bool
        Whether the folds follow groups.
    seed : int
    """
    plans = []
    for k in range(int(fold.max()) + 1):
        seen = (fold != k) & (fold >= 0)
        if by_group:
            seen &= ~_reference(seen, unit, y, np.random.default_rng((seed, k)))
        plans.append(GeneratorPlan(f"fold-{k + 1}", seen))
    return [*plans, GeneratorPlan(ALL, fold >= 0)]


def _reference(seen: BoolArray, unit: IntArray, y: IntArray, rng: np.random.Generator) -> BoolArray:
    """Images kept back: of each class a quarter of the units, where that is enough of a reference."""
    kept = np.zeros(len(seen), bool)
    for k in np.unique(y):
        units = rng.permutation(np.unique(unit[seen & (y == k)]))
        n = int(_KEPT_BACK * len(units))
        if n >= LEAST_HELD_OUT:
            kept |= seen & np.isin(unit, units[:n])
    return kept
