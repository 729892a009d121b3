"""Targets on the scale that is learnt, and back."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.jobs.train.options import TrainOptions
from graticule.regress.target import Target, target_of

VALUES, SIZES = np.array([0.2, 1.0, 30.0]), np.array([2.0, 0.5, 10.0])


@pytest.mark.parametrize(
    "target",
    [Target("x"), Target("x", scale="log"), Target("x", per_pixel_size=True), Target("x", least=0.0, most=50.0)],
)
def test_what_is_learnt_comes_back(target: Target) -> None:
    np.testing.assert_allclose(target.restored(target.learnt(VALUES, SIZES), SIZES), VALUES, rtol=1e-12)


def test_a_length_is_learnt_in_pixels() -> None:
    target = Target("length", "nm", per_pixel_size=True)
    np.testing.assert_allclose(np.exp(target.learnt(VALUES, SIZES)), VALUES / SIZES)
    assert np.isnan(target.restored(np.zeros(2), np.array([1.0, np.nan]))).tolist() == [False, True]
    assert target.read_as.positive
    assert target.limits == (None, None)


def test_numbers_stay_within_their_bounds() -> None:
    target = Target("x", least=0.0, most=1.0)
    assert target.restored(np.array([-0.2, 0.5, 1.2]), None).tolist() == [0.0, 0.5, 1.0]
    assert target.limits == (0.0, 1.0)
    assert Target("x", scale="log", least=0.0, most=1.0).limits == (None, 0.0)


def test_options_make_a_target() -> None:
    options = TrainOptions(target="x", target_unit="um", target_min=1.0, target_scale="log")
    assert target_of(options) == Target("x", "um", "log", 1.0)
    assert target_of(options).to_json()["bounds"] == [1.0, None]
    with pytest.raises(ValueError, match="no target"):
        target_of(TrainOptions())
