"""Images of which a class is asked: gains, filters, and what a person may say."""

from __future__ import annotations

import numpy as np
import pytest
from tests.review.made_up import CLASSES, items_of

from graticule.errors import LabelStoreError, OptionError
from graticule.record.events import DOUBTFUL, NOVEL
from graticule.review.class_items import margin_gain


def test_margin_is_largest_between_two_equal_classes() -> None:
    gain = margin_gain(np.array([[0.5, 0.5, 0.0], [0.9, 0.05, 0.05], [0.4, 0.3, 0.3]]))
    assert gain == pytest.approx([1.0, 0.15, 0.9])
    assert margin_gain(np.ones((2, 1))).tolist() == [0.0, 0.0]


def test_what_may_be_said_is_a_class() -> None:
    items = items_of(6)
    assert [items.said(name) for name in CLASSES] == list(CLASSES)
    assert [items.settled(name) for name in ("a", DOUBTFUL, NOVEL)] == ["a", DOUBTFUL, NOVEL]
    for value in ("x", DOUBTFUL):
        with pytest.raises(LabelStoreError, match="is not known; allowed are a, b, c"):
            items.said(value)
    assert items.contradicts(0, items.suggested[0]) is False
    assert items.contradicts(0, NOVEL) is True
    assert (items.quantity, items.asked()) == (None, {"classes": ["a", "b", "c"], "number": None})


def test_filters_are_by_class_and_score() -> None:
    items = items_of(40)
    passing = items.passing("b", 0.5, None)
    assert passing.tolist() == ((items.suggested == "b") & (items.score >= 0.5)).tolist()
    assert items.passing("", None, None).all()
    for label, low, high in (("x", None, None), ("", 0.9, 0.1), ("", None, 2.0), ("", float("nan"), None)):
        with pytest.raises(OptionError):
            items.passing(label, low, high)
