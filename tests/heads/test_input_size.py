"""The choice of a size and of views on planted truth."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.heads.input_size import (
    balanced_weights,
    candidate_sizes,
    choice_folds,
    clustered_error,
    drawn,
    gains,
    held_out_losses,
    most_chosen,
    smallest_as_good,
)

N = 300
Y = np.arange(N) % 3
ALONE = np.arange(N)
WEIGHTS = balanced_weights(Y)


def losses_of(difference: list[float], noise: float, seed: int = 0) -> np.ndarray:
    """Losses of candidates: what an image costs all of them, what each adds, and noise of its own."""
    rng = np.random.default_rng(seed)
    shared = rng.gamma(1.0, 0.5, N)
    return np.stack([shared + more + rng.normal(0, noise, N) for more in difference])


@pytest.mark.parametrize(
    ("sides", "own", "expected"),
    [
        ([27] * 100, 224, (48, 64, 80, 96, 128, 160, 224)),
        ([27] * 96 + [117] * 4, 224, (48, 64, 80, 96, 128, 160, 224)),
        ([27] * 90 + [117] * 10, 224, (128, 160, 224)),
        ([48] * 10, 224, (48, 64, 80, 96, 128, 160, 224)),
        ([49] * 10, 240, (64, 80, 96, 128, 160, 240)),
        ([161] * 10, 224, (224,)),
        ([360] * 10, 224, (224,)),
        ([20] * 10, 96, (48, 64, 80, 96)),
        ([], 224, (224,)),
    ],
)
def test_no_candidate_throws_pixels_away(sides: list[int], own: int, expected: tuple[int, ...]) -> None:
    assert candidate_sizes(np.array(sides, np.int64), own) == expected


def test_small_sizes_that_are_as_good_win() -> None:
    rng = np.random.default_rng(0)
    first = [
        smallest_as_good(losses_of([0.0, -0.02], 0.3, int(seed)), WEIGHTS, ALONE) for seed in rng.integers(0, 9999, 200)
    ]
    assert np.mean(np.array(first) == 0) > 0.5
    assert smallest_as_good(np.repeat(losses_of([0.0], 0.0), 6, axis=0), WEIGHTS, ALONE) == 0


def test_a_detail_that_only_the_largest_shows() -> None:
    assert smallest_as_good(losses_of([0.3, 0.3, 0.28, 0.25, 0.2, 0.0], 0.3), WEIGHTS, ALONE) == 5
    assert smallest_as_good(losses_of([0.3, 0.0, 0.0, 0.0, 0.0, 0.0], 0.01), WEIGHTS, ALONE) > 0


def test_groups_that_agree_within_count_once() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(6), 50)
    shift = np.array([0.5, -0.5, 0.45, -0.5, 0.5, -0.4])[group]
    # images alone would tell a difference of 0.05 from nothing; six groups that differ by 0.5 do not
    losses = np.stack([np.ones(N) + 0.05 + shift, np.ones(N) + rng.normal(0, 0.01, N)])
    assert smallest_as_good(losses, WEIGHTS, group) == 0
    assert not gains(losses[0], losses[1], WEIGHTS, group)
    assert clustered_error(losses[0], np.full(N, 1 / N), group) > 3 * clustered_error(
        losses[0], np.full(N, 1 / N), ALONE
    )


def test_more_views_only_where_they_gain() -> None:
    equal, better = losses_of([0.0, 0.0], 0.3), losses_of([0.1, 0.0], 0.3)
    assert gains(better[0], better[1], WEIGHTS, ALONE)
    assert not gains(better[1], better[0], WEIGHTS, ALONE)
    assert not gains(equal[0], equal[0], WEIGHTS, ALONE)


def test_a_gain_that_chance_gives_now_and_then_is_asked_for_twice() -> None:
    # of inputs that are alike, one in six seems better by one standard error, one in forty by two
    often = [gains(*losses_of([0.0, 0.0], 0.3, seed), WEIGHTS, ALONE) for seed in range(400)]
    seldom = [gains(*losses_of([0.0, 0.0], 0.3, seed), WEIGHTS, ALONE, 1.96) for seed in range(400)]
    assert 0.11 <= np.mean(often) <= 0.21
    assert 0.005 <= np.mean(seldom) <= 0.05


def test_the_standard_error_is_that_of_a_mean() -> None:
    values = np.random.default_rng(2).normal(0, 2, 4000)
    found = clustered_error(values, np.full(4000, 1 / 4000), np.arange(4000))
    assert found == pytest.approx(2 / np.sqrt(4000), rel=0.05)
    assert clustered_error(values, np.full(4000, 1 / 4000), np.zeros(4000, np.int64)) == np.inf


def test_drawn_rows_come_from_what_may_be_drawn_and_rare_classes_give_all() -> None:
    y = np.array([0] * 900 + [1] * 80 + [2] * 20)
    rows = np.flatnonzero(np.arange(1000) % 10 > 0)
    found = drawn(y, rows, 200, 0)
    assert np.isin(found, rows).all()
    assert (np.diff(found) > 0).all()
    assert np.bincount(y[found]).tolist() == [110, 72, 18]
    assert (drawn(y, rows, 200, 0) == found).all()
    assert (drawn(y, rows, 200, 1) != found).any()
    assert (drawn(y, rows, 5000, 0) == rows).all()


def test_one_group_is_divided_by_copies_and_told_apart() -> None:
    copies = np.repeat(np.arange(N // 2), 2)
    y = np.repeat(np.arange(N // 2) % 3, 2)
    folds, units = choice_folds(y, np.zeros(N, np.int64), copies, 0)
    assert units is copies
    assert all(not set(copies[train]) & set(copies[test]) for train, test in folds)
    groups = np.repeat(np.arange(10), 30)
    folds, units = choice_folds(y, groups, copies, 0)
    assert units is groups
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)


def test_the_judge_sees_classes_apart_and_nothing_where_there_is_nothing() -> None:
    rng = np.random.default_rng(3)
    folds, _ = choice_folds(Y, None, ALONE, 0)
    told = held_out_losses(np.eye(3)[Y] * 3 + rng.normal(0, 0.5, (N, 3)), Y, folds, 3)
    untold = held_out_losses(rng.normal(0, 1, (N, 3)), Y, folds, 3)
    assert told.mean() < 0.3
    assert untold.mean() == pytest.approx(np.log(3), abs=0.1)


def test_what_most_folds_chose() -> None:
    assert most_chosen([48, 64, 48]) == 48
    assert most_chosen([48, 64]) == 64
    assert most_chosen([224]) == 224
