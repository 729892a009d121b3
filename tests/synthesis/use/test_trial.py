"""The use test is no constant: images that help are accepted, useless and harmful ones are not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_score

from graticule.synthesis.use.arms import UseData
from graticule.synthesis.use.fits import PIXELS
from graticule.synthesis.use.trial import rare_average_precision, try_use, weighted_precision

COMMON, RARE, D = 300, 60, 60


def rows(n: int, kind: int, rng: np.random.Generator) -> np.ndarray:
    """Two kinds that differ along many directions at once, so that few images do not tell how."""
    return (rng.normal(size=(n, D)) + kind * 0.3).astype(np.float32)


def data(made_like: str, seed: int = 0) -> UseData:
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [COMMON, RARE])
    real = np.concatenate([rows(COMMON, 0, rng), rows(RARE, 1, rng)])
    kinds = {"right": (0, 1), "noise": (0, 0), "swapped": (1, 0)}[made_like]
    made = [(np.concatenate([rows(300, kind, rng) for kind in kinds]), np.repeat([0, 1], 300)) for _ in range(3)]
    return UseData(real[None], y, np.arange(len(y)) % 3, np.arange(len(y)), made, (1,))


def test_images_that_help_are_accepted() -> None:
    found = try_use(data("right", 1), PIXELS, turned=False)
    assert found.accepted
    assert found.average_precision.low > 0
    assert found.average_precision.value == pytest.approx(
        found.average_precision.with_generated - found.average_precision.without
    )
    assert "a gain was shown" in found.words
    assert all(arm.generated for arm in found.best_with)
    assert not any(arm.generated for arm in found.best_without)


@pytest.mark.parametrize("made_like", ["noise", "swapped"])
def test_images_that_do_not_help_are_not(made_like: str) -> None:
    found = try_use(data(made_like), PIXELS, turned=False)
    assert not found.accepted
    assert "no gain was shown" in found.words


def test_the_outcome_is_plain_and_the_same_each_time() -> None:
    one, other = (try_use(data("noise", 1), PIXELS, turned=False).describe() for _ in range(2))
    assert one == other
    assert json.loads(json.dumps(one, allow_nan=False)) == one


def test_figures_against_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 80)
    scores = rng.normal(size=(80, 3)) + np.eye(3)[y]
    own = UseData(np.zeros((1, 80, 2), np.float32), y, np.arange(80) % 2, np.arange(80), [], (1, 2))
    expected = np.mean([average_precision_score(y == k, scores[:, k]) for k in (1, 2)])
    assert rare_average_precision(scores, own)[0] == pytest.approx(expected)
    weights = rng.integers(0, 3, (2, 80)).astype(float)
    for row, value in zip(weights, weighted_precision(scores, y, weights), strict=True):
        named = precision_score(y, scores.argmax(1), average="macro", sample_weight=row, zero_division=0)
        assert value == pytest.approx(named)
