"""The rows of the catalogue: complete, within their ranges, and each with the interval that its range asks for."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.evaluate import estimates
from graticule.evaluate.bootstrap import point, score, statistics
from graticule.evaluate.catalogue import METRICS, OVERALL, PER_CLASS, Metric, Totals
from graticule.statistics.groups import Groups


def sample(n: int, k: int, strength: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), y] += strength
    proba = np.exp(logits)
    return y, proba / proba.sum(axis=1, keepdims=True), np.arange(n) // k % 3


def test_keys_and_names_are_written_once() -> None:
    keys = [metric.key for metric in METRICS] + [metric.chance_key for metric in METRICS if metric.chance]
    assert len(set(keys)) == len(keys)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.key)
def test_a_row_says_what_its_interval_needs(metric: Metric) -> None:
    assert metric.low < metric.high
    assert metric.definition.endswith(".")
    assert (metric.counts is not None) == (metric.interval == "counts")
    assert (metric.chance is not None) == (metric.interval == "biased")
    if metric.interval in ("counts", "loss", "biased"):
        assert metric.low == 0.0
    assert metric.over_classes <= (metric in OVERALL)


@pytest.mark.parametrize("strength", [0.0, 2.0, 50.0])
def test_values_and_limits_lie_in_the_range(strength: float) -> None:
    y, proba, fold = sample(240, 3, strength)
    groups = Groups(np.arange(240) // 12, np.array([f"{i:02d}" for i in range(20)], dtype=object))
    scored = score(y, proba, fold)
    value = point(scored)
    for own in (None, groups):
        drawn = estimates.replicates_of(scored, own, 200, 0)
        limits = estimates.metric_limits(scored, value, drawn, own, 0.95)
        for metric in METRICS:
            low, high = limits[metric.key].low, limits[metric.key].high
            assert (metric.low - 1e-12 <= low).all(), metric.key
            assert (low <= value[metric.key] + 1e-12).all(), metric.key
            assert (value[metric.key] <= high + 1e-12).all(), metric.key
            assert (high <= metric.high + 1e-12).all(), metric.key
            assert low.shape == (() if metric in OVERALL else (3,))


@pytest.mark.parametrize("metric", [m for m in METRICS if m.counts], ids=lambda metric: metric.key)
def test_counts_are_those_of_the_value(metric: Metric) -> None:
    y, proba, fold = sample(90, 3, 1.0)
    scored = score(y, proba, fold)
    confusion = (scored.sums @ np.ones(90))[:9].reshape(3, 3)
    assert metric.counts is not None
    successes, trials = metric.counts(confusion)
    np.testing.assert_allclose(successes / trials, point(scored)[metric.key], rtol=1e-12)


def test_a_metric_of_another_range_gets_limits_in_that_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """The accuracy on the scale from -1 to 1 has the limits of a bounded accuracy, carried to that scale."""

    def share(totals: Totals) -> np.ndarray:
        return np.asarray(np.diagonal(totals.confusion, axis1=1, axis2=2).sum(axis=1) / totals.mass)

    rows = (
        Metric("share", "Share", "decimal", ".", share, "bounded", over_classes=True),
        Metric("turned", "T", "decimal", ".", lambda t: 2 * share(t) - 1, "bounded", low=-1.0, over_classes=True),
    )
    monkeypatch.setattr("graticule.evaluate.bootstrap.METRICS", rows)
    monkeypatch.setattr(estimates, "METRICS", rows)
    for strength in (1.0, 60.0):
        y, proba, fold = sample(120, 2, strength)
        scored = score(y, proba, fold)
        assert set(statistics(scored, np.ones((1, 120)))) == {"share", "turned"}
        drawn = estimates.replicates_of(scored, None, 300, 0)
        limits = estimates.metric_limits(scored, point(scored), drawn, None, 0.95)
        for end in ("low", "high"):
            plain, turned = (getattr(limits[name], end) for name in ("share", "turned"))
            assert turned == pytest.approx(2 * plain - 1, abs=1e-9)
        assert limits["turned"].low < limits["turned"].high


def test_metrics_of_a_class_are_those_that_the_contract_names() -> None:
    keys = {metric.key for metric in PER_CLASS}
    assert keys >= {"precision", "sensitivity", "specificity", "f1", "roc_auc", "average_precision"}
