"""Choose regressions by an inner cross-validation on training data only, by the mean absolute error."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray, numbered
from graticule.regress.fitting import (
    KERNEL,
    KINDS,
    RIDGE,
    RidgeFits,
    Standard,
    ValueSettings,
    gamma_of,
    kernel_ridge,
    support_vectors,
)
from graticule.regress.inputs import BlockInputs
from graticule.regress.scoring import gaussian
from graticule.split.value_folds import inner_value_folds

AUTO = "auto"
INNER_VALUE_FOLDS = 4
# a kernel matrix of more rows takes more memory and time than a laptop has
KERNEL_ROWS = 5000
# rows that the search looks at
_SEARCH_ROWS = 1500
_RIDGE = tuple(float(x) for x in 10.0 ** np.arange(-3, 2.01, 0.5))
_KERNEL = tuple(itertools.product((0.01, 0.1, 1.0), (0.1, 0.3, 1.0)))
_SVR = tuple(itertools.product((1.0, 10.0), (0.1, 0.3, 1.0)))
_DEFAULT = {RIDGE: (1.0, 0.0), KERNEL: (0.1, 0.3), "svr": (1.0, 0.3)}


@dataclass(frozen=True)
class ValueChoice:
    """The outcome of a search.

    Attributes
    ----------
    settings : tuple of ValueSettings
        One regression, or the two whose mean is taken.
    inner_mae : float or None
        On the inner folds, on the scale that is learnt.
    by_blocks : dict of str to float
        The least error of each choice of features.
    candidates, inner_folds : int
        How many were compared on how many folds; 0 for a default.
    """

    settings: tuple[ValueSettings, ...]
    inner_mae: float | None
    by_blocks: dict[str, float]
    candidates: int
    inner_folds: int

    @property
    def kind(self) -> str:
        """Such as "ridge", or "mean of ridge and svr"."""
        names = [one.kind for one in self.settings]
        return names[0] if len(names) == 1 else f"mean of {' and '.join(names)}"

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "kind": self.kind,
            "settings": [one.describe() for one in self.settings],
            "features": sorted({one.blocks for one in self.settings}),
            "inner_mae": self.inner_mae,
            "inner_mae_by_features": self.by_blocks,
            "candidates": self.candidates,
            "inner_folds": self.inner_folds,
        }


@dataclass(frozen=True)
class _Tried:
    settings: tuple[ValueSettings, ...]
    held_out: FloatArray
    mae: float


def choose_value(
    inputs: BlockInputs,
    values: FloatArray,
    unit: IntArray,
    *,
    blocks: Sequence[str],
    request: str = AUTO,
    seed: int = 0,
    trains_only: NDArray[np.bool_] | None = None,
    made: NDArray[np.bool_] | None = None,
) -> ValueChoice:
    """Choose a regression, or the mean of the best two, from training data.

    Parameters
    ----------
    inputs : BlockInputs
        The m training rows among all features; nothing else is looked at.
    values : float array, shape (m,)
        On the scale that is learnt.
    unit : int array, shape (m,)
        Never on both sides of an inner fold.
    blocks : sequence of str
        What may be looked at, from `graticule.regress.inputs.choices_of`.
    request : "auto", "ridge", "kernel" or "svr"
    seed : int
    trains_only : bool array, shape (m,), optional
        Rows that no candidate is judged on.
    made : bool array, shape (m,), optional
        Rows that were made from others; the choice is made without them, since it judges on their parents.
    """
    kinds = KINDS if request == AUTO else (request,)
    if len(values) > KERNEL_ROWS:
        kinds = (RIDGE,)
    keep = _thinned(unit, seed)
    keep = keep if made is None else keep[~made[keep]]
    folds = inner_value_folds(values[keep], unit[keep], INNER_VALUE_FOLDS, seed)
    if trains_only is not None:
        only = trains_only[keep]
        folds = [(train, test[~only[test]]) for train, test in folds]
        folds = folds if all(len(test) for _, test in folds) else []
    if not folds:
        strength, width = _DEFAULT[kinds[0]]
        return ValueChoice((ValueSettings(kinds[0], blocks[0], strength, width),), None, {}, 0, 0)
    rows = inputs.rows[keep]
    best: list[_Tried] = []
    n_tried, by_blocks = 0, {}
    for block in blocks:
        x = inputs.of(block).apply(inputs.features[rows])
        tried = _judged(x, values[keep], folds, kinds, block)
        n_tried += len(tried)
        own = [min((one for one in tried if one.settings[0].kind == kind), key=_error) for kind in kinds]
        by_blocks[block] = min(map(_error, own))
        best += own
    best.sort(key=_error)
    held = np.concatenate([test for _, test in folds])
    if len(best) > 1:
        pair = best[0].held_out + best[1].held_out
        mae = float(np.abs(pair / 2 - values[keep])[held].mean())
        best.append(_Tried((*best[0].settings, *best[1].settings), pair / 2, mae))
        n_tried += 1
    winner = min(best, key=_error)
    return ValueChoice(winner.settings, winner.mae, by_blocks, n_tried, len(folds))


def _error(tried: _Tried) -> float:
    return tried.mae


def _thinned(unit: IntArray, seed: int) -> IntArray:
    """Sorted rows for the search: all, or whole units until there are about `_SEARCH_ROWS`."""
    if len(unit) <= _SEARCH_ROWS:
        return np.arange(len(unit))
    code = numbered(unit)
    order = np.random.default_rng(seed).permutation(int(code.max()) + 1)
    reached = np.cumsum(np.bincount(code)[order])
    taken = order[: max(3, int(np.searchsorted(reached, _SEARCH_ROWS)))]
    return np.flatnonzero(np.isin(code, taken))


def _judged(
    x: FloatArray, values: FloatArray, folds: list[tuple[IntArray, IntArray]], kinds: Sequence[str], block: str
) -> list[_Tried]:
    """Every candidate on one input, with its held-out numbers and their mean absolute error."""
    grid = [ValueSettings(kind, block, *rest) for kind in kinds for rest in _grid(kind)]
    held_out = np.full((len(grid), len(values)), np.nan)
    for train, test in folds:
        standard = Standard.of(values[train])
        y = (values[train] - standard.mean) / standard.scale
        for i, found in enumerate(_answers(x[train], x[test], y, grid)):
            held_out[i, test] = found * standard.scale + standard.mean
    error = np.nanmean(np.abs(held_out - values), axis=1)
    return [_Tried((one,), row, float(mae)) for one, row, mae in zip(grid, held_out, error, strict=True)]


def _grid(kind: str) -> tuple[tuple[float, ...], ...]:
    return tuple((strength,) for strength in _RIDGE) if kind == RIDGE else _KERNEL if kind == KERNEL else _SVR


def _answers(train: FloatArray, test: FloatArray, y: FloatArray, grid: list[ValueSettings]) -> Iterator[FloatArray]:
    """What each candidate says of the test rows; decompositions and kernels are made once."""
    ridge: RidgeFits | None = None
    kernels: dict[float, tuple[FloatArray, FloatArray]] = {}
    for one in grid:
        if one.kind == RIDGE:
            ridge = ridge or RidgeFits(train, y)
            weights = ridge.weights(one.strength)
            yield test @ weights + ridge.offset(weights)
            continue
        if one.width not in kernels:
            gamma = gamma_of(train, one.width)
            kernels[one.width] = gaussian(train, train, gamma), gaussian(test, train, gamma)
        among, across = kernels[one.width]
        if one.kind == KERNEL:
            yield across @ kernel_ridge(among, y, one.strength)
        else:
            rows, coefficients, bias = support_vectors(among, y, one.strength)
            yield across[:, rows] @ coefficients + bias
