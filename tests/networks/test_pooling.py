"""Names, lengths and directions of the parts of the feature vector."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.networks.backbones import EMBEDDED
from graticule.networks.pooling import (
    CENTRE,
    COVARIANCE,
    DIRECTIONS,
    PARTS,
    WHOLE,
    directions,
    feature_names,
    part_lengths,
    projection,
)


def test_lengths_names_and_the_spec_agree() -> None:
    for spec in EMBEDDED.values():
        lengths = part_lengths(spec.channels)
        names = feature_names(spec.layers, spec.channels, PARTS)
        assert len(names) == len(set(names)) == sum(lengths.values()) == spec.n_features
        assert spec.width("features") == lengths[WHOLE] == 2 * sum(spec.channels)


def test_names_say_part_stage_and_place() -> None:
    names = feature_names(("a", "b"), (2, 3), (WHOLE, CENTRE, COVARIANCE))
    assert names[:4] == ["a.mean.000", "a.mean.001", "a.deviation.000", "a.deviation.001"]
    assert names[10] == "a.centre.mean.000"
    assert names[20:23] == ["a.covariance.000.000", "a.covariance.000.001", "a.covariance.001.001"]


@pytest.mark.parametrize(("channels", "kept"), [(5, 5), (DIRECTIONS, DIRECTIONS), (320, DIRECTIONS)])
def test_directions_are_orthonormal_and_the_most_read(channels: int, kept: int) -> None:
    rng = np.random.default_rng(0)
    readers = rng.normal(size=(2 * channels, channels)) * np.geomspace(1, 100, channels)
    basis = projection(readers)
    assert basis.shape == (kept, channels) == (directions(channels), channels)
    np.testing.assert_allclose(basis @ basis.T, np.eye(kept), atol=5e-3)
    read = np.linalg.norm(readers @ basis.T, axis=0)
    assert (np.diff(read) <= 1e-2 * read[0]).all()
    # the strongest direction is that of an independent method
    axis = np.linalg.eigh(readers.T @ readers)[1][:, -1]
    assert abs(axis @ basis[0]) > 0.999


def test_directions_do_not_depend_on_signs_or_rounding() -> None:
    readers = np.random.default_rng(1).normal(size=(40, 12))
    again = projection(-readers * (1 + 1e-12))
    np.testing.assert_array_equal(projection(readers), again)
