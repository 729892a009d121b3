"""An acceptance rule as a bundle stores it comes back to the last bit, or is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graticule.decide.rule import Rule
from graticule.errors import BundleError

RULE = Rule(np.array([1 / 3, np.inf]), "estimated", 0.99, 0.95, True, 120, 100, 2, "words", (0.01, 0.1), 7)


def test_a_rule_comes_back_as_it_was() -> None:
    again = Rule.from_json(RULE.to_json(), 2)
    np.testing.assert_array_equal(again.threshold, RULE.threshold)
    assert vars(again) | {"threshold": 0} == vars(RULE) | {"threshold": 0}
    proba = np.array([[0.4, 0.3], [0.3, 0.2], [0.0, 1.0]])
    np.testing.assert_array_equal(again.accepts(proba), [True, False, False])


@pytest.mark.parametrize(
    "change",
    [{"threshold": [0.5]}, {"status": "sure"}, {"errors": 101}, {"n": 1.5}, {"limits": [0.1]}, {"target": 0.1}],
)
def test_what_is_no_rule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match=next(iter(change))):
        Rule.from_json(RULE.to_json() | change, 2)
