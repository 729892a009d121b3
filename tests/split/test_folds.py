"""Folds: nothing straddles, every fold has every class where that is possible, and balance is near the best."""

import itertools
import re
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from graticule.arrays import object_array
from graticule.errors import FoldError, OptionError
from graticule.manifest import sample_id_of
from graticule.sources.sources import read_manifest
from graticule.split.assignment import assign, class_totals
from graticule.split.folds import Folds, inner_folds, make_folds

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def names(prefix: str, codes: NDArray[np.int64]) -> NDArray[np.object_]:
    return object_array([f"{prefix}{c}" for c in codes])


def ids(n: int) -> NDArray[np.object_]:
    return object_array([sample_id_of(f"{i}.png") for i in range(n)])


def totals(folds: Folds, y: NDArray) -> NDArray[np.int64]:
    """Samples of each class in each bin, the held-out part last."""
    return np.array([[((folds.fold == f) & (y == c)).sum() for c in np.unique(y)] for f in [*range(folds.k), -1]])


def deviation(table: NDArray, weights: NDArray) -> float:
    target = weights[:, None] * table.sum(axis=0)
    return float(((table - target) ** 2 / target).sum())


# nothing straddles


@pytest.mark.parametrize("case", range(40))
def test_groups_and_duplicates_never_straddle(case: int) -> None:
    rng = np.random.default_rng(case)
    n = int(rng.integers(60, 400))
    y = rng.integers(rng.integers(2, 5), size=n)
    group = names("g", rng.integers(rng.integers(10, 80), size=n)) if case % 3 else None
    duplicates = np.where(rng.random(n) < 0.1, rng.integers(0, n // 8, size=n), np.arange(n) + n)
    k = int(rng.integers(2, 5))
    test_size = float(rng.choice([0.0, 0.25]))
    try:
        folds = make_folds(y, k=k, group=group, duplicates=duplicates, test_size=test_size, seed=case, sample_id=ids(n))
    except FoldError:
        pytest.skip("too few units for these folds")
    for key in (duplicates, *([] if group is None else [group])):
        placed = set(zip(key.tolist(), folds.fold.tolist(), strict=True))
        assert len(placed) == len(set(key.tolist()))
    table = totals(folds, y)
    assert (table[:k] > 0).all()
    assert (table[k] > 0).all() if test_size else not table[k].any()
    assert ((folds.fold == -1) == (folds.part == "test")).all()
    assert set(folds.part) <= {"cv", "test"}


def test_duplicates_chain_groups_into_one_component() -> None:
    y = np.tile([0, 1], 12)
    group = names("g", np.repeat(np.arange(6), 4))
    duplicates = np.arange(24)
    duplicates[[3, 4]] = 100  # g0 and g1
    duplicates[[7, 8]] = 101  # g1 and g2
    folds = make_folds(y, k=2, group=group, duplicates=duplicates)
    assert len(set(folds.fold[:12])) == 1
    assert len(set(folds.component[:12])) == 1
    assert len(set(folds.component)) == 4
    assert any("groups that share copies count as one: g0, g1, g2" in note for note in folds.notes)
    assert any("4 images in 2 families of copies stay on one side of every split" in note for note in folds.notes)


def test_conflicting_duplicates_are_allowed_and_noted() -> None:
    y = object_array(["a", "b"] * 10)
    duplicates = np.arange(20)
    duplicates[1] = duplicates[0]
    folds = make_folds(y, k=5, duplicates=duplicates)
    assert folds.fold[0] == folds.fold[1]
    assert any("2 images in 1 family of copies carry different labels: a / b" in note for note in folds.notes)


def test_unknown_duplicates_and_empty_groups_stand_alone() -> None:
    y = np.tile([0, 1], 10)
    assert len(set(make_folds(y, duplicates=np.full(20, -1)).component)) == 20
    assert len(set(make_folds(y, group=object_array([""] * 20)).component)) == 20


# independence of row order, and of everything but the seed


@pytest.mark.parametrize("grouped", [False, True])
def test_row_order_has_no_influence(grouped: bool) -> None:
    rng = np.random.default_rng(3)
    n = 300
    y = rng.integers(4, size=n)
    group = names("g", rng.integers(40, size=n)) if grouped else None
    duplicates = np.where(rng.random(n) < 0.1, rng.integers(0, 20, size=n), np.arange(n) + 20)
    identity = ids(n)
    one = make_folds(y, group=group, duplicates=duplicates, test_size=0.2, sample_id=identity, seed=7)
    for _ in range(5):
        p = rng.permutation(n)
        moved = make_folds(
            y[p],
            group=None if group is None else group[p],
            duplicates=1000 - duplicates[p],
            test_size=0.2,
            sample_id=identity[p],
            seed=7,
        )
        assert (moved.fold == one.fold[p]).all()
        assert moved.notes == one.notes
        assert (moved.component == one.component[p]).all()


def test_names_of_groups_have_no_influence_and_seeds_do() -> None:
    rng = np.random.default_rng(4)
    y, codes = rng.integers(3, size=200), rng.integers(30, size=200)
    one = make_folds(y, group=names("g", codes), sample_id=ids(200))
    two = make_folds(y, group=names("other", 99 - codes), sample_id=ids(200))
    three = make_folds(y, group=names("g", codes), sample_id=ids(200), seed=1)
    assert (one.fold == two.fold).all()
    assert (one.fold != three.fold).any()


# balance


@pytest.mark.parametrize("test_size", [0.0, 0.2])
def test_ungrouped_folds_are_within_one_of_ideal(test_size: float) -> None:
    rng = np.random.default_rng(5)
    y = rng.choice(6, size=997, p=[0.5, 0.2, 0.15, 0.1, 0.03, 0.02])
    table = totals(make_folds(y, k=5, test_size=test_size, sample_id=ids(997)), y)
    size = np.bincount(y)
    assert (np.abs(table[:5] - size * (1 - test_size) / 5) < 1).all()
    assert (np.abs(table[5] - size * test_size) < 1).all()
    sizes = table[:5].sum(axis=1)
    assert sizes.max() - sizes.min() <= 1


def test_remainders_of_many_classes_do_not_pile_up() -> None:
    y = np.repeat(np.arange(40), 6)
    sizes = totals(make_folds(y, k=5), y)[:5].sum(axis=1)
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("case", range(12))
def test_balance_no_worse_than_stratified_group_k_fold(case: int) -> None:
    rng = np.random.default_rng(case)
    n_groups = int(rng.integers(15, 60))
    size = np.maximum(1, rng.lognormal(2, 1, n_groups).astype(int))
    lean = rng.dirichlet([0.7] * 4, n_groups)
    y = np.concatenate([rng.choice(4, size=s, p=p) for s, p in zip(size, lean, strict=True)])
    codes = np.repeat(np.arange(n_groups), size)
    ours = totals(make_folds(y, k=4, group=names("g", codes)), y)[:4]
    reference = min(
        deviation(
            np.array([np.bincount(y[held], minlength=4) for _, held in splitter.split(y, y, codes)]), np.full(4, 0.25)
        )
        for splitter in (StratifiedGroupKFold(4, shuffle=True, random_state=seed) for seed in range(5))
    )
    assert deviation(ours, np.full(4, 0.25)) <= reference + 1e-9


@pytest.mark.parametrize("case", range(40))
def test_against_exhaustive_search(case: int) -> None:
    """Seven units into two or three bins: a full search knows whether it can be done, and how well."""
    rng = np.random.default_rng(100 + case)
    n_bins, n_units = int(rng.integers(2, 4)), 7
    n_classes = int(rng.integers(2, 5))
    counts = rng.integers(0, 6, size=(n_units, n_classes)) * (rng.random((n_units, n_classes)) < 0.55)
    counts[counts.sum(axis=1) == 0, 0] = 1
    counts[0, counts.sum(axis=0) == 0] = 1
    weights = np.full(n_bins, 1 / n_bins) if case % 2 else np.array([0.2, *np.full(n_bins - 1, 0.8 / (n_bins - 1))])
    options = [class_totals(counts, np.array(p), n_bins) for p in itertools.product(range(n_bins), repeat=n_units)]
    best = min(((table == 0).sum(), deviation(table, weights)) for table in options)
    table = class_totals(counts, assign(counts, weights, np.random.default_rng(0)), n_bins)
    assert (table == 0).sum() == best[0]
    assert deviation(table, weights) <= best[1] * 1.05 + 1e-9


def test_hidden_cover_is_found() -> None:
    """One way to put every class into each of four folds, hidden among groups that hold several classes."""
    rng = np.random.default_rng(8)
    for _ in range(5):
        n_classes, k = 12, 4
        counts = []
        for _ in range(k):
            owner = rng.integers(3, size=n_classes)  # three groups share the twelve classes of a fold
            counts += [np.where(owner == g, rng.integers(1, 9, size=n_classes), 0) for g in range(3)]
        table = rng.permutation(np.array([c for c in counts if c.sum()]))
        place = assign(table, np.full(k, 1 / k), np.random.default_rng(0))
        assert class_totals(table, place, k).all()


# what cannot be done


def test_class_with_too_few_samples_names_what_works() -> None:
    y = object_array(["common"] * 50 + ["rare"] * 3)
    with pytest.raises(FoldError, match=r"class 'rare': different images needed 5, found 3 \(samples: 3\)") as caught:
        make_folds(y, k=5)
    assert "What would work: --folds 3; or more different images of class 'rare'" in str(caught.value)
    assert "group" not in str(caught.value)
    assert totals(make_folds(y, k=3), y)[:3].all()


def test_class_with_too_few_groups_names_what_works() -> None:
    y = object_array(["a", "b"] * 30)
    group = names("g", np.repeat(np.arange(4), 15))
    with pytest.raises(FoldError, match=r"'a': groups needed 5, found 4 \(samples: 30\)") as caught:
        make_folds(y, k=5, group=group)
    message = str(caught.value)
    assert "--folds 4;" in message
    assert "--group none (images of one group then stand on both sides" in message


def test_held_out_part_counts_as_a_bin() -> None:
    y = object_array(["a", "b"] * 30)
    group = names("g", np.repeat(np.arange(5), 12))
    with pytest.raises(FoldError, match="5 folds and a held-out part") as caught:
        make_folds(y, k=5, group=group, test_size=0.2)
    assert "--folds 4; or --folds 5 --test-size 0;" in str(caught.value)


def test_every_hint_works() -> None:
    for case in range(12):
        rng = np.random.default_rng(case)
        n_groups = int(rng.integers(3, 7))
        y = rng.integers(3, size=60)
        group = names("g", rng.integers(n_groups, size=60))
        try:
            make_folds(y, k=6, group=group, test_size=0.2)
        except FoldError as error:
            for k, without in re.findall(r"--folds (\d)( --test-size 0)?", str(error)):
                folds = make_folds(y, k=int(k), group=group, test_size=0.0 if without else 0.2)
                assert totals(folds, y)[: folds.k].all()


def test_overlap_that_no_division_solves() -> None:
    """Three groups hold two of three classes each: two folds leave some class on one side only."""
    y = object_array(["a", "b", "b", "c", "c", "a"] * 4)
    group = object_array(["g1", "g1", "g2", "g2", "g3", "g3"] * 4)
    with pytest.raises(FoldError, match="they overlap so that no division was found"):
        make_folds(y, k=2, group=group)


def test_class_of_one_sample() -> None:
    with pytest.raises(FoldError, match=r"'b': different images needed 2, found 1") as caught:
        make_folds(object_array(["a"] * 20 + ["b"]), k=2)
    assert "What would work: more different images of class 'b'" in str(caught.value)


def test_duplicates_can_use_up_a_class() -> None:
    y = object_array(["a"] * 20 + ["b"] * 6)
    with pytest.raises(FoldError, match=r"'b': different images needed 5, found 2 \(samples: 6\)"):
        make_folds(y, duplicates=np.array([*range(20), 20, 20, 20, 21, 21, 21]))


@pytest.mark.parametrize(("k", "test_size"), [(0, 0.0), (-1, 0.0), (5, 0.9), (5, -0.1), (5, float("nan"))])
def test_options_out_of_range(k: int, test_size: float) -> None:
    with pytest.raises(OptionError):
        make_folds(np.tile([0, 1], 20), k=k, test_size=test_size)


def test_one_fold_needs_a_held_out_part() -> None:
    y = np.tile([0, 1], 20)
    with pytest.raises(FoldError, match="nothing to evaluate on"):
        make_folds(y, k=1)
    folds = make_folds(y, k=1, test_size=0.25)
    assert totals(folds, y).tolist() == [[15, 15], [5, 5]]


# the split column


def test_split_column_is_the_held_out_part() -> None:
    y = object_array(["a", "b"] * 20)
    split = object_array(["train"] * 20 + ["val"] * 6 + [""] * 4 + ["test"] * 10)
    folds = make_folds(y, k=3, split=split, test_size=0.5)
    assert ((folds.part == "test") == (split == "test")).all()
    assert totals(folds, y)[:3].tolist() == [[5, 5]] * 3
    assert "the split column's test part replaces --test-size" in folds.notes
    assert folds.strategy.endswith("held-out part from the split column")
    no_test = make_folds(y, k=3, split=object_array(["train", "val"] * 20), test_size=0.5)
    assert abs((no_test.part == "test").sum() - 20) <= 1
    assert make_folds(y, k=1, split=split).k == 1


def test_split_column_that_divides_a_group() -> None:
    y = object_array(["a", "b"] * 20)
    split = object_array(["train"] * 30 + ["test"] * 10)
    with pytest.raises(FoldError, match="the split column puts 1 groups on both sides: 'g7'"):
        make_folds(y, k=2, split=split, group=names("g", np.arange(40) // 4))


def test_split_column_that_divides_copies() -> None:
    y = object_array(["a", "b"] * 20)
    split = object_array(["train"] * 30 + ["test"] * 10)
    duplicates = np.arange(40)
    duplicates[35] = 5
    with pytest.raises(FoldError, match="copies on both sides: 1 test samples share their pixels"):
        make_folds(y, k=2, split=split, duplicates=duplicates)


def test_split_column_that_lacks_a_class() -> None:
    y = object_array(["a", "b"] * 20)
    with pytest.raises(FoldError, match="leaves no class 'b' to train on"):
        make_folds(y, k=2, split=object_array(["train", "test"] * 20))
    with pytest.raises(FoldError, match="leaves no class"):
        make_folds(y, k=2, split=object_array(["test"] * 40))
    split = object_array(["train"] * 36 + ["test", "train"] * 2)
    assert "the test part has no sample of class 'b'" in make_folds(y, k=2, split=split).notes


# notes and speed


def test_a_large_group_is_reported() -> None:
    y = object_array(["a"] * 40 + ["b"] * 40)
    group = names("g", np.concatenate([np.zeros(25, int), np.arange(15) % 5 + 1, np.arange(40) % 5 + 1]))
    notes = make_folds(y, k=5, group=group).notes
    assert any("group 'g0' alone holds 62% of class 'a'" in note for note in notes)
    assert any(note.startswith("folds are uneven: ") for note in notes)


@pytest.mark.parametrize(("n", "n_groups", "limit"), [(20_000, None, 2.0), (100_000, 40_000, 10.0)])
def test_speed(n: int, n_groups: int | None, limit: float) -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(10, size=n, p=np.arange(1, 11) / 55)
    group = None if n_groups is None else names("g", rng.integers(n_groups, size=n))
    identity = object_array([f"{i:016x}" for i in rng.permutation(n)])
    start = time.perf_counter()
    folds = make_folds(y, group=group, sample_id=identity, test_size=0.1)
    assert time.perf_counter() - start < limit
    assert (np.abs(totals(folds, y)[:5] - np.bincount(y) * 0.18) <= 3).all()


# inner folds


@pytest.mark.parametrize("case", range(20))
def test_inner_folds_respect_groups_and_train_on_every_class(case: int) -> None:
    rng = np.random.default_rng(case)
    n = int(rng.integers(20, 200))
    y = rng.choice([2, 5, 9], size=n, p=[0.6, 0.3, 0.1])
    group = rng.integers(rng.integers(3, 12), size=n) if case % 2 else None
    folds = inner_folds(y, group, 5, case)
    assert folds or len(set(y)) < 3 or np.bincount(y)[[2, 5, 9]].min() < 2 or group is not None
    for train, held in folds:
        assert set(y[train]) == set(y)
        assert len(held)
        assert sorted([*train, *held]) == list(range(n))
        if group is not None:
            assert not set(group[train]) & set(group[held])
    if folds:
        assert sorted(np.concatenate([held for _, held in folds])) == list(range(n))


def test_inner_folds_that_cannot_be() -> None:
    y = np.tile([0, 1], 10)
    assert inner_folds(y, np.repeat([0, 1], 10), 5, 0) == []  # two groups
    assert inner_folds(np.zeros(10, int), None, 5, 0) == []  # one class
    assert inner_folds(np.array([0] * 9 + [1]), None, 5, 0) == []  # a class of one
    one_group_has_class_1 = np.array([0] * 15 + [1] * 5)
    assert inner_folds(one_group_has_class_1, np.repeat(np.arange(4), 5), 5, 0) == []
    assert len(inner_folds(np.array([0] * 9 + [1] * 2), None, 5, 0)) in (2, 3, 4, 5)
    assert len(inner_folds(y, object_array([f"g{i // 5}" for i in range(20)]), 5, 0)) == 4


# real data


@pytest.mark.skipif(not SHARED.is_dir(), reason="the sample data sets lie beside the repository only in development")
@pytest.mark.parametrize(
    ("name", "k", "worst"),
    [
        ("flow_particles", 2, None),
        ("malaria_cells", 5, None),
        ("powder_sem", 5, None),
        ("red_cells", 5, 1),
        ("blood_cells", 5, 0),
    ],
)
def test_real_manifests(name: str, k: int, worst: int | None) -> None:
    manifest = read_manifest(SHARED / name)
    folds = make_folds(manifest.label, k=k, group=manifest.group, sample_id=manifest.sample_id)
    table = totals(folds, manifest.label)[:k]
    assert table.all()
    if worst is not None:
        assert np.abs(table - table.mean(axis=0)).max() <= worst
    if manifest.group is not None:
        for group in set(manifest.group):
            assert len(set(folds.fold[manifest.group == group])) == 1


def test_a_calibration_part_is_set_aside_by_the_same_rules() -> None:
    y = np.repeat([0, 1, 2], 100)
    group = object_array([f"g{i % 60}" for i in range(300)])
    folds = make_folds(y, k=4, group=group, test_size=0.2, calibration=0.25, seed=3)
    parts = {name: np.flatnonzero(folds.part == name) for name in ("cv", "test", "calibration")}
    assert sum(map(len, parts.values())) == 300
    assert [len(parts[name]) / 300 for name in ("test", "calibration")] == pytest.approx([0.2, 0.25], abs=0.03)
    for rows in parts.values():
        assert set(y[rows]) == {0, 1, 2}
    names = [set(group[rows]) for rows in parts.values()]
    assert len(set.union(*names)) == sum(map(len, names))
    assert (folds.fold[parts["calibration"]] == -1).all()
    assert "calibration part of 25%" in folds.strategy


def test_a_calibration_part_counts_as_a_bin_and_can_be_left_out() -> None:
    with pytest.raises(FoldError, match="and a calibration part cannot each have every class") as error:
        make_folds(np.repeat([0, 1], [40, 5]), k=5, calibration=0.2)
    assert "--calibration 0" in str(error.value)
    with pytest.raises(OptionError, match="together below"):
        make_folds(np.repeat([0, 1], 40), k=2, test_size=0.5, calibration=0.4)
