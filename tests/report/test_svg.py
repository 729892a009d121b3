"""The pieces of a drawing: ticks are round and cover the range, names are cut in the middle and do nothing."""

from __future__ import annotations

import numpy as np
import pytest

from graticule.report.svg import dot, nice_ticks, short, svg


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.62, 0.71), (3.0, 3.0), (0.0, 1234.0)])
def test_ticks_are_round_and_cover_the_range(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= low
    assert ticks[-1] >= high - 1e-9
    steps = np.diff(ticks)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    digit = steps[0] / 10 ** np.floor(np.log10(steps[0]) + 1e-9)
    assert min(abs(digit - allowed) for allowed in (1, 2, 5)) < 1e-6


def test_a_long_name_keeps_both_ends() -> None:
    assert short("short") == "short"
    cut = short("a" * 30 + "the end", 24)
    assert len(cut) == 24
    assert cut.startswith("aaa")
    assert cut.endswith("the end")


def test_names_do_nothing() -> None:
    drawn = svg(10, 10, "<b>", [dot(1, 2, 3, "c", '"><script>')])
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn
    assert 'aria-label="&lt;b&gt;"' in drawn
