"""What is done with each image, and why; the errors that are to be expected among the accepted."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.decide.decisions import decide, expected_errors
from graticule.decide.rule import Rule

CLASSES = ("a", "b", "c", "d")


def rule(accepted: int = 100, errors: int = 2) -> Rule:
    return Rule(np.array([0.9, 0.9, np.inf, 0.9]), "guaranteed", 0.99, 0.95, False, 120, accepted, errors, "")


def test_each_image_has_its_reason() -> None:
    proba = np.array(
        [
            [0.95, 0.05, 0.0, 0.0],
            [0.95, 0.05, 0.0, 0.0],
            [0.5, 0.4, 0.1, 0.0],
            [0.4, 0.3, 0.2, 0.1],
            [0.0, 0.85, 0.15, 0.0],
            [0.01, 0.0, 0.99, 0.0],
        ]
    )
    novel = np.array([False, True, False, False, False, False])
    decision, reason = decide(proba, None, novel, rule(), CLASSES)
    assert decision.tolist() == ["accept", "reject", "review", "review", "review", "review"]
    assert reason.tolist() == [
        "sure of a",
        "unlike any training image",
        "between a, b and c",
        "between a, b and 2 others",
        "probably b: score 0.850, accepted above 0.900",
        "probably c, but no answer of this kind can be accepted unseen",
    ]


def test_errors_to_expect_are_a_share_of_those_accepted() -> None:
    found = expected_errors(rule(), np.full(50, 0.96))
    assert found is not None
    assert found["value"] == pytest.approx(1.0)
    assert found["by_scores"] == pytest.approx(2.0)
    assert expected_errors(rule(0, 0), np.zeros(0)) is None
