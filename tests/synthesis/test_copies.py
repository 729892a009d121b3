"""Copies are found whatever was done to them; new images, blurred ones and those of another day are not blamed."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.synthesis.drawn import blobs, degraded

from graticule.synthesis.copies import Copies, FromGenerator, SetTest, copied_as_a_set, copied_one_by_one
from graticule.synthesis.distance import comparable

PARENTS, HELD = 40, 60


def shown(made: np.ndarray, real: np.ndarray, parents: int = PARENTS, group: np.ndarray | None = None) -> FromGenerator:
    """The first of the real images are parents; each is a unit of its own."""
    unit = np.arange(len(real))
    return FromGenerator(
        comparable(made), comparable(real), unit < parents, unit, np.zeros_like(unit) if group is None else group
    )


def judged(one: FromGenerator) -> tuple[SetTest, Copies]:
    return copied_as_a_set([one]), copied_one_by_one([one])


def test_copies_are_found_as_a_set_and_one_by_one() -> None:
    real = blobs(PARENTS + HELD, 0)
    as_set, each = judged(shown(degraded(real[:PARENTS], 1), real))
    assert as_set.p < 0.001
    assert as_set.share > 0.95
    assert each.flagged.mean() >= 0.9
    assert each.low > 0.05
    assert each.p < 1e-6
    # each is told from which one
    assert (each.parent == np.arange(PARENTS)).mean() > 0.95


@pytest.mark.parametrize("blur", [0.0, 1.0, 1.5])
def test_new_images_are_not_blamed_blurred_or_not(blur: float) -> None:
    refused = flagged = 0.0
    for seed in range(20):
        real, new = blobs(PARENTS + HELD, 10 + seed), blobs(40, 500 + seed)
        as_set, each = judged(shown(gaussian_filter(new, (0, blur, blur)) if blur else new, real))
        refused += as_set.p < 0.05 or (each.low > 0.05 and each.p < 0.01)
        flagged += each.share / 20
    assert refused <= 3
    assert flagged <= 0.05


def test_a_few_copies_among_many_are_flagged_each() -> None:
    real = blobs(PARENTS + HELD, 3)
    made = np.concatenate([degraded(real[:4], 4), blobs(76, 5)])
    each = copied_one_by_one([shown(made, real)])
    assert each.flagged[:4].all()
    assert each.flagged[4:].mean() <= 0.05


def test_without_held_out_images_blur_is_still_no_copying() -> None:
    real = blobs(PARENTS, 6)
    as_set, each = judged(shown(degraded(real, 7), real))
    assert not as_set.made
    assert each.flagged.mean() >= 0.9
    new = [
        copied_one_by_one([shown(gaussian_filter(blobs(40, 100 + seed), (0, 1.5, 1.5)), blobs(PARENTS, seed))])
        for seed in range(12)
    ]
    assert np.mean([each.share for each in new]) <= 0.06
    assert sum(each.low > 0.05 and each.p < 0.01 for each in new) <= 1


def test_a_day_without_held_out_images_is_no_copying() -> None:
    # parents of two days, held-out images of the second alone; new images are of the first
    first, second = blobs(30, 0, shift=0.2), blobs(60, 1, shift=-0.2)
    real = np.concatenate([first, second[:20], second[20:]])
    group = np.array([0] * 30 + [1] * 60)
    as_set, each = judged(shown(blobs(40, 2, shift=0.2), real, 50, group))
    assert as_set.p > 0.05
    assert each.flagged.mean() <= 0.1
    # and a copy from that day is found nevertheless
    assert copied_one_by_one([shown(degraded(first, 3), real, 50, group)]).flagged.mean() >= 0.9


def test_copies_among_the_real_images_are_one_unit() -> None:
    # pairs of near-copies: the held-out twin of a parent is no reference
    half = blobs(50, 0)
    real = np.concatenate([half, degraded(half, 1)])
    unit, parent = np.tile(np.arange(50), 2), np.tile(np.arange(50) < 20, 2)
    parent[50:70] = False  # twins of the parents that the generator did not see
    one = FromGenerator(comparable(blobs(40, 2)), comparable(real), parent, unit, np.zeros(100, np.int64))
    assert one.held_out.sum() == 60
    assert copied_as_a_set([one]).p > 0.05
    copies = FromGenerator(comparable(degraded(half[:20], 3)), comparable(real), parent, unit, np.zeros(100, np.int64))
    assert copied_as_a_set([copies]).p < 0.01


def test_several_generators_are_judged_by_what_each_saw() -> None:
    real = blobs(90, 0)
    thirds = np.arange(90) % 3
    unit, group = np.arange(90), np.zeros(90, np.int64)

    def generator(k: int, made: np.ndarray) -> FromGenerator:
        return FromGenerator(comparable(made), comparable(real), thirds != k, unit, group)

    # each repeats what only it did not see: of none of them a copy
    honest = copied_one_by_one([generator(k, degraded(real[thirds == k], k)) for k in range(3)])
    copied = copied_one_by_one([generator(k, degraded(real[thirds != k][:30], k)) for k in range(3)])
    assert honest.flagged.mean() <= 0.05
    assert copied.flagged.mean() >= 0.9
    assert len(copied.flagged) == 90


def test_the_same_seed_gives_the_same_answer() -> None:
    one = shown(blobs(30, 1), blobs(100, 0))
    assert copied_as_a_set([one], seed=3) == copied_as_a_set([one], seed=3)
