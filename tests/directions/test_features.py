"""Orientation statistics as features: finite, named, blind to turning and to contrast, and telling of the share."""

import hashlib

import numpy as np
import pytest
from tests.directions.scenes import wires

from graticule.directions.features import (
    FEATURES_VERSION,
    feature_names,
    features_key,
    features_of_parts,
    orientation_features,
)

# every 25th feature of a scene, of version 1
KNOWN = [0.697, 0.079, 0.399, 0.756, 0.572, 0.285, 0.752, 0.447, 0.428, 0.001, 0.352, 0.471, 0.366]


def test_each_feature_has_a_name_of_its_own() -> None:
    names = feature_names()
    assert len(set(names)) == len(names)
    found = orientation_features(wires(30, share=0.5))
    assert found.shape == (len(names),)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()


@pytest.mark.parametrize("shape", [(1, 1), (5, 200), (20, 20), (64, 64)])
def test_small_and_empty_pictures_give_finite_features(shape: tuple[int, int]) -> None:
    assert np.isfinite(orientation_features(np.random.default_rng(0).normal(size=shape))).all()
    flat = orientation_features(np.full(shape, 128.0))
    assert np.isfinite(flat).all()
    assert (flat[[k for k, name in enumerate(feature_names()) if "equal_share" in name]] == 0).all()


def test_turning_the_scene_and_stretching_the_contrast_change_little() -> None:
    """Against what another scene of the same kind changes."""
    first = orientation_features(wires(0, share=0.6, noise=3))
    other = np.abs(orientation_features(wires(0, share=0.6, noise=3, seed=1)) - first).mean()
    quarter = orientation_features(np.rot90(wires(0, share=0.6, noise=3)).copy())
    assert np.abs(quarter - first).mean() < 0.05 * other
    turned = orientation_features(wires(0, share=0.6, noise=3) * 0.3 + 20)
    assert turned == pytest.approx(first, abs=2e-3)


def test_the_share_of_aligned_wires_is_in_the_features() -> None:
    at = feature_names().index("s1.5_equal_share")
    shares = [0.1, 0.4, 0.7, 1.0]
    found = [orientation_features(wires(70, share=share, n=120))[at] for share in shares]
    assert found == sorted(found)
    assert np.abs(np.array(found) - shares).max() < 0.2


def test_features_that_change_have_another_version() -> None:
    """A cache of before must not be read: whoever changes what is measured raises the version, and writes it here."""
    # rounded, so that a processor's last digits do not count
    some = orientation_features(wires(30, share=0.5))[:: len(feature_names()) // 12].round(3)
    assert FEATURES_VERSION == 1
    assert some == pytest.approx(KNOWN, abs=2e-3)
    names = hashlib.sha256("\n".join(feature_names()).encode()).hexdigest()
    assert features_key() == f"orientation statistics 1 {names[:16]}"


def test_a_part_of_a_picture_is_told_by_what_it_shows() -> None:
    """Of a picture whose left half is aligned and whose right half is not, each half by itself."""
    scene = np.hstack([wires(30, share=1.0, side=128, n=60), wires(30, share=0.0, side=128, n=60, seed=1)])
    left = np.zeros((4, 4), bool)
    left[:, :2] = True
    whole, aligned, other, nothing = features_of_parts(scene, [None, left, ~left, np.zeros((4, 4), bool)])
    assert (whole == orientation_features(scene)).all()
    at = feature_names().index("s1.5_equal_share")
    assert aligned[at] > 0.8 > 0.7 > whole[at] > 0.3 > other[at]
    lgo = feature_names().index("lgo_amount")
    assert aligned[lgo] > whole[lgo] > other[lgo]
    assert not nothing.any()
    np.testing.assert_array_equal(features_of_parts(scene, [np.ones((4, 4), bool)])[0], whole)


def test_the_parts_of_a_picture_that_is_not_square_lie_where_they_are_said_to_lie() -> None:
    scene = np.vstack([wires(0, side=96, n=40), np.full((160, 96), 40, np.float32)])
    upper = np.zeros((8, 2), bool)
    upper[:3] = True
    shown, empty = features_of_parts(scene, [upper, ~upper])
    at = feature_names().index("s1.5_used")
    assert shown[at] > 10 * empty[at]
