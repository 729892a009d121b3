"""Which divisions can be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.split.options import SplitOptions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"folds": 0}, "--folds 0: allowed are whole numbers from 1"),
        ({"test_size": 0.9}, "--test-size 0.9: allowed are shares from 0 to below 0.9"),
        ({"calibration": -0.1}, "--calibration -0.1: allowed are shares from 0 to below 0.9"),
        ({"near_duplicates": "no"}, "--near-duplicates no: allowed are auto, join, exact"),
        ({"seed": -1}, f"--seed -1: allowed are whole numbers from 0 to {2**63 - 1}"),
    ],
)
def test_faults(given: dict[str, Any], told: str) -> None:
    assert SplitOptions(**given).faults() == [told]


def test_edges() -> None:
    assert SplitOptions(folds=1, test_size=0.0, calibration=0.89).faults() == []
