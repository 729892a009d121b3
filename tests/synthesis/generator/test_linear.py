"""The generator of components learns what a class looks like, repeats what it saw when let, and is deterministic."""

import numpy as np
import pytest
from tests.synthesis.drawn import SIDE, blobs

from graticule.synthesis.copies import FromGenerator, copied_as_a_set, copied_one_by_one
from graticule.synthesis.distance import comparable
from graticule.synthesis.generator.linear import Canvases, LinearGenerator

BRIGHT, DARK = blobs(60, 0), 1 - blobs(20, 1)
REAL = Canvases(np.concatenate([BRIGHT, DARK]), np.repeat([0, 1], [60, 20]))


def learnt(
    steps: int, real: Canvases = REAL, n_classes: int = 2, *, turned: bool = True, seed: int = 0
) -> LinearGenerator:
    generator = LinearGenerator(real, n_classes, turned=turned, seed=0)
    generator.learn(steps)
    return generator


@pytest.fixture(scope="module")
def generator() -> LinearGenerator:
    return learnt(400)


def test_each_class_looks_like_itself(generator: LinearGenerator) -> None:
    drawn = generator.draw(np.repeat([0, 1], 40), np.random.default_rng(0))
    assert drawn.shape == (80, SIDE, SIDE)
    assert 0 <= drawn.min() < drawn.max() <= 1
    for k, own in ((0, BRIGHT), (1, DARK)):
        made = drawn[k * 40 : k * 40 + 40]
        # brightness in the middle and at the border, and how far pictures differ
        np.testing.assert_allclose(made.mean(0), own.mean(0), atol=0.12)
        assert 0.4 < made.std(0).mean() / own.std(0).mean() < 1.3


def test_the_same_seed_draws_the_same(generator: LinearGenerator) -> None:
    y = np.array([0, 1, 1])
    again = learnt(400)
    np.testing.assert_array_equal(generator.draw(y, np.random.default_rng(5)), again.draw(y, np.random.default_rng(5)))
    assert not np.array_equal(generator.draw(y, np.random.default_rng(6)), again.draw(y, np.random.default_rng(5)))


def test_an_earlier_state_draws_as_it_did(generator: LinearGenerator) -> None:
    own = learnt(50)
    y = np.array([0, 1])
    state, before = own.state(), own.draw(y, np.random.default_rng(0))
    own.learn(30)
    assert not np.array_equal(own.draw(y, np.random.default_rng(0)), before)
    own.restore(state)
    assert own.steps == 50
    np.testing.assert_array_equal(own.draw(y, np.random.default_rng(0)), before)


def test_left_alone_with_few_images_it_repeats_them() -> None:
    real = Canvases(BRIGHT[:12], np.zeros(12, np.int64))
    every, unit = blobs(60, 0), np.arange(60)
    judged = []
    for steps in (60, 1200):
        made = learnt(steps, real, 1, turned=False).draw(np.zeros(60, np.int64), np.random.default_rng(1))
        one = FromGenerator(comparable(made), comparable(every), unit < 12, unit, np.zeros_like(unit))
        judged.append((copied_as_a_set([one]), copied_one_by_one([one])))
    early, late = judged
    assert late[0].p < 0.02
    assert late[1].share > 0.6
    assert early[1].share < 0.6 * late[1].share


def test_colour_goes_through() -> None:
    red = np.stack([BRIGHT[:20], 0.5 * BRIGHT[:20], 0.2 * BRIGHT[:20]], axis=3)
    drawn = learnt(150, Canvases(red, np.zeros(20, np.int64)), 1).draw(np.zeros(8, np.int64), np.random.default_rng(0))
    assert drawn.shape == (8, SIDE, SIDE, 3)
    means = drawn.mean((0, 1, 2))
    assert means[0] > 1.5 * means[1] > 2 * means[2]


def test_directions_are_kept_where_turning_is_not_allowed() -> None:
    ramp = np.linspace(0, 1, SIDE)[None, :, None] * np.ones((30, 1, SIDE))
    sloped = Canvases((0.3 * BRIGHT[:30] + 0.6 * ramp).astype(np.float32), np.zeros(30, np.int64))
    y = np.zeros(30, np.int64)
    kept = learnt(200, sloped, 1, turned=False).draw(y, np.random.default_rng(0))
    turned = learnt(200, sloped, 1).draw(y, np.random.default_rng(0))
    slope = [np.mean(made[:, -6:].mean((1, 2)) - made[:, :6].mean((1, 2))) for made in (kept, turned)]
    assert slope[0] > 0.3
    assert abs(slope[1]) < 0.25


def test_all_that_drawing_needs_is_in_the_tensors(generator: LinearGenerator) -> None:
    tensors = generator.tensors()
    assert {"mean", "components", "scale", "spread", "layer0.weight", "layer3.bias"} <= set(tensors)
    assert all(np.isfinite(value).all() for value in tensors.values())
