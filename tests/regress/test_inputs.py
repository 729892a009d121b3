"""Blocks of features as a regression's input: each weighs alike, and none sees the other's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from tests.regress.planted import LAYOUT, planted

from graticule.heads.scaling import FeatureLayout, Scalings
from graticule.networks.pooling import ORIENTATION
from graticule.regress.inputs import BlockInputs, blocks_of, choices_of

X, _, _ = planted()
ROWS = np.arange(0, 150, 2)


def test_blocks_and_their_parts() -> None:
    network, both = ("network", "network, whole picture"), ("both", "both, whole picture")
    assert choices_of(LAYOUT) == (*network, "orientation", *both)
    assert [choices_of(LAYOUT, asked) for asked in ("network", "orientation", "both")] == [
        *(network, ("orientation",), both)
    ]
    assert choices_of(FeatureLayout(9)) == ("network",)
    assert choices_of(FeatureLayout(9, ((ORIENTATION, 9),))) == ("orientation",)
    # a network of which one part alone is kept has no smaller choice
    assert choices_of(FeatureLayout(9, (("whole", 6), (ORIENTATION, 3)))) == ("network", "orientation", "both")
    every = ("whole", "centre", "covariance")
    assert [blocks_of(LAYOUT, choice) for choice in choices_of(LAYOUT)] == [
        *([every], [("whole",)], [("orientation",)], [every, ("orientation",)], [("whole",), ("orientation",)])
    ]


@pytest.mark.parametrize(("choice", "total", "width"), [("network", 1, 50), ("orientation", 1, 12), ("both", 2, 62)])
def test_each_block_has_a_total_variance_of_one(choice: str, total: int, width: int) -> None:
    given = BlockInputs(X, ROWS, LAYOUT).of(choice)
    x = given.apply(X[ROWS])
    assert x.shape == (75, width)
    assert x.var(axis=0).sum() == pytest.approx(total, rel=1e-3)  # rounded as a bundle keeps it
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)


def test_a_block_sees_its_own_numbers_alone() -> None:
    changed = X.copy()
    changed[:, 50:] = 7
    inputs = BlockInputs(X, ROWS, LAYOUT)
    np.testing.assert_array_equal(inputs.of("network").apply(changed), inputs.of("network").apply(X))
    assert not np.allclose(inputs.of("both").apply(changed), inputs.of("both").apply(X))


def test_a_single_block_is_scaled_as_for_a_classifier() -> None:
    own = Scalings.whole(X[:, :40])
    expected = own.of(()).apply(X[:, :40], np.arange(150)).astype(np.float64)
    found = BlockInputs(X[:, :40], np.arange(150), FeatureLayout(40)).of("network").apply(X[:, :40])
    np.testing.assert_allclose(found, expected / np.sqrt(expected.var(axis=0).sum()), atol=5e-4)


def test_no_row_depends_on_the_others() -> None:
    given = BlockInputs(X, ROWS, LAYOUT).of("both")
    np.testing.assert_array_equal(given.apply(X)[33:34], given.apply(X[33:34]))
