"""Verdicts on specimens held against labels: counted over specimens, or over their groups."""

from __future__ import annotations

import numpy as np

from graticule.decide.specimens import judge_specimens, specimen_accuracy
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
