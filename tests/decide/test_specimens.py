"""Verdicts on specimens held against labels: counted over specimens, or over their groups."""

from __future__ import annotations

import numpy as np

from graticule.decide.specimens import NONE, judge_specimens, specimen_accuracy, tally, truth_of, verdict_accuracy
from graticule.statistics.intervals import cluster_t, wilson


def verdicts(specimen: np.ndarray, called: np.ndarray, n: int):
    proba = np.where(called[:, None] == [0, 1], 0.7, 0.3)
    return judge_specimens(specimen, called, proba, np.zeros(len(called)), n)


def test_specimens_are_counted_not_images() -> None:
    # 20 specimens of 9 images; every image of specimen 3 and four images of each other one are called wrongly
    specimen, label = np.repeat(np.arange(20), 9), np.repeat(np.arange(20) % 2, 9)
    wrong = (np.tile(np.arange(9), 20) < 4) | (specimen == 3)
    called = np.where(wrong, 1 - label, label)
    found = specimen_accuracy(verdicts(specimen, called, 20), specimen, label)
    low, high = wilson(np.array(19.0), np.array(20.0))
    for name in ("majority", "mean_score"):
        assert (found[name]["value"], found[name]["low"], found[name]["high"]) == (0.95, float(low), float(high))
    assert (found["n_specimens"], found["n_mixed_labels"]) == (20, 0)


def test_specimens_of_two_labels_are_left_out_and_counted() -> None:
    specimen, label = np.array([0, 0, 1, 1, -1]), np.array([0, 0, 0, 1, 1])
    found = specimen_accuracy(verdicts(specimen, label, 2), specimen, label)
    assert (found["n_specimens"], found["n_mixed_labels"]) == (1, 1)
    assert found["truth"].tolist() == [0, -1]


def test_where_groups_hold_several_specimens_the_interval_is_over_groups() -> None:
    specimen, group = np.repeat(np.arange(48), 2), np.repeat(np.arange(12), 8)
    label = specimen % 2
    called = np.where(group == 0, 1 - label, label)
    found = specimen_accuracy(verdicts(specimen, called, 48), specimen, label, group)["majority"]
    low, high = cluster_t(np.array([0.0] + [4.0] * 11), np.full(12, 4.0))
    assert (found["method"], found["low"], found["high"]) == ("cluster-t", float(low), float(high))
    alone = specimen_accuracy(verdicts(specimen, called, 48), specimen, label, specimen)["majority"]
    assert alone["method"] == "wilson"
    few = specimen_accuracy(verdicts(specimen, called, 48), specimen, label, group % 4)["majority"]
    assert (few["low"], few["method"]) == (None, "too_few_groups")


def test_verdicts_by_majority_and_by_mean_score() -> None:
    proba = np.array([[0.6, 0.4], [0.6, 0.4], [0.05, 0.95], [0.3, 0.7], [0.9, 0.1], [0.2, 0.8], [np.nan, np.nan]])
    called = np.array([0, 0, 1, 1, 0, 1, NONE])
    specimen = np.array([0, 0, 0, 1, 2, 2, 2])
    review = np.array([1.0, 0.0, 0.0, np.nan, 1.0, 1.0, 0.0])
    found = judge_specimens(specimen, called, proba, review, 4)
    assert found.majority.tolist() == [0, 1, NONE, NONE]  # a tie, and no image at all
    assert found.by_score.tolist() == [1, 1, 0, NONE]
    assert found.n.tolist() == [3, 1, 3, 0]
    assert found.n_readable.tolist() == [3, 1, 2, 0]
    np.testing.assert_allclose(found.review_share, [1 / 3, np.nan, 2 / 3, np.nan])
    np.testing.assert_allclose(found.majority_margin[:3], [1 / 3, 1.0, 0.0])
    np.testing.assert_allclose(found.score_margin[:2], [0.5 / 3, 0.4])
    assert np.isnan(found.score_low[1])  # one image has no spread
    assert found.majority_low[1] < 0.3  # nor much weight


def test_verdicts_do_not_depend_on_the_order_of_images() -> None:
    rng = np.random.default_rng(4)
    proba = rng.dirichlet(np.ones(3), 200)
    specimen, review = rng.integers(0, 5, 200), np.full(200, np.nan)
    order = rng.permutation(200)
    first = judge_specimens(specimen, proba.argmax(axis=1), proba, review, 5)
    second = judge_specimens(specimen[order], proba[order].argmax(axis=1), proba[order], review[order], 5)
    for name in vars(first):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name))


def test_accuracy_counts_specimens_and_a_tie_is_wrong() -> None:
    value, low, high, n = verdict_accuracy(np.array([0, 1, NONE, 1]), np.array([0, 1, 1, NONE]))
    assert (value, n) == (2 / 3, 3)
    assert low < value < high
    assert verdict_accuracy(np.array([0]), np.array([NONE]))[3] == 0


def test_a_specimen_of_two_labels_has_no_truth() -> None:
    truth, mixed = truth_of(np.array([0, 0, 1, 1, 2]), np.array([2, 2, 0, 1, NONE]), 3)
    assert truth.tolist() == [2, NONE, NONE]
    assert mixed.tolist() == [False, True, False]


def test_rows_without_a_code_count_nowhere() -> None:
    assert tally(np.array([0, NONE, 1]), np.array([1, 1, NONE]), 2, 2).tolist() == [[0.0, 1.0], [0.0, 0.0]]
