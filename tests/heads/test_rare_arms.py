"""Ways to learn rare classes: who trains where, and what weights do to a class of few images."""

import numpy as np
import pytest

from graticule.heads.rare_arms import OVERSAMPLING, PLAIN, RARE_ARMS, SYMMETRIES, WEIGHTS, arm_scores, training_rows_of


def overlapping(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """300 common and 30 rare images, two turned ones of each rare one, and folds."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [300, 30])
    turned = np.repeat(np.flatnonzero(y), 2)
    features = rng.normal(size=(330, 8)) + 1.2 * y[:, None] * (np.arange(8) < 2)
    behind = features[turned] + 0.1 * rng.normal(size=(len(turned), 8))
    return np.concatenate([features, behind]).astype(np.float32), y, np.arange(330) % 3, turned


def test_a_turned_image_trains_only_where_its_original_does() -> None:
    _, y, fold, turned = overlapping()
    rows = training_rows_of(SYMMETRIES, y, fold != 1, turned, 2)
    assert set(fold[rows[rows < 330]]) == {0, 2}
    assert set(fold[turned[rows[rows >= 330] - 330]]) == {0, 2}
    assert len(rows) == 220 + 40


def test_repeating_makes_classes_of_one_size() -> None:
    _, y, fold, turned = overlapping()
    rows = training_rows_of(OVERSAMPLING, y, fold != 0, turned, 2)
    assert np.bincount(y[rows]).tolist() == [200, 200]
    assert len(np.unique(rows)) == 220


@pytest.mark.parametrize("arm", RARE_ARMS)
def test_every_image_is_scored_by_a_model_that_did_not_see_it(arm: str) -> None:
    features, y, fold, turned = overlapping()
    proba = arm_scores(arm, features, y, fold, turned, 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    only = features.copy()
    only[7] = 50.0
    third = arm_scores(arm, only, y, fold, turned, 2)
    assert not np.allclose(third[7], proba[7])
    same = (fold == fold[7]) & (np.arange(330) != 7)
    np.testing.assert_allclose(third[same], proba[same], atol=1e-6)


def test_weights_find_more_of_the_rare_class() -> None:
    features, y, fold, turned = overlapping()
    found = {
        arm: (arm_scores(arm, features, y, fold, turned, 2).argmax(axis=1) == 1)[y == 1].mean() for arm in RARE_ARMS
    }
    assert found[WEIGHTS] > found[PLAIN] + 0.2
    assert abs(found[OVERSAMPLING] - found[WEIGHTS]) < 0.2
