"""Which decisions can be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.decide.options import DecisionOptions

NEVER_ERRS = "no number of images proves that a model never errs"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"target_accuracy": 1.0}, f"1.0: {NEVER_ERRS}; allowed are shares from 0.5 to below 1, and 0.99 is usual"),
        ({"target_accuracy": 0.3}, "0.3: allowed are shares from 0.5 to below 1, and 0.99 is usual"),
        ({"confidence": 1.0}, "--confidence 1.0: allowed are shares from 0.5 to below 1"),
        ({"coverage": 0.4}, "--coverage 0.4: allowed are shares from 0.5 to below 1; 0.95 is usual"),
        ({"novelty_alpha": 0.51}, "--novelty-alpha 0.51: allowed are shares from 0 to 0.5"),
    ],
)
def test_impossible_decisions_are_refused(given: dict[str, Any], told: str) -> None:
    (fault,) = DecisionOptions(**given).faults()
    assert fault.endswith(told)


def test_the_edges_are_possible() -> None:
    DecisionOptions(target_accuracy=0.5, confidence=0.5, coverage=0.5, novelty_alpha=0.5).check()
    DecisionOptions(target_accuracy=0.999, confidence=0.999, coverage=0.999, novelty_alpha=0.0).check()
