"""Figures of two sets of features, against plain loops and known cases."""

import numpy as np
import pytest

from graticule.synthesis import quality
from graticule.synthesis.quality import (
    NEIGHBOURS,
    frechet_distance,
    halves,
    kernel_distance,
    neighbourhoods,
    quality_of,
    real_against_real,
    standardised,
)


def normal(n: int, seed: int, shift: float = 0.0, spread: float = 1.0, d: int = 6) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(n, d)) * spread + shift).astype(np.float32)


def test_kernel_distance_against_a_plain_loop() -> None:
    a, b = normal(7, 0), normal(5, 1, 0.5)

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x.astype(float) @ y.astype(float) / 6 + 1) ** 3)

    within = [np.mean([k(s[i], s[j]) for i in range(len(s)) for j in range(len(s)) if i != j]) for s in (a, b)]
    across = np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(sum(within) - 2 * across, rel=1e-9)


def test_kernel_distance_is_unbiased_at_few_images() -> None:
    alike = [kernel_distance(normal(12, s), normal(12, 1000 + s)) for s in range(300)]
    assert abs(np.mean(alike)) < 3 * np.std(alike) / np.sqrt(300)
    assert kernel_distance(normal(12, 0), normal(12, 1, 1.0)) > 10 * np.std(alike)


def test_neighbourhoods_against_a_plain_loop() -> None:
    a, b = normal(30, 2), normal(25, 3, 0.4)
    between = lambda x, y: np.linalg.norm(x[:, None] - y, axis=2)  # noqa: E731
    radius = lambda x: np.sort(between(x, x), 1)[:, NEIGHBOURS]  # noqa: E731
    inside = between(a, b) < radius(a)[:, None]
    expected = (
        np.mean([inside[:, j].any() for j in range(25)]),
        np.mean([(between(a, b)[i] < radius(b)).any() for i in range(30)]),
        np.mean([inside[:, j].sum() / NEIGHBOURS for j in range(25)]),
        np.mean([between(a, b)[i].min() < radius(a)[i] for i in range(30)]),
    )
    assert neighbourhoods(between(a, a), between(b, b), between(a, b)) == pytest.approx(expected)


def test_what_is_narrow_is_precise_and_covers_little() -> None:
    real, narrow, wide = normal(200, 0), normal(200, 1, spread=0.3), normal(200, 2, spread=3)
    same, inner, outer = (quality_of(real, made) for made in (normal(200, 3), narrow, wide))
    assert inner.precision > 0.95
    assert inner.recall < 0.3 < 0.7 < same.recall
    assert inner.coverage < 0.6 * same.coverage
    assert outer.precision < 0.5 * same.precision


def test_frechet_distance_of_known_gaussians() -> None:
    real, made = normal(60_000, 0, d=3), normal(60_000, 1, 2.0, 2.0, d=3)
    # distance of means squared 3 * 4, of covariances 3 * (2 - 1) ** 2
    assert frechet_distance(real, made) == pytest.approx(15, rel=0.02)


def test_frechet_is_told_above_ten_thousand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "LEAST_FOR_FID", 50)
    assert np.isnan(quality_of(normal(49, 0), normal(60, 1)).fid)
    assert quality_of(normal(50, 0), normal(50, 1, 3.0)).fid > 10


def test_halves_keep_copies_together() -> None:
    unit = np.repeat(np.arange(10), 3)
    one, other = halves(unit, np.random.default_rng(0))
    assert sorted([*one, *other]) == list(range(30))
    assert not set(unit[one]) & set(unit[other])
    assert len(one) == 15


def test_real_against_real_is_the_same_each_time_and_near_perfect() -> None:
    real, unit = normal(120, 0), np.arange(120)
    found = real_against_real(real, unit, 40, seed=1)
    assert found == real_against_real(real, unit, 40, seed=1)
    assert abs(found.kid) < 0.5
    assert found.precision > 0.8


def test_too_few_images_have_no_figures() -> None:
    assert np.isnan(quality_of(normal(5, 0), normal(5, 1)).coverage)
    assert np.isfinite(quality_of(normal(5, 0), normal(5, 1)).kid)
    assert np.isnan(quality_of(normal(5, 0), normal(1, 1)).kid)


def test_standardising_by_real_images_alone() -> None:
    features = np.concatenate([normal(50, 0, 3.0, 2.0), normal(50, 1, 30.0)])
    features[:, 2] = 7
    found = standardised(features, np.arange(100) < 50)
    np.testing.assert_allclose(found[:50].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(np.delete(found[:50], 2, 1).std(0), 1, atol=1e-5)
    assert (found[:, 2] == 0).all()
