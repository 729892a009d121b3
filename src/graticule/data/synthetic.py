"""Synthetic images: they may stand in training folds, never where a model is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from graticule.data.components import components
from graticule.data.folds import Folds
from graticule.manifest import StrArray, object_array

SYNTHETIC = "synthetic"
LEFT_OUT = "left out"


def add_synthetic(
    folds: Folds,
    synthetic: NDArray[np.bool_],
    group: StrArray | None,
    duplicates: NDArray[np.int64],
) -> Folds:
    """Folds of real samples, extended by the synthetic ones as training-only rows.

    A synthetic image that shares a group with real ones, or is a copy of one, trains only where they do: not in the
    fold that they are held out in, and not at all where they are in the test part.

    Parameters
    ----------
    folds : Folds
        Of the m real samples, in their order.
    synthetic : bool array, shape (n,)
        n - m of them true.
    group : object array of str, shape (n,), optional
    duplicates : int array, shape (n,)

    Returns
    -------
    Folds
        Of n samples. Part "synthetic" trains in each fold but the one it names (-1: in all); part "left out" trains
        nowhere.
    """
    n, real = len(synthetic), np.flatnonzero(~synthetic)
    part, fold = object_array([SYNTHETIC] * n), np.full(n, -1, np.int64)
    part[real], fold[real] = folds.part, folds.fold
    component = components(n, group, duplicates)
    n_left = n_tied = 0
    for row in np.flatnonzero(synthetic):
        kin = real[component[real] == component[row]]
        held = set(fold[kin].tolist())
        if -1 in held or len(held) > 1:
            part[row] = LEFT_OUT
            n_left += 1
        elif held:
            fold[row] = held.pop()
            n_tied += 1
    # numbers of real units first, so that both kinds of unit stay apart
    unit = np.empty(n, np.int64)
    unit[real] = folds.component
    unit[synthetic] = int(folds.component.max(initial=-1)) + 1 + component[synthetic]
    n_used = int((part == SYNTHETIC).sum())
    notes = [f"{n_used} synthetic images train in addition; none of them is in a test fold"]
    if n_tied:
        notes.append(
            f"{n_tied} of them share a group or a picture with real images and stay out of training where those are "
            "tested"
        )
    if n_left:
        notes.append(f"{n_left} synthetic images belong to images of the held-out part and were left out")
    return replace(folds, part=part, fold=fold, component=unit, notes=(*folds.notes, *notes))
