"""Accept, review or reject a predicted number: by width, novelty and range, in words."""

from __future__ import annotations

import numpy as np

from graticule.decide.value_decisions import ValueRule, decide_values, without_promise

RULE = ValueRule(max_width=0.4, least=0.0, most=1.0, unit="mm")


def one(value: float, low: float, high: float, novel: bool = False, rule: ValueRule = RULE) -> tuple[str, str]:
    decision, reason = decide_values(np.array([value]), np.array([low]), np.array([high]), np.array([novel]), rule)
    return str(decision[0]), str(reason[0])


def test_each_way_out() -> None:
    assert one(0.5, 0.4, 0.7) == ("accept", "between 0.4 and 0.7 mm")
    assert one(0.5, 0.2, 0.7) == ("review", "interval 0.5 mm wide, accepted up to 0.4")
    assert one(0.5, np.nan, np.nan) == ("review", "no interval can be given")
    assert one(1.05, 0.9, 1.2) == ("review", "extrapolates: trained on 0 to 1 mm")
    assert one(1.2, 1.1, 1.3) == ("reject", "far outside what was trained on 0 to 1 mm")
    assert one(0.5, 0.4, 0.6, novel=True) == ("reject", "unlike any training image")


def test_without_a_width_every_interval_is_taken() -> None:
    assert one(0.5, 0.0, 1.0, rule=ValueRule(None, 0.0, 1.0)) == ("accept", "between 0 and 1")


def test_the_range_itself_is_inside() -> None:
    assert RULE.extrapolates(np.array([0.0, 1.0, -0.01, 1.01])).tolist() == [False, False, True, True]
    assert RULE.far(np.array([-0.1, 1.1, -0.11])).tolist() == [False, False, True]


def test_novel_images_have_no_interval() -> None:
    low, high = without_promise(np.array([0.1, 0.2]), np.array([0.5, 0.6]), np.array([True, False]))
    np.testing.assert_array_equal(low, [np.nan, 0.2])
    np.testing.assert_array_equal(high, [np.nan, 0.6])
