"""The exchange between pictures: partners, controls, and which verdicts call for a warning."""

from __future__ import annotations

import numpy as np
import pytest
from tests.explain.test_checks import SIDE

from graticule.explain.exchange import LEAST, LEVEL, Exchange, control_band, exchange_verdicts, partners


def test_an_object_anywhere_draws_no_warning() -> None:
    # the same region counts as much as its control: the test must not fire
    generator = np.random.default_rng(3)
    found = [Exchange(0, 1, *generator.normal(0.25, 0.1, 2)) for _ in range(60)]
    assert not any(v.drawn for v in exchange_verdicts(found, 2, 2))


def test_a_region_that_counts_little_draws_no_warning() -> None:
    found = [Exchange(0, 1, LEAST / 2, 0.0) for _ in range(60)]
    verdict = exchange_verdicts(found, 2, 1)[0]
    assert verdict.p < 1e-6
    assert not verdict.drawn


@pytest.mark.parametrize(("n_classes", "n_regions", "least"), [(2, 1, 12), (6, 2, 14), (20, 2, 16)])
def test_pairs_are_enough_when_all_together_could_call_for_a_warning(
    n_classes: int, n_regions: int, least: int
) -> None:
    for n in range(least - 3, least + 3):
        everywhere = next(
            v for v in exchange_verdicts([Exchange(0, 1, 0.9, 0.0)] * n, n_classes, n_regions) if v.class_index is None
        )
        assert everywhere.enough == everywhere.drawn == (n >= least)
    assert 0.5**least < LEVEL / (n_regions * (n_classes + 1)) <= 0.5 ** (least - 1)


def test_a_shortcut_of_one_class_is_named() -> None:
    found = [Exchange(0, 1, 0.8, 0.05) for _ in range(20)] + [Exchange(1, 2, 0.0, 0.05) for _ in range(60)]
    drawn = [v for v in exchange_verdicts(found, 3, 1) if v.drawn]
    assert [v.class_index for v in drawn] == [0]
    assert drawn[0].n == 20


def test_partners_are_of_another_class_and_take_turns() -> None:
    predicted = np.array([0] * 10 + [1] * 10)
    pairs = partners(predicted, np.random.default_rng(0))
    assert sorted(i for i, _ in pairs) == list(range(20))
    assert sorted(j for _, j in pairs) == list(range(20))
    assert all(predicted[i] != predicted[j] for i, j in pairs)
    assert partners(np.zeros(4, int), np.random.default_rng(0)) == []


@pytest.mark.parametrize("rows", [(56, 64), (0, 8), (50, 64)])
def test_the_control_of_a_bar_is_a_band_elsewhere(rows: tuple[int, int]) -> None:
    region = np.zeros((SIDE, SIDE), bool)
    region[slice(*rows)] = True
    for seed in range(20):
        control = control_band(region, np.ones_like(region), np.random.default_rng(seed))
        assert control is not None
        assert control.sum() == region.sum()
        assert not (control & region).any()
        # clear of the edges by its height
        height = rows[1] - rows[0]
        assert not control[:height].any()
        assert not control[-height:].any()


def test_the_control_of_a_tall_bar_is_where_there_is_room_and_beyond_half_nowhere() -> None:
    region = np.zeros((SIDE, SIDE), bool)
    region[36:] = True
    control = control_band(region, np.ones_like(region), np.random.default_rng(0))
    assert control is not None
    assert control.sum() == region.sum()
    assert not (control & region).any()
    region[30:] = True
    assert control_band(region, np.ones_like(region), np.random.default_rng(0)) is None
