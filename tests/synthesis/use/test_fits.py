"""Classifiers of the use test: axes from real images, weights that count, classes that did not train."""

import numpy as np
import pytest

from graticule.synthesis.use.arms import WeightedRows
from graticule.synthesis.use.fits import FEATURES, PIXELS, TrialClassifier


def cloud(n: int, centre: float, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(n, 10)) + centre * np.r_[1, -1, np.zeros(8)]).astype(np.float32)


VALUES = np.concatenate([cloud(60, 0, 0), cloud(60, 4, 1)])
Y = np.repeat([0, 1], 60)


@pytest.mark.parametrize("classifier", [FEATURES, PIXELS], ids=["features", "pixels"])
def test_classes_are_told_and_weights_count(classifier: TrialClassifier) -> None:
    along = classifier.axes(VALUES, Y)
    entered, asked = along(VALUES), along(np.concatenate([cloud(40, 0, 2), cloud(40, 4, 3)]))
    scores = classifier.scores(WeightedRows(entered, Y, np.ones(120)), asked, 3)
    assert scores.shape == (80, 3)
    assert np.isneginf(scores[:, 2]).all()
    assert (scores.argmax(1) == np.repeat([0, 1], 40)).mean() > 0.95
    # one in three of class 0 is called 1; at no weight that does not matter
    wrong, light = Y.copy(), np.ones(120)
    wrong[:60:3], light[:60:3] = 1, 1e-6
    ignored = classifier.scores(WeightedRows(entered, wrong, light), asked, 2)
    counted = classifier.scores(WeightedRows(entered, wrong, np.ones(120)), asked, 2)
    right = [(scores.argmax(1) == np.repeat([0, 1], 40)).mean() for scores in (ignored, counted)]
    assert right[0] > right[1] - 0.01
    assert (ignored[:, 0] - ignored[:, 1])[:40].mean() > (counted[:, 0] - counted[:, 1])[:40].mean() + 0.3


def test_three_classes_keep_their_columns() -> None:
    values = np.concatenate([VALUES, cloud(60, -5, 4)])
    y = np.repeat([0, 2, 1], 60)
    along = FEATURES.axes(values, y)
    scores = FEATURES.scores(WeightedRows(along(values), y, np.ones(180)), along(values), 3)
    assert (scores.argmax(1) == y).mean() > 0.9


def test_axes_leave_what_they_are_given_as_it_is() -> None:
    before = VALUES.copy()
    FEATURES.axes(VALUES, Y)(VALUES)
    PIXELS.axes(VALUES, Y)(VALUES)
    np.testing.assert_array_equal(VALUES, before)
