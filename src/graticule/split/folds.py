"""Cross-validation folds, a held-out part and a calibration part that no group and no duplicate straddles.

The unit is the connected component of samples that share a group or their pixels. Units are placed so that every fold
has every class and class counts are as even as possible (`graticule.split.assignment`); what cannot be done is an error
that says what can.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import IntArray, StrArray, numbered, object_array
from graticule.errors import FoldError, OptionError
from graticule.split.assignment import assign, class_totals
from graticule.split.components import balance_notes, class_counts, components, duplicate_notes, number_by_appearance

_GROUP_NONE = "--group none (images of one group then stand on both sides, and the figures come out too good)"


@dataclass(frozen=True)
class Folds:
    """Where each of n samples stands.

    Attributes
    ----------
    part : object array of str, shape (n,)
        "cv", "test" or "calibration".
    fold : int array, shape (n,)
        0 to k - 1, the fold a "cv" sample is held out in; -1 elsewhere.
    component : int array, shape (n,)
        Unit of the split; pass it to `inner_folds` as its group.
    k : int
    strategy : str
        One line for the report.
    notes : tuple of str
        What was joined, moved, or could not be made even.
    trains : bool array, shape (n, k), or None
        Whether a sample may train the model of each fold, as far as its parents go; None: no sample has any.
    parental : bool array, shape (n, k), or None
        Whether a sample or its unit is a parent of one that may train in each fold: there it must not judge.
    """

    part: StrArray
    fold: IntArray
    component: IntArray
    k: int
    strategy: str
    notes: tuple[str, ...]
    trains: NDArray[np.bool_] | None = None
    parental: NDArray[np.bool_] | None = None

    @property
    def made(self) -> NDArray[np.bool_]:
        """Mask of samples that were made from others, shape (n,)."""
        if self.trains is None:
            return np.zeros(len(self.part), bool)
        return np.asarray(~self.trains.all(axis=1), dtype=bool)

    def key(self) -> bytes:
        """What decides which samples train in which fold."""
        return b"".join(own.tobytes() for own in (self.fold, self.trains, self.parental) if own is not None)


@dataclass(frozen=True)
class _Task:
    """The samples in canonical order, so that the order of rows has no influence."""

    codes: IntArray
    names: list[str]
    group: StrArray | None
    duplicates: IntArray | None
    component: IntArray
    seed: int
    what: str
    given: IntArray | None = None

    def counts(self, rows: NDArray[np.bool_]) -> IntArray:
        """Class counts of the components among some rows, components in order of appearance."""
        return class_counts(number_by_appearance(self.component[rows]), self.codes[rows], len(self.names))


def make_folds(
    y: NDArray[np.int64] | StrArray,
    *,
    k: int = 5,
    group: StrArray | None = None,
    duplicates: IntArray | None = None,
    test_size: float = 0.0,
    calibration: float = 0.0,
    split: StrArray | None = None,
    seed: int = 0,
    sample_id: StrArray | None = None,
    what: str = "class",
    given: IntArray | None = None,
) -> Folds:
    """Divide labelled samples into k folds and, where asked for, a held-out part.

    Parameters
    ----------
    y : int array or object array of str, shape (n,)
        Class of each sample; with names, messages name the classes.
    k : int
        Folds; 1 (no cross-validation) only with a held-out part.
    group : object array of str, shape (n,), optional
        "" stands alone.
    duplicates : int array, shape (n,), optional
        Same id, same pixels; negative: not known, stands alone.
    test_size : float
        Share held out, 0 to below 0.9; stratified and grouped as the folds are.
    calibration : float
        Share set aside for the calibration of the shipped model, likewise; both together below 0.9.
    split : object array of str, shape (n,), optional
        "train", "val", "" (cross-validated) or "test" (held out); with any "test" it replaces `test_size`.
    seed : int
    sample_id : object array of str, shape (n,), optional
        Unique; the same samples in another order then get the same folds.
    what : str
        What the names in `y` are of.
    given : int array, shape (n,), optional
        Fold of each sample that is cross-validated, whole units; the folds are then these.

    Raises
    ------
    FoldError
        When a fold or the held-out part would lack a class, or the split column divides a group or a set of copies.
    OptionError
        When `k`, `test_size` or `calibration` is out of range.
    """
    n = len(y)
    k = k if given is None else int(given.max()) + 1
    order = np.arange(n) if sample_id is None else np.argsort(np.asarray(sample_id, dtype=str), kind="stable")
    task = replace(_canonical(y, group, duplicates, order, seed, what), given=None if given is None else given[order])
    notes: list[str] = []
    held, notes_split = _held_by_split(task, None if split is None else split[order])
    _check_options(k, test_size, calibration, bool(held.any()))
    if held.any() and test_size > 0:
        notes, test_size = ["the split column's test part replaces --test-size"], 0.0
    aside = {name: share for name, share in (("test", test_size), ("calibration", calibration)) if share > 0}
    unit = number_by_appearance(task.component[~held])
    counts = task.counts(~held)
    bins = (_place(task, counts, k, aside) if given is None else _given(task, counts, ~held)) - len(aside)
    fold = np.full(n, -1, dtype=np.int64)
    fold[~held] = np.maximum(bins[unit], -1)
    part = np.full(n, "test", dtype=object)
    part[~held] = object_array(["cv" if b >= 0 else [*aside][b] for b in bins.tolist()])[unit]
    if task.duplicates is not None:
        names = object_array([task.names[c] for c in task.codes])
        notes += duplicate_notes(task.duplicates, names, task.group, task.component)
    notes += notes_split + _uneven(task, ~held, counts, bins, k)
    back, strategy = np.argsort(order), _strategy(task, k, aside, bool(held.any()))
    return Folds(part[back], fold[back], task.component[back], k, strategy, tuple(notes))


def inner_folds(
    y: IntArray, group: NDArray[np.object_] | IntArray | None, k: int, seed: int
) -> list[tuple[IntArray, IntArray]]:
    """Folds for the choice of settings inside one training fold.

    Parameters
    ----------
    y : int array, shape (n,)
    group : array, shape (n,), optional
        Groups, or `Folds.component`; any hashable values.
    k : int
        Folds wanted; fewer are made where classes or groups do not suffice.
    seed : int

    Returns
    -------
    list of (training rows, held-out rows)
        Every training side has every class; a held-out side may lack one. Empty with fewer than 3 groups, or where
        no such division exists: the caller then takes fixed settings.
    """
    n = len(y)
    names, codes = np.unique(y, return_inverse=True)
    unit = np.arange(n) if group is None else number_by_appearance(numbered(group))
    n_units = int(unit.max(initial=-1)) + 1
    if len(names) < 2 or n_units < (2 if group is None else 3):
        return []
    counts = class_counts(unit, codes.reshape(-1), len(names))
    for n_folds in range(min(k, n_units), 1, -1):
        place = assign(counts, np.full(n_folds, 1 / n_folds), np.random.default_rng(seed), tries=2)
        totals = class_totals(counts, place, n_folds)
        trains_on_all = bool((counts.sum(axis=0) - totals > 0).all())
        if trains_on_all and bool((totals.sum(axis=1) > 0).all()):
            fold = place[unit]
            return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(n_folds)]
    return []


def _canonical(
    y: NDArray[np.int64] | StrArray,
    group: StrArray | None,
    duplicates: IntArray | None,
    order: IntArray,
    seed: int,
    what: str,
) -> _Task:
    names, codes = np.unique(np.asarray(y)[order], return_inverse=True)
    group = None if group is None else group[order]
    duplicates = None if duplicates is None else np.asarray(duplicates)[order]
    component = components(len(order), group, duplicates)
    return _Task(codes.reshape(-1), [str(name) for name in names], group, duplicates, component, seed, what)


def _check_options(k: int, test_size: float, calibration: float, has_test: bool) -> None:
    if k < 1:
        raise OptionError(f"--folds {k}: 2 or more are needed, or 1 with a held-out part")
    for option, share in (("--test-size", test_size), ("--calibration", calibration)):
        if not 0 <= share < 0.9:
            raise OptionError(f"{option} {share}: a share from 0 to below 0.9 is needed")
    if test_size + calibration >= 0.9:
        raise OptionError(
            f"--test-size {test_size} and --calibration {calibration} leave too little to train on: together below 0.9 "
            "is needed"
        )
    if k == 1 and not has_test and test_size == 0:
        raise FoldError("--folds 1 leaves nothing to evaluate on: add --test-size 0.2, or ask for 2 folds or more")


def _weights(k: int, aside: Mapping[str, float]) -> NDArray[np.float64]:
    """Share of each bin: the parts set aside first, then the folds."""
    return np.concatenate([[*aside.values()], np.full(k, (1 - sum(aside.values())) / k)])


def _held_by_split(task: _Task, split: StrArray | None) -> tuple[NDArray[np.bool_], list[str]]:
    """Samples held out by the split column, and notes; no component is left on both sides."""
    n = len(task.codes)
    held = np.zeros(n, dtype=bool) if split is None else np.asarray(split == "test", dtype=bool).reshape(n)
    if not held.any():
        return held, []
    if task.group is not None:
        in_test, in_cv = set(task.group[held]) - {"", None}, set(task.group[~held])
        both = sorted(map(str, in_test & in_cv))
        if both:
            raise FoldError(
                f"the split column puts {len(both)} groups on both sides: {', '.join(map(repr, both[:10]))}. "
                f"Give each group one side in it, leave the column out, or use {_GROUP_NONE}"
            )
    notes: list[str] = []
    shared = held & np.isin(task.component, task.component[~held])
    if shared.any():
        raise FoldError(
            f"the split column puts copies on both sides: {int(shared.sum())} test samples share their pixels (or a "
            "group that does) with training samples. Give each set of copies one side, or leave the column out"
        )
    lacking = [name for c, name in enumerate(task.names) if not (task.codes[~held] == c).any()]
    if lacking or not held.any():
        what = (
            f"{task.what} {', '.join(map(repr, lacking))} to train on" if lacking else "test sample of its own pixels"
        )
        raise FoldError(f"the split column leaves no {what}: change the column or leave it out")
    absent = [name for c, name in enumerate(task.names) if not (task.codes[held] == c).any()]
    if absent:
        notes.append(f"the test part has no sample of {task.what} {', '.join(map(repr, absent))}")
    return held, notes


def _place(task: _Task, counts: IntArray, k: int, aside: Mapping[str, float]) -> IntArray:
    """Bin of each component; FoldError where a bin would lack a class."""
    weights = _weights(k, aside)
    if (counts > 0).sum(axis=0).min(initial=len(weights)) >= len(weights):
        place = assign(counts, weights, np.random.default_rng(task.seed))
        if class_totals(counts, place, len(weights)).all():
            return place
    raise FoldError(_impossible(task, counts, k, aside))


def _given(task: _Task, counts: IntArray, rows: NDArray[np.bool_]) -> IntArray:
    """Fold of each component as given; FoldError where one would lack a class."""
    assert task.given is not None
    _, first = np.unique(task.component[rows], return_index=True)
    bins = task.given[rows][np.sort(first)]
    k = int(bins.max()) + 1
    totals = class_totals(counts, bins, k)
    lacking = [f"{task.names[c]!r} in fold {f + 1}" for f, c in np.argwhere(totals == 0).tolist()]
    if lacking:
        raise FoldError(
            f"the folds follow the {k} generators of synthetic images, and what these did not see lacks {task.what} "
            f"{', '.join(lacking[:10])}: leave out images of every {task.what} from each generator"
        )
    return bins


def _works(task: _Task, counts: IntArray, k: int, aside: Mapping[str, float]) -> bool:
    weights = _weights(k, aside)
    if (counts > 0).sum(axis=0).min(initial=len(weights)) < len(weights):
        return False
    place = assign(counts, weights, np.random.default_rng(task.seed), tries=2)
    return bool(class_totals(counts, place, len(weights)).all())


def _impossible(task: _Task, counts: IntArray, k: int, aside: Mapping[str, float]) -> str:
    """Why the folds cannot be made, and what was checked to work."""
    unit = "groups" if task.group is not None else "different images"
    need = k + len(aside)
    samples, units = counts.sum(axis=0), (counts > 0).sum(axis=0)
    scarce = [c for c in np.argsort(units, kind="stable") if units[c] < need]
    parts = {"test": " and a held-out part", "calibration": " and a calibration part"}
    asked = f"{k} folds" + "".join(parts[name] for name in aside)
    lines = [f"{asked} cannot each have every class:"]
    for c in scarce[:10]:
        lines.append(f"  class {task.names[c]!r}: {unit} needed {need}, found {units[c]} (samples: {samples[c]})")
    if len(scarce) > 10:
        lines.append(f"  and {len(scarce) - 10} classes more")
    if not scarce:
        lines.append(f"  each class has {need} {unit} or more, but they overlap so that no division was found")
    works: list[str] = []
    options = {"test": " --test-size 0", "calibration": " --calibration 0"}
    for kept in ([*aside], *([[]] if aside else [])):
        top = min(k if len(kept) < len(aside) else k - 1, int(units.min()) - len(kept))
        shares = {name: aside[name] for name in kept}
        best = next((kk for kk in range(top, 1, -1) if _works(task, counts, kk, shares)), None)
        if best is not None:
            works.append(f"--folds {best}" + "".join(options[name] for name in aside if name not in kept))
    if task.group is not None and (samples >= need).all():
        works.append(_GROUP_NONE)
    few = ", ".join(repr(task.names[c]) for c in scarce[:10])
    works.append(f"more {unit} of class {few}, or leaving the class out" if few else f"more {unit}")
    return "\n".join([*lines, "What would work: " + "; or ".join(works)])


def _unit_labels(task: _Task, rows: NDArray[np.bool_]) -> list[str]:
    """A name for each component among some rows."""
    _, first = np.unique(task.component[rows], return_index=True)
    if task.group is None:
        return ["a set of duplicates"] * len(first)
    return [f"group {str(name)!r}" for name in task.group[rows][first]]


def _uneven(task: _Task, rows: NDArray[np.bool_], counts: IntArray, bins: IntArray, k: int) -> list[str]:
    """What could not be made even among the folds; `bins` of the components among some rows, below 0: set aside."""
    in_cv = bins >= 0
    labels = [label for label, kept in zip(_unit_labels(task, rows), in_cv, strict=True) if kept]
    totals = class_totals(counts[in_cv], bins[in_cv], k)
    return balance_notes(counts[in_cv], totals, task.names, labels, k, task.what)


def _strategy(task: _Task, k: int, aside: Mapping[str, float], held: bool) -> str:
    n_units = int(task.component.max(initial=-1)) + 1
    by_group = f" by group ({n_units} units)" if task.group is not None else ""
    how = f"stratified {k}-fold cross-validation{by_group}" if k > 1 else f"one training part{by_group}"
    if task.given is not None:
        how = f"{k}-fold cross-validation{by_group}, in folds that follow the generators of synthetic images"
    if held:
        how += ", held-out part from the split column"
    names = {"test": "held-out part", "calibration": "calibration part"}
    return how + "".join(f", {names[name]} of {share:.0%} by the same rules" for name, share in aside.items())
