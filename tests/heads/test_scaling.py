"""Parts, standardising and main axes, against scikit-learn where it has the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from graticule.heads import scaling
from graticule.heads.scaling import MOST_AXES, FeatureLayout, Scalings

PARTS = (("whole", 4), ("centre", 4), ("covariance", 6))
FEATURES = np.random.default_rng(0).normal(size=(50, 15)).astype(np.float32) * 3 + 1


def root(x: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(np.sign(x) * np.sqrt(np.abs(x)), np.float64)


def test_parts_are_taken_rooted_and_standardised() -> None:
    layout = FeatureLayout(15, PARTS)
    assert layout.rooted == 8
    rows = np.arange(40)
    # the number behind the parts, such as a size, belongs to every choice
    for parts, entering in {
        ("centre", "covariance"): np.column_stack([root(FEATURES[:, 4:8]), FEATURES[:, 8:]]),
        ("whole",): np.column_stack([root(FEATURES[:, :4]), FEATURES[:, 14:]]),
        ("whole", "centre", "covariance"): np.column_stack([root(FEATURES[:, :8]), FEATURES[:, 8:]]),
    }.items():
        found = Scalings(FEATURES, rows, layout).of(parts).apply(FEATURES, np.arange(50))
        expected = StandardScaler().fit(entering[rows]).transform(entering)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_folded_weights_give_the_same_scores() -> None:
    fitted = Scalings(FEATURES, np.arange(50), FeatureLayout(15, PARTS)).of(("centre", "covariance"))
    weights = np.random.default_rng(1).normal(size=(3, 11))
    entering = np.column_stack([root(FEATURES[:, :8]), FEATURES[:, 8:]])
    folded = fitted.folded(weights)
    assert not folded[:, :4].any()
    found = (entering - fitted.full_centre()) @ folded.T
    np.testing.assert_allclose(found, fitted.apply(FEATURES, np.arange(50)) @ weights.T, atol=1e-5)


def test_many_numbers_are_laid_along_principal_axes() -> None:
    rng = np.random.default_rng(2)
    x = np.abs(rng.normal(size=(90, 3)) @ rng.normal(size=(3, 1500)) + 0.1 * rng.normal(size=(90, 1500)) + 9)
    x = x.astype(np.float32)
    fitted = Scalings.whole(x).of(())
    assert fitted.axes is not None
    assert fitted.axes.shape == (1500, 89)
    # single precision: the strongest axis is 10,000 times as strong as the weakest
    np.testing.assert_allclose(fitted.axes.T @ fitted.axes, np.eye(89), atol=5e-3)
    expected = PCA(89).fit_transform(StandardScaler().fit_transform(root(x)))
    found = fitted.apply(x, np.arange(90))
    np.testing.assert_allclose(np.abs(found[:, :3]), np.abs(expected[:, :3]), rtol=1e-3, atol=1e-2)
    # axes that are almost equally strong may be turned among each other, which changes no distance between images
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, rtol=1e-3, atol=1.0)
    weights = rng.normal(size=(2, 89))
    np.testing.assert_allclose(
        (root(x) - fitted.full_centre()) @ fitted.folded(weights).T, found @ weights.T, rtol=1e-3, atol=1e-2
    )


def test_axes_are_bounded_and_found_on_a_part_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "AXES_ROWS", 40)
    x = np.random.default_rng(3).normal(size=(120, 1100)).astype(np.float32)
    fitted = Scalings.whole(x).of(())
    assert fitted.axes is not None
    assert fitted.axes.shape[1] == 39 <= MOST_AXES
    monkeypatch.setattr(scaling, "MOST_AXES", 7)
    again = Scalings.whole(x).of(()).axes
    assert again is not None
    np.testing.assert_allclose(np.abs(again), np.abs(fitted.axes[:, :7]), atol=1e-4)


def test_only_the_rows_are_looked_at() -> None:
    spoiled = FEATURES.copy()
    spoiled[30:] = np.nan
    one, other = (Scalings(x, np.arange(30), FeatureLayout(15, PARTS)).of(("whole",)) for x in (FEATURES, spoiled))
    np.testing.assert_array_equal(one.centre, other.centre)
    np.testing.assert_array_equal(one.scale, other.scale)


def test_a_number_that_never_varies_is_left_at_its_scale() -> None:
    x = np.column_stack([FEATURES[:, :2], np.full(50, 7.3), np.zeros(50)]).astype(np.float32)
    fitted = Scalings.whole(x).of(())
    np.testing.assert_array_equal(fitted.scale[2:], 1.0)
    np.testing.assert_allclose(fitted.apply(x, np.arange(50))[:, 2:], 0.0, atol=1e-5)


def test_parts_looked_at_before_do_not_change_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of each part is shared by the sets it belongs to."""
    monkeypatch.setattr(scaling, "_MANY", 4)
    layout, rows = FeatureLayout(15, PARTS), np.arange(50)
    shared = Scalings(FEATURES, rows, layout)
    for parts in layout.choices:
        alone, found = Scalings(FEATURES, rows, layout).of(parts), shared.of(parts)
        assert alone.axes is not None
        assert found.axes is not None
        np.testing.assert_array_equal(found.axes, alone.axes)
        np.testing.assert_array_equal(found.centre, alone.centre)
        np.testing.assert_array_equal(found.scale, alone.scale)
