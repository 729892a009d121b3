"""Axes of numbers in any unit: ticks are round and cover, points lie where they should."""

from __future__ import annotations

from itertools import pairwise

import pytest

from graticule.report.axes import Panel, tick_label, ticks_over


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], [-3.0, 5.0], [2e-9, 9e-9], [1e7, 1e7 + 3], [5.0, 5.0], [0.0], [3e12, 9e12]]
)
def test_ticks_cover_whatever_the_unit(values: list[float]) -> None:
    ticks = ticks_over(values)
    assert 2 <= len(ticks) <= 12
    span = ticks[-1] - ticks[0]
    assert ticks[0] <= min(values) + 1e-6 * span
    assert ticks[-1] >= max(values) - 1e-6 * span
    assert all(a < b for a, b in pairwise(ticks))


def test_labels() -> None:
    assert [tick_label(tick) for tick in (0.0, -0.0, -0.2, 1500.0, 2e-9)] == ["0", "0", "−0.2", "1500", "2e−09"]


def test_points_lie_where_they_should() -> None:
    panel = Panel(10.0, 20.0, 100.0, 50.0, [0.0, 2.0], [-1.0, 1.0])
    assert panel.at(0.0, -1.0) == (10.0, 70.0)
    assert panel.at(2.0, 1.0) == (110.0, 20.0)
    assert panel.at(1.0, 0.0) == (60.0, 45.0)
    assert panel.path([(0.0, -1.0), (2.0, 1.0)], "join") == '<path class="join" d="M10,70 110,20"/>'
    assert 'y1="45"' in panel.level(0.0, "same")


def test_a_frame_escapes_its_titles_and_may_have_no_ticks_across() -> None:
    panel = Panel(0.0, 0.0, 10.0, 10.0, [0.0, 1.0], [0.0, 1.0])
    body = "".join(panel.frame("<b>", "y", percent=True))
    assert "&lt;b&gt;" in body
    assert ">100<" in body
    assert len(panel.frame("x", "y", across=False)) == len(panel.frame("x", "y")) - 4
