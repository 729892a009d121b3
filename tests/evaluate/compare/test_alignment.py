"""The same samples and classes are found in several tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.compare.paired import compare_predictions, pair

from graticule.errors import RunError


def test_rows_and_columns_are_aligned() -> None:
    a, b = pair()
    plain = compare_predictions(a, b)
    order = np.random.default_rng(1).permutation(300)
    turned = replace(b, classes=b.classes[::-1], proba=b.proba[:, ::-1]).take(order)
    assert compare_predictions(a, turned) == plain


def test_errors_say_what_differs() -> None:
    a, b = pair(60)
    with pytest.raises(RunError, match="only the first has c, only the second has none"):
        compare_predictions(a, replace(b, classes=b.classes[:2], proba=b.proba[:, :2]))
    other = b.label.copy()
    other[:7] = np.where(other[:7] == "a", "b", "a")
    with pytest.raises(RunError, match="7 of 60 shared samples"):
        compare_predictions(a, replace(b, label=other))
    with pytest.raises(RunError, match="none is in both"):
        compare_predictions(a, replace(b, sample_id=np.array([f"x{i}" for i in range(60)], dtype=object)))
    with pytest.raises(RunError, match="3 samples occur more than once in the second"):
        compare_predictions(a, b.take(np.array([*range(60), 0, 1, 2])))
    with pytest.raises(RunError, match="2 group names were given for 60"):
        compare_predictions(a, b, np.array(["x", "y"], dtype=object))
