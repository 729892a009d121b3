"""Figures as a page writes them; what is not defined is a dash."""

from __future__ import annotations

import pytest

from graticule.report.quantities import DASH, THIN, decimal, figure_value, percent, show, whole_number


@pytest.mark.parametrize(
    ("figure", "value"),
    [({"value": 0.5}, 0.5), (2, 2.0), (None, None), (float("nan"), None), ({"value": None}, None), (True, None)],
)
def test_a_number_is_read_out_of_a_figure(figure: object, value: float | None) -> None:
    assert figure_value(figure) == value


def test_numbers_are_written_for_people() -> None:
    assert percent(0.1234) == f"12.3{THIN}%"
    assert decimal(0.12345) == "0.123"
    assert whole_number(12345.0) == "12,345"
    assert [percent(None), decimal(None), whole_number(None)] == [DASH] * 3


def test_a_figure_without_an_interval_says_why() -> None:
    shown = show({"value": 0.5, "low": None, "high": None, "method": "too_few_groups"}, "percent")
    assert shown.raw == 0.5
    assert shown.span == ""
    assert show(None, "percent").raw is None
    assert "to" in show({"value": 0.5, "low": 0.4, "high": 0.6, "method": "wilson", "level": 0.95}, "percent").span
