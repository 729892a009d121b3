"""What each way trains on: real images of the other folds, generated ones of its own generator, balanced weights."""

import numpy as np
import pytest

from graticule.synthesis.use.arms import AMOUNTS, WEIGHTS, Arm, UseData, arms, rows_of_arm

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1], [90, 30])
FOLD = np.arange(120) % 3
REAL = (RNG.normal(size=(120, 4)) + Y[:, None]).astype(np.float32)
VIEWS = np.stack([REAL + 100 * view for view in range(8)])
# images of generator f say so in their values
MADE = [(np.full((80, 4), -1000.0 - f, np.float32), np.repeat([0, 1], 40)) for f in range(3)]
DATA = UseData(VIEWS, Y, FOLD, np.arange(120), MADE, (1,))


def test_ways_without_generated_images_come_first() -> None:
    every = arms(turned=True)
    n = sum(not arm.generated for arm in every)
    assert not any(arm.generated for arm in every[:n])
    assert all(arm.generated for arm in every[n:])
    assert len(every) - n == 2 * len(AMOUNTS) * len(WEIGHTS)
    assert len({arm.name for arm in every}) == len(every)
    assert not any(arm.turned for arm in arms(turned=False))


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_nothing_of_the_judged_fold_trains(fold: int) -> None:
    for arm in arms(turned=True):
        rows = rows_of_arm(DATA, arm, fold, 0)
        held = REAL[fold == FOLD]
        for view in range(8):
            inside = (np.abs(rows.values[:, None] - (held + 100 * view)).max(2) < 1e-6).any()
            assert not inside, arm.name
        made = rows.values[:, 0] < -900
        assert made.any() == arm.generated
        assert set(np.unique(rows.values[made])) <= {-1000.0 - fold}


def test_class_weights_make_classes_weigh_alike() -> None:
    rows = rows_of_arm(DATA, Arm(), 0, 0)
    assert rows.weight.mean() == pytest.approx(1)
    total = np.bincount(rows.y, rows.weight)
    assert total[0] == pytest.approx(total[1])
    assert np.ptp(rows_of_arm(DATA, Arm(balanced=False), 0, 0).weight) == 0


def test_amount_and_weight_of_generated_images() -> None:
    # twenty rare images train; twice as many generated ones of each class, at a tenth of the weight
    rows = rows_of_arm(DATA, Arm(balanced=False, amount=2.0, weight=0.1), 1, 0)
    made = rows.values[:, 0] < -900
    assert np.bincount(rows.y[made]).tolist() == [40, 40]
    assert np.unique(rows.weight[made] / rows.weight[~made].mean()).round(6).tolist() == [0.1]
    # no more than there are
    assert (rows_of_arm(DATA, Arm(amount=4.0), 1, 0).values[:, 0] < -900).sum() == 80


def test_repeated_and_interpolated_images_fill_the_rare_class() -> None:
    repeated = rows_of_arm(DATA, Arm(balanced=False, repeated=True), 2, 0)
    laid = rows_of_arm(DATA, Arm(interpolated=True), 2, 0)
    own = REAL[(FOLD != 2) & (Y == 1)]
    for rows in (repeated, laid):
        assert np.bincount(rows.y).tolist() == [60, 60]
    assert all((own == value).all(1).any() for value in repeated.values[repeated.y == 1])
    new = [value for value in laid.values[laid.y == 1] if not (np.abs(own - value).max(1) < 1e-6).any()]
    assert len(new) > 30
    # between two images of the class
    assert all((own.min(0) <= value).all() and (value <= own.max(0)).all() for value in new)


def test_turned_images_are_eight_times_as_many() -> None:
    assert len(rows_of_arm(DATA, Arm(turned=True), 0, 0).values) == 8 * 80
