"""Leaks of a split that the user brings, planted and found again."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.errors import FoldError
from graticule.split.leaks import find_leaks, group_units, refuse_leaks, without_leaks

SPLIT = object_array(["train"] * 6 + ["val"] * 2 + ["test"] * 4)
PATH = object_array([f"{i:02d}.png" for i in range(12)])
ALONE = np.arange(12)


def test_a_clean_split_has_none() -> None:
    group = object_array(["a"] * 6 + ["b"] * 2 + ["c"] * 4)
    leaks = find_leaks(SPLIT, PATH, {"group": group_units(group, 12), "duplicate": ALONE})
    assert leaks == []
    refuse_leaks(leaks)


def test_planted_leaks_are_found_with_their_parts_and_rows() -> None:
    group = object_array(["a", "b", "c", "d", "e", "f", "g", "h", "a", "j", "k", "l"])
    exact, near = ALONE.copy(), ALONE.copy()
    exact[9] = exact[3]
    near[[4, 6]] = 100
    near[9] = near[3]
    leaks = find_leaks(SPLIT, PATH, {"group": group_units(group, 12), "duplicate": exact, "near-duplicate": near})
    assert [(leak.kind, leak.parts, leak.rows.tolist()) for leak in leaks] == [
        ("group", ("train", "test"), [0, 8]),
        ("duplicate", ("train", "test"), [3, 9]),
        ("near-duplicate", ("train", "val"), [4, 6]),
    ]
    assert leaks[1].describe(PATH)["examples"] == ["03.png", "09.png"]
    np.testing.assert_array_equal(np.flatnonzero(without_leaks(leaks, SPLIT)), [10, 11])


def test_a_leaking_test_part_is_refused_with_the_list_and_what_to_do() -> None:
    group = object_array(["a"] * 12)
    leaks = find_leaks(SPLIT, PATH, {"group": group_units(group, 12)})
    with pytest.raises(FoldError, match=r"(?s)1 leaks.*group of '00.png': 12 images.*--allow-leaks"):
        refuse_leaks(leaks)


def test_leaks_between_train_and_val_alone_are_no_reason_to_refuse() -> None:
    near = ALONE.copy()
    near[[0, 7]] = 50
    leaks = find_leaks(SPLIT, PATH, {"near-duplicate": near})
    assert len(leaks) == 1
    refuse_leaks(leaks)


def test_an_empty_part_is_train_and_a_missing_group_is_alone() -> None:
    split = object_array(["", "", "test", "test"])
    group = object_array(["a", "", "a", ""])
    leaks = find_leaks(split, PATH[:4], {"group": group_units(group, 4)})
    assert [leak.rows.tolist() for leak in leaks] == [[0, 2]]
    assert (group_units(None, 3) == -1).all()
