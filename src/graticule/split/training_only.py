"""Images that may train a model and never judge one: synthetic ones, and those that a queue picked on purpose.

What a review queue picks is harder than what the model will meet, so figures on it would be wrong. A table tells such
images by an empty cell in its column `sampling_prob`, which holds the chance with which the others were drawn.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import StrArray, object_array
from graticule.manifest import Manifest
from graticule.split.components import components
from graticule.split.folds import Folds
from graticule.split.parents import Parents, check_of_use, may_train, parent_notes, parents_in_training

SYNTHETIC, PICKED = "synthetic", "picked"
TRAINING_ONLY = (SYNTHETIC, PICKED)
LEFT_OUT = "left out"
_WORDS = {SYNTHETIC: "synthetic images", PICKED: "images picked by a review queue"}


def training_only(manifest: Manifest) -> StrArray:
    """Why each sample may only train: "synthetic", "picked" or "" (it may judge too); shape (n,)."""
    kind = object_array([""] * len(manifest))
    chance = manifest.columns.get("sampling_prob")
    if chance is not None:
        kind[np.asarray(chance == "", dtype=bool).reshape(len(manifest))] = PICKED
    kind[is_synthetic(manifest)] = SYNTHETIC
    return kind


def is_synthetic(manifest: Manifest) -> NDArray[np.bool_]:
    """Mask of samples whose column origin says "synthetic", shape (n,)."""
    origin = manifest.columns.get("origin")
    if origin is None:
        return np.zeros(len(manifest), dtype=bool)
    return np.asarray(origin == "synthetic", dtype=bool).reshape(len(manifest))


def only_trains(part: StrArray) -> NDArray[np.bool_]:
    """Mask of samples in one of the parts that train and are never scored; shape (n,)."""
    return np.isin(part.astype(str), TRAINING_ONLY)


def add_training_only(
    folds: Folds,
    kind: StrArray,
    group: StrArray | None,
    duplicates: NDArray[np.int64],
    parents: Parents | None = None,
    *,
    refitted: bool = False,
) -> Folds:
    """Folds of samples that may judge, extended by those that only train.

    One that shares a group with samples that judge, or is a copy of one, trains only where they do: not in the fold
    that they are held out in, and not at all where they are in the test part. The same goes for one that was made from
    others, for each of its parents.

    Parameters
    ----------
    folds : Folds
        Of the m samples that may judge, in their order.
    kind : object array of str, shape (n,)
        From `training_only`; n - m of them not "".
    group : object array of str, shape (n,), optional
    duplicates : int array, shape (n,)
    parents : Parents, optional
    refitted : bool
        Whether a model of all cross-validated samples follows, which may learn from what no fold may.

    Returns
    -------
    Folds
        Of n samples. The parts "synthetic" and "picked" train in each fold but the one they name (-1: in all), and of
        these in those that `trains` allows; part "left out" trains nowhere.

    Raises
    ------
    FoldError
        When no sample that was made from others may train in any fold.
    """
    n, extra = len(kind), np.asarray(kind != "", dtype=bool)
    real = np.flatnonzero(~extra)
    part, fold = kind.copy(), np.full(n, -1, np.int64)
    part[real], fold[real] = folds.part, folds.fold
    component = components(n, group, duplicates)
    tied = np.zeros(n, bool)
    for row in np.flatnonzero(extra):
        kin = real[component[real] == component[row]]
        held = set(fold[kin].tolist())
        if -1 in held or len(held) > 1:
            part[row] = LEFT_OUT
        elif held:
            fold[row], tied[row] = held.pop(), True
    trains, parental, told = None, None, list[str]()
    if parents is not None:
        may = may_train(parents, component, part, fold, folds.k)
        check_of_use(parents, may)
        made = parents.generator >= 0
        trains = np.ones((n, folds.k), bool)
        trains[made] = may[parents.generator[made], :-1]
        useful = may[:, -1] & (may[:, :-1].any(axis=1) | refitted)
        part[made & ~useful[parents.generator]] = LEFT_OUT
        parental = parents_in_training(parents, component, may[:, :-1])
        told = parent_notes(parents, may, refitted=refitted)
    # numbers of real units first, so that both kinds of unit stay apart
    unit = np.empty(n, np.int64)
    unit[real] = folds.component
    unit[extra] = int(folds.component.max(initial=-1)) + 1 + component[extra]
    notes = [note for name in TRAINING_ONLY for note in _notes(name, kind == name, part, tied)]
    notes = [*folds.notes, *notes, *told]
    return replace(folds, part=part, fold=fold, component=unit, notes=tuple(notes), trains=trains, parental=parental)


def _notes(name: str, own: NDArray[np.bool_], part: StrArray, tied: NDArray[np.bool_]) -> list[str]:
    """What the report says of one kind."""
    if not own.any():
        return []
    n_left, n_tied = int((own & (part == LEFT_OUT)).sum()), int((own & tied).sum())
    words = _WORDS[name]
    notes = [f"{int(own.sum()) - n_left} {words} train in addition; none of them is in a test fold"]
    if n_tied:
        others = "real images" if name == SYNTHETIC else "others"
        notes.append(
            f"{n_tied} of them share a group or a picture with {others} and stay out of training where those are tested"
        )
    if n_left:
        notes.append(f"{n_left} {words} belong to images of the held-out part and were left out")
    return notes
