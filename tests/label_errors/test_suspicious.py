"""Suspicious values: planted ones are found, right ones hardly accused, hard images forgiven."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.label_errors.suspicious import suspect_targets


def run_of(n: int = 400, wrong: int = 0, seed: int = 0, hard: bool = False) -> tuple[np.ndarray, ...]:
    """True values, predictions, limits, and which values were made wrong."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(0, 1, n)
    scale = np.where(rng.uniform(size=n) < 0.3, 3.0, 1.0) if hard else np.ones(n)
    p = y + 0.03 * scale * rng.normal(size=n)
    half = 0.05 * scale
    bad = rng.choice(n, wrong, replace=False)
    y = y.copy()
    y[bad] = (y[bad] + 0.5) % 1.0
    return y, p, p - half, p + half, np.isin(np.arange(n), bad)


def test_planted_wrong_values_are_found_first() -> None:
    y, p, low, high, bad = run_of(wrong=12)
    found = suspect_targets(y, p, low, high)
    assert set(found.order[:12].tolist()) == set(np.flatnonzero(bad).tolist())
    assert found.listed[bad].all()
    assert found.listed.sum() <= 14
    assert found.score.max() > 0.99
    assert (np.diff(found.score[found.order]) <= 1e-12).all()


@pytest.mark.parametrize("seed", range(8))
def test_right_values_are_hardly_accused(seed: int) -> None:
    assert suspect_targets(*run_of(seed=seed)[:4]).listed.sum() <= 2


def test_hard_images_are_forgiven_what_easy_ones_are_not() -> None:
    y, p, low, high, _ = run_of(hard=True)
    assert suspect_targets(y, p, low, high).listed.sum() <= 3
    nothing = np.full(len(y), np.nan)
    assert suspect_targets(y, p, nothing, nothing).listed.sum() > 10


def test_a_model_without_errors_accuses_nobody() -> None:
    y = np.linspace(0, 1, 50)
    found = suspect_targets(y, y, y - 0.1, y + 0.1)
    assert not found.listed.any()
    assert found.expected == 0.0


def test_the_sign_tells_the_side() -> None:
    y, p, low, high, bad = run_of(wrong=12)
    off = suspect_targets(y, p, low, high).off
    assert (np.sign(off[bad]) == np.sign(p[bad] - y[bad])).all()
