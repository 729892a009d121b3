"""A model of the real images names classes; another tells generated images from real ones, or cannot."""

import numpy as np

from graticule.synthesis.likeness import class_model, distinguished


def features(n: int, centre: float, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(n, 12)) + centre * np.r_[1.0, -1.0, np.zeros(10)]).astype(
        np.float32
    )


REAL = np.concatenate([features(60, 0, 0), features(40, 6, 1)])
Y = np.repeat([0, 1], [60, 40])


def test_the_class_is_named_of_real_and_of_generated_images() -> None:
    model = class_model(REAL, Y, np.arange(100))
    assert model is not None
    assert (model.named == Y).mean() > 0.9
    assert (model.names(features(30, 6, 2)) == 1).mean() > 0.9
    assert (model.names(features(30, 0, 3)) == 0).mean() > 0.9


def test_real_images_are_named_by_a_model_that_did_not_see_them() -> None:
    # labels without a meaning cannot be named better than by chance
    labels = np.random.default_rng(4).integers(0, 2, 100)
    model = class_model(REAL[:, 2:], labels, np.arange(100))
    assert model is not None
    assert (model.named == labels).mean() < 0.65


def test_no_division_no_model() -> None:
    assert class_model(REAL, Y, np.zeros(100, np.int64)) is None


def test_generated_images_are_told_apart_or_not() -> None:
    made = np.repeat([False, True], [60, 50])
    unit = np.arange(110)
    alike = np.concatenate([features(60, 0, 5), features(50, 0, 6)])
    other = np.concatenate([features(60, 0, 5), features(50, 3, 6)])
    assert 0.3 < distinguished(alike, made, unit) < 0.7
    assert distinguished(other, made, unit) > 0.95


def test_copies_do_not_tell_themselves_apart() -> None:
    # each image stands twice; without units its copy would give its origin away
    once = features(60, 0, 7)
    made = np.tile(np.arange(60) < 30, 2)
    assert distinguished(np.concatenate([once, once]), made, np.tile(np.arange(60), 2)) < 0.75


def test_too_few_of_a_kind() -> None:
    assert np.isnan(distinguished(features(20, 0, 0), np.arange(20) < 4, np.arange(20)))
