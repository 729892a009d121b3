"""Whether runs can be compared fairly, on records and tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.errors import RunError
from graticule.evaluate.compare.conditions import (
    FinishedRun,
    check_images,
    common_groups,
    common_part,
    division_notes,
    too_good,
)
from graticule.manifest import Manifest, sample_id_of
from graticule.predictions import Predictions

N = 40
HASHES = [f"{i:064x}" for i in range(N)]


def finished(
    name: str,
    parts: Sequence[str] = ("cv",),
    fold: Sequence[int] | None = None,
    n: int = N,
    record: dict[str, Any] | None = None,
    **columns: Sequence[str],
) -> FinishedRun:
    """A trained run on n images 00.png, 01.png, ... of two classes."""
    names = object_array([f"{i:02d}.png" for i in range(n)])
    label = object_array(["ab"[i % 2] for i in range(n)])
    part = object_array([parts[i % len(parts)] for i in range(n)])
    folds = np.where(part == "cv", np.arange(n) % 5 if fold is None else np.array(fold), -1)
    ids = object_array([sample_id_of(file) for file in names])
    predictions = Predictions(ids, names, part, folds, label, ("a", "b"), np.full((n, 2), 0.5))
    manifest = Manifest(Path("images"), names, label, {key: object_array(list(own)) for key, own in columns.items()})
    return FinishedRun(Path(name), {"verb": "train"} | (record or {}), predictions, manifest)


def groups(n: int) -> list[str]:
    return [f"g{i % n}" for i in range(N)]


def test_other_files_under_the_same_paths_are_refused_with_an_example() -> None:
    runs = [finished("a", sha256=HASHES), finished("b", sha256=HASHES), finished("c", sha256=[*HASHES[:37], *"xyz"])]
    assert check_images(runs[:2], "cv") == []
    with pytest.raises(RunError, match=r"3 of 40 images .* in the first and the third run .* example '37\.png'"):
        check_images(runs, "cv")


def test_only_images_of_the_compared_part_count() -> None:
    other = ["x" if i % 2 else h for i, h in enumerate(HASHES)]
    runs = [finished(name, ("cv", "test"), sha256=own) for name, own in (("a", HASHES), ("b", other))]
    assert check_images(runs, "cv") == []
    with pytest.raises(RunError, match="20 of 20 images"):
        check_images(runs, "test")


@pytest.mark.parametrize(
    ("hashes", "told", "doubted"), [("12", False, True), ("11", False, False), ("12", True, False), ("1", False, False)]
)
def test_runs_that_do_not_tell_hashes_are_doubted_by_the_hash_of_their_data(
    hashes: str, told: bool, doubted: bool
) -> None:
    known = {"sha256": HASHES} if told else {}
    runs = [finished(h, record={"data": {"sha256": h}}, **known) for h in hashes]
    notes = check_images([*runs, finished("old", **known)][:2], "cv")
    assert bool(notes) is doubted
    assert all("1 and 2 may have seen different images under the same paths" in note for note in notes)


def test_folds_may_be_numbered_otherwise_but_not_divided_otherwise() -> None:
    options = {"folds": 5, "seed": 0, "group": "auto", "head": "svm"}
    a = finished("a", record={"options": options})
    renamed = finished("b", fold=[(i + 2) % 5 for i in range(N)], record={"options": options | {"seed": 3}})
    fewer = finished("c", fold=[i % 4 for i in range(N)], record={"options": options | {"folds": 4, "head": "x"}})
    odd = finished("d", fold=[i // 8 for i in range(N)], record={"options": options})
    merged = finished("e", fold=[min(i % 5, 3) for i in range(N)], record={"options": options})
    assert division_notes([a, renamed, finished("f", fold=[0] * N, record={"verb": "evaluate"})]) == []
    found = division_notes([a, fewer, odd, merged])
    assert "a and c divided the images differently (--folds 5 against 4)." in found[0]
    assert ["with equal options" in note for note in found] == [False, True, True]
    assert len(division_notes([a, finished("g", ("cv", "test"))])) == 1
    # images of both runs alone are held against each other
    assert division_notes([a, finished("h", n=20)]) == []


def test_a_run_whose_folds_split_groups_is_too_good() -> None:
    off, auto = {"options": {"group": "none"}}, {"options": {"group": "auto"}}
    sound = finished("a", fold=[i % 10 % 5 for i in range(N)], record=auto, group=groups(10))
    leaky = finished("b", fold=[i // 10 for i in range(N)], record=off)
    words = "groups were switched off with --group none"
    split = "images of 10 of 10 groups are on both sides of its splits"
    assert too_good([sound, leaky], "cv") == [None, f"{words}, and {split}"]
    assert too_good([sound, finished("c", fold=[i // 10 for i in range(N)], record=auto)], "cv") == [None, split]
    # by luck the groups stayed together; without any names of groups the option alone tells
    assert too_good([sound, finished("d", fold=[i % 5 for i in range(N)], record=off)], "cv") == [None, None]
    assert too_good([leaky, finished("e", record=auto)], "cv") == [words, None]
    evaluated = finished("f", fold=[i // 10 for i in range(N)], record={"verb": "evaluate"})
    assert too_good([sound, evaluated], "cv") == [None, None]


def test_groups_in_training_and_held_out_part_and_leaks_concern_the_held_out_part() -> None:
    apart = finished("a", ("cv", "test"), fold=[0] * N, group=groups(4))
    across = finished("b", ("cv", "test"), fold=[0] * N, group=groups(5))
    assert too_good([apart], "test") == [None]
    assert too_good([across], "test") == ["images of 5 of 5 groups are on both sides of its splits"]
    assert too_good([across], "cv") == [None]
    leaks = [{"parts": ["train", "test"]}, {"parts": ["train", "val"]}]
    leaking = finished("c", ("cv", "test"), record={"leaks": leaks})
    assert too_good([leaking], "test") == ["1 group or set of copies is on both sides of its split"]
    assert too_good([leaking], "cv") == [None]
    many = finished("d", ("test",), record={"leaks": leaks[:1] * 1200})
    assert too_good([many], "test") == ["1,200 groups or sets of copies are on both sides of its split"]


def test_the_part_of_all_runs_is_compared_and_out_of_fold_scores_come_first() -> None:
    both, test, cv = finished("a", ("cv", "test")), finished("b", ("test",)), finished("c")
    assert [common_part(runs) for runs in ([both, cv], [both, test], [both, both])] == ["cv", "test", "cv"]
    with pytest.raises(RunError, match=r"no part \(cv, test\) is in all runs: a has cv and test, b has test, c has cv"):
        common_part([both, test, cv])


def test_groups_come_from_the_first_run_that_names_them_for_all() -> None:
    plain, named = finished("a"), finished("b", group=groups(4))
    first = plain.predictions
    assert common_groups([plain, plain], first) == (None, None)
    group, note = common_groups([named, plain], first)
    assert group is not None
    assert (group.tolist(), note) == (groups(4), None)
    group, note = common_groups([plain, named], first)
    assert group is not None
    assert group.tolist() == groups(4)
    assert note == "Groups are those of b; the first run was evaluated without groups."
    gaps = finished("c", group=["", *groups(4)[1:]])
    assert common_groups([plain, gaps], first) == (None, None)
    assert common_groups([plain, gaps, named], first)[1] == note
    # an image of the first run alone is left out of the comparison: its group does not matter
    short = finished("d", n=39, group=groups(4)[:39])
    found = common_groups([plain, short], first)[0]
    assert found is not None
    assert str(found[-1]).startswith("sample ")
