"""The space of novelty: whitened within classes, and unusable where a direction is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from graticule.decide.novelty_space import components_of, fit_space, spans


def planted() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(900) % 3
    root = rng.normal(size=(900, 8)) * np.linspace(0.5, 2.0, 8) + 4 * np.eye(3, 8)[y]
    return (np.sign(root) * root**2).astype(np.float32), y


def test_the_spread_within_classes_becomes_about_one_in_every_direction() -> None:
    features, y = planted()
    space = fit_space(features, y)
    white = components_of(space, features)[0] @ space.within
    within = white - space.means[y]
    covariance = np.cov(within.T)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-3)
    # below 1 by the shrinkage, the most where the spread is small
    assert (np.diag(covariance) > 0.8).all()
    assert (np.diag(covariance) < 1.05).all()
    np.testing.assert_allclose(white[y == 1].mean(axis=0), space.means[1], atol=1e-3)


def test_all_components_leave_nothing_over() -> None:
    features, y = planted()
    components, rest = components_of(fit_space(features, y), features)
    assert components.shape == (900, 8)
    assert float(np.abs(rest).max()) < 1e-3


def test_a_space_that_measures_nothing_is_told() -> None:
    space = fit_space(*planted())
    assert spans(space)
    assert not spans(replace(space, scale=np.zeros_like(space.scale)))
    assert not spans(replace(space, basis=np.ones_like(space.basis)))
    assert not spans(replace(space, within=np.zeros_like(space.within)))
