"""Bootstrap weights: whole units, strata that keep their size, the variance of a mean."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.statistics import resampling
from graticule.statistics.resampling import draw_weights


def test_strata_keep_their_size_and_units_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    strata = np.array([0] * 7 + [1] * 12 + [2])
    monkeypatch.setattr(resampling, "CHUNK_BYTES", 8 * 20 * 6)
    weights = np.concatenate(list(draw_weights(np.arange(20), strata, 50, np.random.default_rng(0))))
    assert weights.shape == (50, 20)
    np.testing.assert_allclose(weights[:, :7].sum(axis=1), 7.0)
    np.testing.assert_allclose(weights[:, 7:19].sum(axis=1), 12.0)
    np.testing.assert_array_equal(weights[:, 19], 1.0)
    units = np.arange(20) % 5
    grouped = np.concatenate(list(draw_weights(units, np.zeros(5, int), 30, np.random.default_rng(0))))
    np.testing.assert_array_equal(grouped[:, :5], grouped[:, 5:10])


def test_rescaled_bootstrap_has_the_unbiased_variance_of_a_mean() -> None:
    values = np.array([0.0, 1.0, 4.0, 2.0, 7.0])
    weights = np.concatenate(list(draw_weights(np.arange(5), np.zeros(5, int), 40_000, np.random.default_rng(0))))
    means = weights @ values / 5
    assert means.mean() == pytest.approx(values.mean(), rel=0.01)
    assert means.var() == pytest.approx(values.var(ddof=1) / 5, rel=0.03)
