"""What the images of a unit share of their errors, and how well a mean of squares is known at least."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.evaluate.values.figures import ScoredValues, score_values
from graticule.evaluate.values.shared_error import error_of_squares, shared_share, shared_sums


def errors_with(share: float, n_groups: int, size: int, seed: int = 0) -> ScoredValues:
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_groups), size)
    error = np.sqrt(share) * rng.normal(size=n_groups)[unit] + np.sqrt(1 - share) * rng.normal(size=len(unit))
    return score_values(np.zeros(len(unit)), error, unit, 0.0)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_the_planted_share(share: float) -> None:
    found = shared_share(shared_sums(errors_with(share, 500, 6)).sum(axis=0)[None])
    assert float(found[0]) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_the_error_of_a_mean_of_squares_is_that_of_normal_errors(share: float) -> None:
    squares = [float((errors_with(share, 30, 6, seed).error ** 2).mean()) for seed in range(1500)]
    expected = np.std(squares) / np.mean(squares)
    found = np.mean([error_of_squares(errors_with(share, 30, 6, seed)) for seed in range(50)])
    assert found == pytest.approx(expected, rel=0.08)


def test_single_images_share_nothing() -> None:
    scored = errors_with(0.0, 40, 1)
    assert np.isnan(shared_share(shared_sums(scored).sum(axis=0)[None])[0])
    assert error_of_squares(scored) == pytest.approx(np.sqrt(2 / 40))
