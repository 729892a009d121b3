"""A second look, by heads that were fitted on kept images of other folds."""

from __future__ import annotations

import numpy as np
from tests.label_errors.test_ranking import World, precision

from graticule.label_errors.ranking import find_label_errors
from graticule.label_errors.second_look import second_look


def test_a_second_look_helps_where_the_first_was_misled() -> None:
    gain = []
    for seed in range(5):
        world = World(seed)
        y, wrong = world.labels(0.15, to=1)
        # scores of a model that learnt from the wrong labels: those of its own kind
        misled = second_look(world.features, y, world.fold, np.ones(len(y), bool), 4)
        assert misled is not None
        once, twice = (
            find_label_errors(misled, y, features=world.features, fold=world.fold, twice=again)
            for again in (False, True)
        )
        assert set(twice.exponents) - set(once.exponents) == {"second look"}
        gain.append(precision(twice.order, wrong) - precision(once.order, wrong))
    assert np.mean(gain) > 0.01
    assert min(gain) > -0.01


def test_a_second_look_scores_each_image_by_heads_of_other_folds_and_kept_images() -> None:
    world = World(2, n=400)
    y = world.truth.copy()
    keep = np.ones(400, bool)
    keep[:30] = False
    first = second_look(world.features, y, world.fold, keep, 4)
    # labels of images that are not kept, and of the own fold, change nothing
    y[:30] = (y[:30] + 1) % 4
    again = second_look(world.features, y, world.fold, keep, 4)
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first, again)
    y[world.fold == 3] = 0
    own = second_look(world.features, y, world.fold, keep, 4)
    assert own is not None
    np.testing.assert_array_equal(own[world.fold == 3], again[world.fold == 3])
    np.testing.assert_allclose(first.sum(axis=1), 1.0)
    assert (first.argmax(axis=1) == world.truth).mean() > 0.8


def test_a_second_look_is_left_out_where_a_class_would_be_gone() -> None:
    world = World(4, n=300)
    rare = (world.truth != 3) | (world.fold == 0)
    y = np.where(rare, world.truth, 0)
    assert second_look(world.features, y, world.fold, np.ones(300, bool), 4) is None
