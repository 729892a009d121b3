"""Average precision at a mix: the weighted one, with ends that hold the truth where no false answer was seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score

from graticule.arrays import FloatArray, IntArray, object_array
from graticule.evaluate.mix_ranking import average_precision_at
from graticule.evaluate.sampling import checked_groups

MIX = np.array([0.002, 0.998])


def scored(n: tuple[int, int], distance: float, seed: int) -> tuple[IntArray, FloatArray]:
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], n)
    return y, np.where(y == 0, distance, 0.0) + rng.normal(size=len(y))


def truth(distance: float) -> float:
    """Mean over positive scores of their precision at the mix."""
    at = norm.ppf((np.arange(20000) + 0.5) / 20000) + distance
    hit, false = MIX[0] * norm.sf(at - distance), MIX[1] * norm.sf(at)
    return float((hit / (hit + false)).mean())


def test_the_value_is_scikit_learns_with_weights() -> None:
    y, scores = scored((40, 300), 2.0, 0)
    scores = scores.round(1)  # with ties
    found = average_precision_at(y, scores, 0, MIX, None, 0.95, 0)
    weight = (MIX / np.bincount(y))[y]
    assert found.value == pytest.approx(average_precision_score(y == 0, scores, sample_weight=weight))
    assert found.low < found.value < found.high


@pytest.mark.parametrize(("n", "distance"), [((40, 600), 3.0), ((40, 600), 5.0), ((200, 5000), 4.0)])
def test_the_ends_hold_the_truth(n: tuple[int, int], distance: float) -> None:
    draws, held = 60, 0
    for seed in range(draws):
        found = average_precision_at(*scored(n, distance, seed), 0, MIX, None, 0.95, seed)
        held += bool(found.low <= truth(distance) <= found.high)
    assert held >= 0.93 * draws  # of so few draws


def test_nothing_wrong_among_few_common_images_shows_little() -> None:
    few = average_precision_at(*scored((40, 550), 9.0, 1), 0, MIX, None, 0.95, 0)
    many = average_precision_at(*scored((40, 60_000), 9.0, 1), 0, MIX, None, 0.95, 0)
    assert few.value == many.value == 1.0
    assert few.low < 0.3
    assert many.low > 0.75


def test_groups_count_as_such() -> None:
    y, scores = scored((60, 600), 4.0, 2)
    groups = checked_groups(object_array([f"g{i % 30}" for i in range(len(y))]), len(y))
    alone, apart = (average_precision_at(y, scores, 0, MIX, of, 0.95, 0) for of in (None, groups))
    assert apart.low < alone.low
    few = checked_groups(object_array([f"g{i % 5}" for i in range(len(y))]), len(y))
    assert np.isnan(average_precision_at(y, scores, 0, MIX, few, 0.95, 0).low)


def test_levels_between_which_rates_are_rounded_only_widen_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    y, scores = scored((200, 900), 2.5, 3)
    fine = average_precision_at(y, scores, 0, MIX, None, 0.95, 0)
    monkeypatch.setattr("graticule.evaluate.mix_ranking._LEVELS", 20)
    coarse = average_precision_at(y, scores, 0, MIX, None, 0.95, 0)
    assert coarse.value == fine.value
    assert coarse.low <= fine.low
    assert coarse.high >= fine.high
