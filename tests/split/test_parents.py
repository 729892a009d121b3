"""A synthetic image trains only where nothing that its generator saw, none of a group with it and no copy is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.errors import FoldError, ManifestError
from graticule.heads.crossval import fold_rows, training_rows
from graticule.manifest import Manifest
from graticule.split.components import components
from graticule.split.folds import Folds, make_folds
from graticule.split.parents import PARENTS, Parents, cross_fitted, parents_among, refuse_judged_parents
from graticule.split.training_only import LEFT_OUT, SYNTHETIC, add_training_only

N_REAL = 48
Y = np.arange(N_REAL) % 2
GROUP = object_array([f"g{i // 3}" for i in range(N_REAL)])


def parents_of(*seen: np.ndarray, images: int = 2) -> Parents:
    """Generators that saw those rows of the real ones, and made so many images each, which follow them."""
    n = N_REAL + images * len(seen)
    table = np.zeros((len(seen), n), bool)
    for row, own in zip(table, seen, strict=True):
        row[own] = True
    generator = np.concatenate([np.full(N_REAL, -1), np.repeat(np.arange(len(seen)), images)])
    return Parents(tuple(f"gen{g}" for g in range(len(seen))), generator, table)


def extended(folds: Folds, parents: Parents, copies: np.ndarray | None = None, *, refitted: bool = False) -> Folds:
    extra = len(parents.generator) - N_REAL
    kind = object_array([""] * N_REAL + [SYNTHETIC] * extra)
    group = object_array([*GROUP, *[""] * extra])
    copies = np.arange(N_REAL + extra) if copies is None else copies
    return add_training_only(folds, kind, group, copies, parents, refitted=refitted)


def test_no_parent_group_mate_or_copy_of_one_is_judged_whatever_the_generators_saw() -> None:
    used = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        folds = make_folds(Y, k=4, test_size=0.2 * (seed % 2), group=GROUP, seed=seed)
        seen = [rng.choice(N_REAL, rng.integers(1, 12), replace=False) for _ in range(3)]
        parents = parents_of(*seen)
        copies = np.arange(len(parents.generator))
        copies[rng.integers(0, N_REAL, 3)] = copies[rng.integers(0, N_REAL)]
        # copies decide the folds too, as they do in `divide_samples`
        folds = make_folds(Y, k=3, test_size=0.2 * (seed % 2), group=GROUP, duplicates=copies[:N_REAL], seed=seed)
        try:
            found = extended(folds, parents, copies)
        except FoldError:
            continue
        unit = components(N_REAL, GROUP, copies[:N_REAL])
        for train, test in fold_rows(found):
            judged = set(unit[test].tolist()) | set(unit[np.flatnonzero(folds.part == "test")].tolist())
            for row in train[train >= N_REAL].tolist():
                used += 1
                assert not judged & set(unit[seen[parents.generator[row]]].tolist())
    assert used > 100


def test_parents_of_what_trains_in_a_fold_are_known_with_their_units() -> None:
    folds = make_folds(Y, k=4, group=GROUP, seed=0)
    seen = np.flatnonzero(folds.fold == 2)[:1]  # one image: its whole group is kin
    found = extended(folds, parents_of(seen))
    assert found.parental is not None
    kin = np.flatnonzero(GROUP[seen[0]] == GROUP)
    for fold in range(4):
        # where the parent is held out, nothing that was made from it trains
        assert np.flatnonzero(found.parental[:, fold]).tolist() == ([] if fold == 2 else kin.tolist())


def test_folds_follow_generators_that_each_left_a_part_out() -> None:
    part = np.arange(N_REAL) // 3 % 3
    parents = parents_of(*[np.flatnonzero(part != f) for f in range(3)], np.arange(N_REAL))
    judging = np.arange(len(parents.generator)) < N_REAL
    unit = components(len(judging), object_array([*GROUP, *[""] * 8]), None)
    fold = cross_fitted(parents, unit, judging)
    assert fold is not None
    np.testing.assert_array_equal(fold[:N_REAL], part)
    folds = make_folds(Y, k=5, group=GROUP, given=fold[:N_REAL])
    assert (folds.k, folds.fold.tolist()) == (3, part.tolist())
    assert "follow the generators" in folds.strategy
    found = extended(folds, parents, refitted=True)
    for f, (train, _) in enumerate(fold_rows(found)):
        assert sorted(set(parents.generator[train].tolist())) == [-1, f]
    # what saw all images trains the refitted model, and nothing where there is none
    assert training_rows(found).sum() == N_REAL + 8
    assert any("train the shipped model alone" in note for note in found.notes)
    without = extended(folds, parents)
    assert (without.part[-2:] == LEFT_OUT).all()
    assert found.made.sum() == 8


def test_generators_that_leave_out_no_division_decide_no_folds() -> None:
    judging = np.arange(N_REAL + 4) < N_REAL
    unit = components(N_REAL + 4, None, None)
    both_leave_out_the_first = parents_of(np.arange(10, N_REAL), np.arange(20, N_REAL))
    assert cross_fitted(both_leave_out_the_first, unit, judging) is None
    # halves of a group: no unit is left out as a whole by one of them
    halves = parents_of(np.arange(0, N_REAL, 2), np.arange(1, N_REAL, 2))
    assert cross_fitted(halves, components(N_REAL + 4, object_array([*GROUP, *[""] * 4]), None), judging) is None
    assert cross_fitted(halves, unit, judging) is not None


def test_images_made_from_everything_are_refused_and_those_of_other_images_are_not() -> None:
    folds = make_folds(Y, k=4, group=GROUP)
    with pytest.raises(FoldError, match=r"'gen0': 2 images.*a generator per fold"):
        extended(folds, parents_of(np.arange(N_REAL)))
    strangers = extended(folds, parents_of(np.zeros(0, np.int64)))
    assert all({N_REAL, N_REAL + 1} <= set(train.tolist()) for train, _ in fold_rows(strangers))
    assert not strangers.made.any()


def test_with_one_fold_only_the_held_out_part_must_be_unseen() -> None:
    folds = make_folds(Y, k=1, test_size=0.25, group=GROUP)
    test = np.flatnonzero(folds.part == "test")
    fine = extended(folds, parents_of(np.flatnonzero(folds.part == "cv")))
    assert set(range(N_REAL, N_REAL + 2)) <= set(fold_rows(fine)[0][0].tolist())
    with pytest.raises(FoldError, match="knows its exam"):
        extended(folds, parents_of(test[:1]))


def test_a_fold_that_lacks_a_class_is_told() -> None:
    given = np.where(Y == 0, 0, np.arange(N_REAL) // 2 % 2)
    with pytest.raises(FoldError, match="lacks class '0' in fold 2"):
        make_folds(Y, given=given)


def manifest(hashes: list[str], **columns: list[str]) -> Manifest:
    given = {name: object_array(cells) for name, cells in columns.items()} | {"sha256": object_array(hashes)}
    paths = object_array([f"{i}.png" for i in range(len(hashes))])
    return Manifest(Path("/data"), paths, object_array(["a"] * len(hashes)), given)


def test_parents_are_found_by_the_hash_of_their_file() -> None:
    samples = manifest(
        ["aa", "bb", "cc", "dd"], origin=["real", "real", "", "synthetic"], generator=["", "", "", "late"]
    )
    found = parents_among(samples, {"early": frozenset({"aa"}), "late": frozenset({"bb", "cc", "ee"})})
    assert found.generator.tolist() == [-1, -1, -1, 1]
    assert found.seen.tolist() == [[True, False, False, False], [False, True, True, False]]


def test_a_model_is_not_judged_on_what_its_generator_saw() -> None:
    files = ["11" * 32, "22" * 32, "33" * 32]
    reference = {
        PARENTS: np.array([[0x22] * 32, [0x33] * 32], np.uint8),
        "pixel_sha256": np.array([[0xCC] * 32], np.uint8),
    }
    with pytest.raises(ManifestError, match=r"1 of 3 images were seen by the generator.*'1\.png'"):
        refuse_judged_parents(manifest(files), ["aa" * 32, "bb" * 32, "cc" * 32], reference)
    refuse_judged_parents(manifest(files[:1]), ["aa" * 32], reference)
    refuse_judged_parents(manifest(files), ["aa" * 32] * 3, {"pixel_sha256": reference["pixel_sha256"]})
