"""Limits of metrics against the intervals that they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.arrays import object_array
from graticule.evaluate.bootstrap import ScoredSamples, point, score
from graticule.evaluate.catalogue import METRICS, PER_CLASS
from graticule.evaluate.estimates import Limits, metric_limits, replicates_of
from graticule.statistics.groups import Groups
from graticule.statistics.intervals import cluster_t, wilson


def sample(n: int = 300, k: int = 3) -> ScoredSamples:
    rng = np.random.default_rng(0)
    y = rng.integers(k, size=n)
    proba = rng.dirichlet(np.ones(k), size=n)
    proba[np.arange(n), y] += 1.0
    return score(y, proba / proba.sum(axis=1, keepdims=True), np.zeros(n, int))


def limits_of(scored: ScoredSamples, groups: Groups | None) -> dict[str, Limits]:
    return metric_limits(scored, point(scored), replicates_of(scored, groups, 200, 0), groups, 0.95)


def grouped(n: int, n_groups: int) -> Groups:
    return Groups(np.arange(n) % n_groups, object_array([f"{i:03d}" for i in range(n_groups)]))


def test_shares_have_the_limits_of_wilson_or_of_groups() -> None:
    scored, groups = sample(), grouped(300, 30)
    right = (scored.predicted == scored.y).astype(float)
    low, high = wilson(np.array(right.sum()), np.array(300.0))
    assert (limits_of(scored, None)["accuracy"].low, limits_of(scored, None)["accuracy"].high) == (low, high)
    hits = np.bincount(groups.codes, weights=right)
    low, high = cluster_t(hits, np.full(30, 10.0))
    found = limits_of(scored, groups)["accuracy"]
    assert (float(found.low), float(found.high)) == pytest.approx((float(low), float(high)))
    assert str(found.method) == "cluster-t"


def test_few_groups_give_no_limits_of_anything() -> None:
    scored = sample()
    assert replicates_of(scored, grouped(300, 9), 200, 0) is None
    found = limits_of(scored, grouped(300, 9))
    for metric in METRICS:
        assert np.isnan(found[metric.key].low).all()
        assert (found[metric.key].method == "too_few_groups").all()


def test_a_class_in_few_groups_has_no_limits_while_others_do() -> None:
    n = 400
    y, codes = np.zeros(n, int), np.arange(n) % 20
    y[codes >= 12] = 1
    proba = np.full((n, 2), 0.3)
    proba[np.arange(n), np.where(np.arange(n) % 11 == 0, 1 - y, y)] = 0.7
    found = limits_of(score(y, proba, np.zeros(n, int)), Groups(codes, object_array([f"{i:02d}" for i in range(20)])))
    assert str(found["sensitivity"].method[0]) == "cluster-t"
    for metric in PER_CLASS:
        if metric.key not in ("specificity", "precision"):
            assert str(found[metric.key].method[1]) == "too_few_groups"
    assert np.isnan(found["sensitivity"].low[1])
