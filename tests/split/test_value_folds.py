"""Folds of numbers: groups and copies whole, every part of the range in every fold, extrapolation named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.errors import FoldError
from graticule.manifest import Manifest
from graticule.split.folds import Folds
from graticule.split.options import SplitOptions
from graticule.split.value_folds import extrapolation_notes, inner_value_folds, value_bins, value_folds
from graticule.tasks import REGRESSION


def manifest(values: np.ndarray, group: list[str] | None = None, split: list[str] | None = None) -> Manifest:
    n = len(values)
    columns = {"target": object_array([repr(float(v)) for v in values])}
    columns |= {} if group is None else {"group": object_array(group)}
    columns |= {} if split is None else {"split": object_array(split)}
    path = object_array([f"{i:03d}.png" for i in range(n)])
    return Manifest(Path("/d"), path, object_array([""] * n), columns, task=REGRESSION)


@pytest.fixture
def grouped() -> Manifest:
    """200 images of 40 groups, whose means are spread evenly."""
    rng = np.random.default_rng(0)
    code = np.repeat(np.arange(40), 5)
    return manifest(code / 40 + rng.normal(0, 0.05, 200), [f"g{c}" for c in code])


def test_groups_and_copies_stay_whole_and_the_range_is_in_each_fold(grouped: Manifest) -> None:
    copies = np.arange(200)
    copies[7] = copies[150]  # two groups become one unit
    folds = value_folds(grouped, copies, [], SplitOptions(folds=5, test_size=0.2, calibration=0.2))
    assert set(folds.part) == {"cv", "test", "calibration"}
    for name in set(grouped.columns["group"]):
        rows = grouped.columns["group"] == name
        assert len(set(zip(folds.part[rows], folds.fold[rows], strict=True))) == 1
    assert (folds.part[7], folds.fold[7]) == (folds.part[150], folds.fold[150])
    assert folds.strategy.startswith("balanced 5-fold")
    assert any("carry different numbers" in note for note in folds.notes)
    values = grouped.targets
    for where in [folds.fold == f for f in range(5)] + [folds.part == "test", folds.part == "calibration"]:
        assert abs(values[where].mean() - values.mean()) < 0.12
        assert np.ptp(values[where]) > 0.5


def test_no_class_is_spoken_of(grouped: Manifest) -> None:
    big = object_array(["g0"] * 60 + list(grouped.columns["group"][60:]))
    folds = value_folds(replace(grouped, columns=grouped.columns | {"group": big}), None, [], SplitOptions(folds=5))
    assert any("group 'g0' alone holds" in note and "of the range" in note for note in folds.notes)
    assert not any("class" in note for note in folds.notes)


def test_too_few_groups_are_refused_with_what_would_work() -> None:
    few = manifest(np.arange(12.0), [f"g{i % 4}" for i in range(12)])
    with pytest.raises(FoldError, match=r"5 folds need 5 groups, found 4\. What would work: more groups; or --folds 4"):
        value_folds(few, None, [], SplitOptions(folds=5))
    assert set(value_folds(few, None, [], SplitOptions(folds=4)).fold) == {0, 1, 2, 3}


def test_a_split_of_the_user_is_kept(grouped: Manifest) -> None:
    split = ["test" if int(g[1:]) >= 35 else "train" for g in grouped.columns["group"]]
    own = manifest(grouped.targets, list(grouped.columns["group"]), split)
    folds = value_folds(own, None, [], SplitOptions(folds=5, test_size=0.3))
    np.testing.assert_array_equal(folds.part == "test", np.array(split) == "test")


def test_the_order_of_rows_does_not_matter(grouped: Manifest) -> None:
    order = np.random.default_rng(1).permutation(200)
    first = value_folds(grouped, None, [], SplitOptions())
    again = value_folds(grouped.take(order), None, [], SplitOptions())
    np.testing.assert_array_equal(first.fold[order], again.fold)


def test_bins_hold_equally_many_units() -> None:
    values, unit = np.array([5.0, 1, 3, 3.5, 9, 9]), np.array([0, 1, 2, 2, 3, 3])
    assert value_bins(values, unit, 2).tolist() == [1, 0, 0, 0, 1, 1]
    assert np.bincount(value_bins(np.ones(13), np.arange(13), 5)).tolist() == [5, 8]
    assert np.bincount(value_bins(np.arange(1000.0), np.arange(1000), 5)).tolist() == [50] * 20


@pytest.mark.parametrize("groups", [40, 24, 13])
def test_folds_of_equal_groups_are_equally_large(groups: int) -> None:
    rng = np.random.default_rng(0)
    own = manifest(rng.uniform(size=9 * groups), [f"g{i // 9}" for i in range(9 * groups)])
    sizes = np.bincount(value_folds(own, None, [], SplitOptions()).fold) // 9
    assert sizes.max() - sizes.min() <= (0 if groups == 40 else 1)


def test_inner_folds_keep_units_whole() -> None:
    values, unit = np.arange(30.0), np.arange(30) // 3
    folds = inner_value_folds(values, unit, 4, 0)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(30))
    for train, test in folds:
        assert not set(unit[train]) & set(unit[test])
        assert set(train) | set(test) == set(range(30))
    assert inner_value_folds(values[:6], unit[:6], 4, 0) == []


def test_a_fold_far_outside_of_the_others_is_named() -> None:
    values = np.concatenate([np.linspace(0, 1, 20), [1.02], [3.0, 3.1]])
    fold = np.array([0, 1] * 10 + [0] + [1, 1])
    folds = Folds(object_array(["cv"] * 23), fold, np.arange(23), 2, "", ())
    (note,) = extrapolation_notes(values, folds)
    assert note.startswith("fold 2 is tested on 2 images outside the range of its training ones (0 to 1.02")
