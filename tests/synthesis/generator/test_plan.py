"""No generator sees what its fold judges, nor a copy of it, and something is kept to ask about copying."""

import numpy as np

from graticule.synthesis.generator.plan import ALL, plan_generators


def test_a_generator_per_fold_and_one_of_all() -> None:
    fold = np.arange(60) % 3
    plans = plan_generators(fold, np.arange(60), np.zeros(60, np.int64), by_group=False, seed=0)
    assert [plan.name for plan in plans] == ["fold-1", "fold-2", "fold-3", ALL]
    for k in range(3):
        np.testing.assert_array_equal(plans[k].seen, fold != k)
    assert plans[-1].seen.all()


def test_with_groups_some_images_of_the_same_groups_are_kept_back() -> None:
    fold = np.repeat([0, 1], 200)
    unit = np.repeat(np.arange(200), 2)
    y = np.tile([0, 0, 0, 0, 0, 0, 0, 0, 1, 1], 40)
    plans = plan_generators(fold, unit, y, by_group=True, seed=1)
    for k in (0, 1):
        inside = fold != k
        kept = inside & ~plans[k].seen
        assert not plans[k].seen[~inside].any()
        # a quarter of the common class; the rare one has too few to keep any
        assert kept[y == 0].sum() == 40
        assert not kept[y == 1].any()
        # copies go together
        assert not set(unit[kept]) & set(unit[plans[k].seen])
    again = plan_generators(fold, unit, y, by_group=True, seed=1)
    np.testing.assert_array_equal(plans[0].seen, again[0].seen)


def test_no_generator_sees_a_held_out_part() -> None:
    fold = np.where(np.arange(60) < 12, -1, np.arange(60) % 3)
    plans = plan_generators(fold, np.arange(60), np.zeros(60, np.int64), by_group=False, seed=0)
    assert [plan.name for plan in plans] == ["fold-1", "fold-2", "fold-3", ALL]
    assert not any(plan.seen[:12].any() for plan in plans)
    assert plans[-1].seen[12:].all()
