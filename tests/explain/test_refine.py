"""Refined maps: the guided filter against its definition, totals, linearity, evidence brought back to its object."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.explain.refine import guided, refined


def fitted_by_hand(values: np.ndarray, guide: np.ndarray, radius: int, ridge: float) -> np.ndarray:
    """The guided filter by its definition: a ridge regression in every window, lines averaged."""
    height, width = guide.shape
    slope, offset = np.zeros_like(guide), np.zeros_like(guide)
    rows = [np.clip(np.arange(i - radius, i + radius + 1), 0, height - 1) for i in range(height)]
    columns = [np.clip(np.arange(j - radius, j + radius + 1), 0, width - 1) for j in range(width)]
    for i in range(height):
        for j in range(width):
            x, y = guide[np.ix_(rows[i], columns[j])].ravel(), values[np.ix_(rows[i], columns[j])].ravel()
            slope[i, j] = ((x - x.mean()) * (y - y.mean())).mean() / (x.var() + ridge)
            offset[i, j] = y.mean() - slope[i, j] * x.mean()
    found = np.zeros_like(guide)
    for i in range(height):
        for j in range(width):
            window = np.ix_(rows[i], columns[j])
            found[i, j] = slope[window].mean() * guide[i, j] + offset[window].mean()
    return found


def test_the_guided_filter_is_a_regression_in_every_window() -> None:
    generator = np.random.default_rng(0)
    values, guide = generator.normal(size=(2, 9, 9)), generator.normal(size=(9, 9))
    found = guided(values, guide, 2, 0.1)
    for one, expected in zip(found, values, strict=True):
        assert np.allclose(one, fitted_by_hand(expected, guide, 2, 0.1), atol=1e-10)


def bar(size: int = 112) -> tuple[np.ndarray, np.ndarray]:
    """A thin bright bar on a grained ground, and its mask."""
    mask = np.zeros((size, size), bool)
    mask[20:90, 50:58] = True
    noise = np.random.default_rng(1).normal(0, 6, (size, size))
    grey = np.clip(np.where(mask, 190, 80) + noise, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2), mask


@pytest.mark.parametrize("dark", [False, True])
def test_evidence_beside_a_thin_object_is_brought_back_to_it(dark: bool) -> None:
    pixels, mask = bar()
    pixels = 255 - pixels if dark else pixels
    coarse = np.zeros((1, 14, 14))
    coarse[0, 3:11, 7] = 1.0  # the cells that the bar lies in the left quarter of
    coarse[0, 3:11, 6] = 0.8
    fine = refined(coarse, pixels, 14)[0]
    inside = mask[::2, ::2]
    assert inside[np.unravel_index(fine.argmax(), fine.shape)]
    assert fine[inside].mean() > 2 * np.percentile(fine[~inside], 95)


@pytest.mark.parametrize("cells", [4, 7, 56, 80])
def test_totals_are_kept_and_the_grid_is_at_least_56(cells: int) -> None:
    maps = np.random.default_rng(2).normal(size=(3, cells, cells))
    fine = refined(maps, bar()[0], min(cells, 7))
    assert fine.shape == (3, max(cells, 56), max(cells, 56))
    assert np.allclose(fine.sum(axis=(1, 2)), maps.sum(axis=(1, 2)))


def test_maps_of_classes_may_be_subtracted_before_or_after() -> None:
    a, b = np.random.default_rng(3).normal(size=(2, 1, 14, 14))
    pixels = bar()[0]
    assert np.allclose(refined(a - b, pixels, 7), refined(a, pixels, 7) - refined(b, pixels, 7))


def test_a_flat_picture_only_smooths() -> None:
    maps = np.zeros((1, 14, 14))
    maps[0, 4, 9] = 1.0
    fine = refined(maps, np.full((112, 112, 3), 90, np.uint8), 7)[0]
    row, column = np.unravel_index(fine.argmax(), fine.shape)
    assert (row + 0.5) / 56 == pytest.approx(4.5 / 14, abs=0.02)
    assert (column + 0.5) / 56 == pytest.approx(9.5 / 14, abs=0.02)
    assert fine.min() >= -1e-12
