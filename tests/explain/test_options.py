"""Which explanations can be asked for."""

from __future__ import annotations

from graticule.explain.options import METHODS, ExplainOptions
from graticule.options import stated


def test_limits_of_explanations() -> None:
    assert ExplainOptions(limit=-1, top=0).faults() == [
        "--limit -1: allowed are whole numbers from 0 (all)",
        "--top 0: allowed are whole numbers from 1",
    ]
    assert ExplainOptions(limit=0, top=1).faults() == []


def test_the_method_may_be_left_to_the_network() -> None:
    (method,) = [item for item in ExplainOptions.listed() if item.name == "method"]
    assert stated(method).metavar == "|".join([method.default, *METHODS])
