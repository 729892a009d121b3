"""Cross-validation of heads: no leak, planted signal found, noise at chance, order and threads without influence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from graticule.arrays import object_array
from graticule.heads import crossval
from graticule.heads.crossval import CrossValidation, Search, cross_validate, learning_curve, refit, search_units
from graticule.heads.scoring import Head, probabilities
from graticule.split.folds import Folds, make_folds

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def planted(n: int = 180, d: int = 8, distance: float = 1.5, seed: int = 0) -> tuple[Floats, Ints]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return (distance * rng.normal(size=(3, d))[y] + rng.normal(size=(n, d))).astype(np.float32), y


def same_head(one: Head, other: Head) -> bool:
    return type(one) is type(other) and all(np.array_equal(value, getattr(other, k)) for k, value in vars(one).items())


def accuracy(result: CrossValidation, y: Ints, rows: NDArray[np.bool_] | slice = slice(None)) -> float:
    return float(np.mean(result.proba[rows].argmax(axis=1) == y[rows]))


@pytest.mark.parametrize("grouped", [False, True])
def test_nothing_held_out_reaches_its_head(grouped: bool) -> None:
    x, y = planted()
    group = object_array([str(i // 3 % 15) for i in range(180)]) if grouped else None
    folds = make_folds(y, k=3, group=group, test_size=0.2)
    search = Search(3, grouped=grouped)
    result = cross_validate(x, y, folds, search)
    for held_out in (folds.fold == 1, folds.part == "test"):
        spoiled, relabelled = x.copy(), y.copy()
        spoiled[held_out] = 100 * spoiled[held_out][::-1] + 7
        relabelled[held_out] = 2
        other = cross_validate(spoiled, relabelled, folds, search)
        unaffected = [1] if held_out[folds.part == "cv"].any() else [0, 1, 2]
        for fold in unaffected:
            assert same_head(result.heads[fold], other.heads[fold])
            assert result.choices[fold] == other.choices[fold]


def test_out_of_fold_scores_come_from_the_fold_that_did_not_see_them() -> None:
    x, y = planted()
    folds = make_folds(y, k=4, test_size=0.25)
    done: list[int] = []
    result = cross_validate(x, y, folds, Search(3), progress=done.append)
    assert done == [1, 2, 3, 4]
    for fold, head in enumerate(result.heads):
        rows = folds.fold == fold
        np.testing.assert_array_equal(result.proba[rows], probabilities([head], x[rows]))
    assert np.isnan(result.proba[folds.part == "test"]).all()
    np.testing.assert_allclose(result.proba[folds.part == "cv"].sum(axis=1), 1)


def test_a_planted_signal_is_found_and_absent_signal_is_not() -> None:
    x, y = planted(distance=2.0)
    folds = make_folds(y, k=3)
    assert accuracy(cross_validate(x, y, folds, Search(3)), y) > 0.95
    noise = np.random.default_rng(1).normal(size=(300, 30)).astype(np.float32)
    y = np.arange(300) % 3
    result = cross_validate(noise, y, make_folds(y, k=3), Search(3))
    assert 0.24 < accuracy(result, y) < 0.43
    assert result.proba.max() < 0.7


def test_labels_given_by_group_at_random_stay_at_chance() -> None:
    by_group, by_image = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        owner = np.repeat(np.arange(20), 4)
        y = rng.permutation(np.arange(20) % 2)[owner]
        x = (rng.normal(size=(20, 60))[owner] + 0.05 * rng.normal(size=(80, 60))).astype(np.float32)
        group = object_array([str(g) for g in owner])
        folds = make_folds(y, k=3, group=group, seed=seed)
        by_group.append(accuracy(cross_validate(x, y, folds, Search(2, "logistic", True)), y))
        if seed < 2:
            folds = make_folds(y, k=2, seed=seed)
            by_image.append(accuracy(cross_validate(x, y, folds, Search(2, "logistic")), y))
    assert 0.35 < np.mean(by_group) < 0.62, by_group
    assert np.mean(by_image) > 0.9


def test_few_groups_use_the_default_head() -> None:
    x, y = planted()
    group = object_array(["ab"[i // 3 % 2] for i in range(180)])
    result = cross_validate(x, y, make_folds(y, k=2, group=group), Search(3, grouped=True))
    assert [choice.inner_folds for choice in result.choices] == [0, 0]
    assert accuracy(result, y) > 0.8


def test_threads_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = planted()
    folds = make_folds(y, k=4)
    results = []
    for threads in (1, 4):
        monkeypatch.setattr(crossval, "fold_threads", lambda features, n=threads: n)
        results.append(cross_validate(x, y, folds, Search(3)))
    np.testing.assert_array_equal(results[0].proba, results[1].proba)
    assert results[0].choices == results[1].choices


def test_the_order_of_samples_does_not_decide_who_is_where() -> None:
    x, y = planted()
    ids = object_array([f"{i * 7919 % 180:03d}" for i in range(180)])
    order = np.random.default_rng(2).permutation(180)
    one = make_folds(y, k=3, sample_id=ids)
    other = make_folds(y[order], k=3, sample_id=ids[order])
    np.testing.assert_array_equal(one.fold[order], other.fold)
    fixed = [cross_validate(x[o], y[o], f, Search(3, "logistic")) for o, f in ((np.arange(180), one), (order, other))]
    agreement = fixed[0].proba[order].argmax(axis=1) == fixed[1].proba.argmax(axis=1)
    assert agreement.mean() > 0.96


def test_one_fold_trains_on_everything_that_is_not_held_out() -> None:
    x, y = planted()
    folds = make_folds(y, k=1, test_size=0.3)
    result = cross_validate(x, y, folds, Search(3))
    assert len(result.heads) == 1
    assert np.isnan(result.proba).all()
    head, choice = refit(x, y, folds, Search(3))
    assert same_head(head, result.heads[0])
    assert choice == result.choices[0]
    assert learning_curve(x, y, folds, result, Search(3)) is None
    test = folds.part == "test"
    assert np.mean(probabilities(result.heads, x[test]).argmax(axis=1) == y[test]) > 0.85


def test_refit_uses_every_cross_validated_sample_and_no_other() -> None:
    x, y = planted()
    folds = make_folds(y, k=3, test_size=0.2)
    head, _ = refit(x, y, folds, Search(3))
    spoiled = x.copy()
    spoiled[folds.part == "test"] = np.nan
    assert same_head(refit(spoiled, y, folds, Search(3))[0], head)
    changed = x.copy()
    changed[np.flatnonzero(folds.fold == 0)[0]] += 5
    assert not same_head(refit(changed, y, folds, Search(3))[0], head)


def test_learning_curve_rises_on_planted_data_and_ends_at_the_cross_validation() -> None:
    x, y = planted(360, d=40, distance=0.3)
    folds = make_folds(y, k=3)
    result = cross_validate(x, y, folds, Search(3, "logistic"))
    curve = learning_curve(x, y, folds, result, Search(3, "logistic"))
    assert curve is not None
    assert [point["fraction"] for point in curve] == [0.1, 0.25, 0.5, 1.0]
    assert [point["n_train"] for point in curve] == [24, 60, 120, 240]
    values = [float(point["balanced_accuracy"] or 0) for point in curve]
    assert values == sorted(values)
    assert values[-1] - values[0] > 0.1
    recalls = [
        np.mean([np.mean(result.proba[(folds.fold == f) & (y == k)].argmax(axis=1) == k) for k in range(3)])
        for f in range(3)
    ]
    assert values[-1] == pytest.approx(np.mean(recalls))
    half = 4.302653 * np.std(recalls, ddof=1) / np.sqrt(3)
    assert curve[-1]["low"] == pytest.approx(np.mean(recalls) - half)
    assert curve[-1]["high"] == pytest.approx(min(1.0, np.mean(recalls) + half))


def test_learning_curve_keeps_groups_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = planted()
    group = object_array([str(i // 3 % 20) for i in range(180)])
    folds = make_folds(y, k=2, group=group)
    search = Search(3, "logistic", True)
    result = cross_validate(x, y, folds, search)
    parts: list[Ints] = []
    original = crossval._part_of
    monkeypatch.setattr(crossval, "_part_of", lambda *a: parts.append(original(*a)) or parts[-1])
    curve = learning_curve(x, y, folds, result, search)
    assert curve is not None
    for part in parts:
        outside = np.setdiff1d(np.flatnonzero(folds.fold == folds.fold[part[0]]), part)
        assert set(group[part]).isdisjoint(group[outside])
    for smaller, larger in ((parts[0], parts[2]), (parts[2], parts[4])):
        assert set(smaller) <= set(larger)


def test_learning_curve_of_too_few_samples() -> None:
    x, y = planted(12, distance=4)
    folds = make_folds(y, k=2)
    result = cross_validate(x, y, folds, Search(3, "logistic"))
    assert learning_curve(x, y, folds, result, Search(3, "logistic")) is None


def test_units_of_the_inner_search() -> None:
    def folds(component: list[int]) -> Folds:
        n = len(component)
        return Folds(object_array(["cv"] * n), np.zeros(n, np.int64), np.array(component), 2, "", ())

    assert search_units(folds([0, 1, 2]), grouped=False) is None
    assert search_units(folds([0, 1, 2]), grouped=True) is not None
    duplicates = search_units(folds([0, 1, 0]), grouped=False)
    assert duplicates is not None
    assert duplicates[0] == duplicates[2] != duplicates[1]
