"""Calibration maps at work: they keep rows that sum to one, and the identity is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.heads.calibration import Calibration

PROBA = np.random.default_rng(0).dirichlet([1, 1, 1], 20)


def test_no_calibration_leaves_scores_as_they_are() -> None:
    assert Calibration.from_json({"method": "none"}, 3)(PROBA) == pytest.approx(PROBA)


def test_a_map_survives_json_and_an_unknown_one_is_refused() -> None:
    plain = Calibration.from_json({"method": "none"}, 3)
    assert Calibration.from_json(plain.to_json(), 3).to_json() == plain.to_json()
    from graticule.errors import BundleError

    with pytest.raises(BundleError):
        Calibration.from_json({"method": "magic"}, 3)
