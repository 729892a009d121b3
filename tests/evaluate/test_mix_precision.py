"""Precision at a mix: Bayes' rule on rates of confusion, and ends that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_score

from graticule.arrays import FloatArray
from graticule.evaluate.mix_precision import (
    WithEnds,
    confusion_rates,
    macro_precision_at,
    precision_at,
    rate_limits,
)

MIX = np.array([0.001, 0.001, 0.998])
# a common class that is rarely taken for the others, at a mix where that decides
RATES = np.array([[0.9, 0.05, 0.05], [0.1, 0.85, 0.05], [0.0004, 0.0002, 0.9994]])
SIZES = (100, 80, 4000)


def drawn(rng: np.random.Generator, rates: FloatArray = RATES) -> FloatArray:
    return np.stack([rng.multinomial(n, row) for n, row in zip(SIZES, rates, strict=True)])[None].astype(float)


def test_the_value_is_that_of_images_weighted_to_the_mix() -> None:
    counts = drawn(np.random.default_rng(0), np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.02, 0.03, 0.95]]))
    cells = [(i, j) for i in range(3) for j in range(3) for _ in range(int(counts[0, i, j]))]
    y, given = np.array(cells).T
    weight = (MIX / np.bincount(y))[y]
    found = precision_at(confusion_rates(counts, 0.95, grouped=False), MIX)
    expected = precision_score(y, given, average=None, sample_weight=weight)
    np.testing.assert_allclose(found.value, expected, rtol=1e-12)
    macro = macro_precision_at(found, MIX)
    assert macro.value == pytest.approx(expected.mean())
    assert macro.low < macro.value < macro.high


def test_the_ends_hold_planted_rates_in_95_of_100_draws() -> None:
    rng = np.random.default_rng(1)
    truth = precision_at(WithEnds(RATES, RATES, RATES), MIX)
    macro = macro_precision_at(truth, MIX).value
    held, n = np.zeros(4), 300
    for _ in range(n):
        found = precision_at(confusion_rates(drawn(rng), 0.95, grouped=False), MIX)
        all_of = macro_precision_at(found, MIX)
        held[:3] += (found.low <= truth.value) & (truth.value <= found.high)
        held[3] += all_of.low <= macro <= all_of.high
    assert (held >= 0.95 * n).all(), held / n
    # what a bootstrap or a plain weighting would say of no error at all among so few is not repeated here
    faultless = np.diag(SIZES)[None].astype(float)
    assert precision_at(confusion_rates(faultless, 0.95, grouped=False), MIX).low[0] < 0.6


def test_images_in_groups_give_wider_ends_and_too_few_groups_none() -> None:
    rng = np.random.default_rng(2)
    groups = np.concatenate([drawn(rng) // 20 for _ in range(20)])
    together = confusion_rates(groups.sum(axis=0)[None], 0.95, grouped=False)
    apart = confusion_rates(groups, 0.95, grouped=True)
    np.testing.assert_allclose(apart.value, together.value)
    assert (precision_at(apart, MIX).low < precision_at(together, MIX).low).all()
    few = precision_at(confusion_rates(groups[:5], 0.95, grouped=True), MIX)
    assert np.isnan(few.low).all()
    assert np.isfinite(few.value).all()


def test_a_class_that_is_not_in_the_mix_matters_nowhere_and_one_never_given_counts_as_zero() -> None:
    counts = drawn(np.random.default_rng(3))
    mix = np.array([0.5, 0.0, 0.5])
    absent = counts.copy()
    absent[0, 1] = 0
    with_it, without = (precision_at(confusion_rates(c, 0.95, grouped=False), mix) for c in (counts, absent))
    np.testing.assert_array_equal(with_it.value[[0, 2]], without.value[[0, 2]])
    assert np.isfinite(macro_precision_at(without, mix).low)
    never = np.array([[[0.0, 10.0], [0.0, 90.0]]])
    found = precision_at(confusion_rates(never, 0.95, grouped=False), np.array([0.5, 0.5]))
    assert np.isnan(found.value[0])
    assert found.low[0] == 0.0
    assert macro_precision_at(found, np.array([0.5, 0.5])).value == pytest.approx(0.25)


def test_a_class_without_images_has_no_limits() -> None:
    assert np.isnan(rate_limits(np.zeros(1), np.zeros(1), 0.95, grouped=False)).all()
