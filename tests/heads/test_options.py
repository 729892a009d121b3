"""The options of classifiers on frozen features."""

from __future__ import annotations

import pytest

from graticule.heads.options import HEADS, HeadOptions


@pytest.mark.parametrize("head", HEADS)
def test_the_heads_that_there_are_are_allowed(head: str) -> None:
    assert HeadOptions(head=head).faults() == []


def test_another_head_is_refused_by_the_name_of_its_option() -> None:
    (fault,) = HeadOptions(head="forest").faults()
    assert "--head forest" in fault
    assert "auto, logistic, svm" in fault
