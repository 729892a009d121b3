"""Strength of association, against formulas by hand and known populations."""

import numpy as np
import pytest
import scipy.stats

from graticule.statistics.association import Categorical, cramers_v, epsilon_squared, strengths

RNG = np.random.default_rng(3)


def sums(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    k = int(y.max()) + 1
    count = np.bincount(y, minlength=k).astype(float)
    total = np.stack([x[y == c].sum(axis=0) for c in range(k)])
    return count, total, (x**2).sum(axis=0)


def test_cramers_v_golden_number() -> None:
    # phi2 = 16/100 with r = c = 2, n = 100: phi2+ = 0.16 - 1/99, r+ = c+ = 2 - 1/99
    v = cramers_v(np.array([[35.0, 15.0], [15.0, 35.0]]))
    assert float(v) == pytest.approx(np.sqrt((0.16 - 1 / 99) / (1 - 1 / 99)))


def test_cramers_v_against_the_chi_squared_of_scipy() -> None:
    table = RNG.integers(1, 40, (4, 3)).astype(float)
    n, r, c = table.sum(), 4, 3
    phi2 = scipy.stats.chi2_contingency(table, correction=False).statistic / n
    most = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    expected = np.sqrt(max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1)) / most)
    assert float(cramers_v(table)) == pytest.approx(expected)


def test_cramers_v_ends() -> None:
    assert float(cramers_v(np.diag([10.0, 20.0, 30.0]))) == pytest.approx(1.0)
    assert float(cramers_v(np.outer([10.0, 30.0], [5.0, 5.0]))) == 0.0
    assert float(cramers_v(np.array([[10.0, 20.0]]))) == 0.0
    table = RNG.integers(1, 40, (4, 3)).astype(float)
    with_empty = np.zeros((6, 4))
    with_empty[:4, :3] = table
    assert float(cramers_v(with_empty)) == pytest.approx(float(cramers_v(table)))


def test_epsilon_squared_against_the_f_test_of_scipy() -> None:
    x, y = RNG.normal(size=(90, 1)), np.repeat([0, 1, 2], 30)
    x[y == 1] += 1
    f = scipy.stats.f_oneway(*(x[y == k, 0] for k in range(3))).statistic
    expected = 2 * (f - 1) / (2 * f + 87)
    assert float(epsilon_squared(*sums(x, y))) == pytest.approx(expected)


def test_epsilon_squared_has_no_bias_where_nothing_is_explained() -> None:
    y = np.repeat(np.arange(10), 6)
    raw = []
    for _ in range(200):
        x = RNG.normal(size=(60, 3))
        raw.append(float(epsilon_squared(*sums(x, y))))
    assert np.mean(raw) < 0.04  # eta squared would be 9/59 = 0.15


def test_epsilon_squared_does_not_depend_on_unit_or_origin() -> None:
    x, y = RNG.normal(size=(40, 2)), np.arange(40) % 2
    x[y == 1, 0] += 2
    one, other = (float(epsilon_squared(*sums(values, y))) for values in (x, 7 * x))
    assert one == pytest.approx(other)
    assert float(epsilon_squared(*sums(np.full((40, 1), 3.0), y))) == 0.0


def test_intervals_hold_the_population_value() -> None:
    # Two classes one standard deviation apart: eta squared of the population is 0.2.
    y = np.repeat([0, 1], 60)
    held = 0
    for seed in range(150):
        x = RNG.normal(size=(120, 1)) + y[:, None]
        found = strengths([x], y, np.arange(120), seed=seed, n_boot=200)[0]
        assert found.low <= found.value <= found.high
        held += found.low <= 0.2 <= found.high
    assert held / 150 >= 0.88


def test_groups_widen_the_interval() -> None:
    y = np.repeat([0, 1], 100)
    groups = np.repeat(np.arange(20), 10)
    x = (RNG.normal(size=20)[groups] + 0.3 * RNG.normal(size=200) + y)[:, None]
    alone = strengths([x], y, np.arange(200), seed=0)[0]
    grouped = strengths([x], y, groups, seed=0)[0]
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_a_class_of_one_group_has_no_interval() -> None:
    y = np.repeat([0, 1], 20)
    found = strengths([Categorical(y, 2)], y, np.repeat([0, 1, 2, 3], 10) // 2, seed=0)[0]
    assert found.value == pytest.approx(1.0)
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_strengths_repeat_with_the_seed() -> None:
    y = RNG.integers(0, 3, 80)
    cue = [Categorical(RNG.integers(0, 4, 80), 4), RNG.normal(size=(80, 2))]
    assert strengths(cue, y, np.arange(80), seed=5) == strengths(cue, y, np.arange(80), seed=5)
