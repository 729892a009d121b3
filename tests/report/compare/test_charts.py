"""Differences as pictures and as numbers with their signs."""

from __future__ import annotations

from graticule.report.compare.charts import difference_figure, digits_for


def test_digits_keep_numbers_apart_and_from_zero() -> None:
    assert digits_for([0.021, 0.004, 0.038], 100, 1) == 1
    assert digits_for([0.0004, 0.0, 0.0008], 100, 1) == 2
    assert digits_for([0.0204, 0.0201, 0.0207], 100, 1) == 2
    assert digits_for([0.0, None, None], 100, 1) == 1
    assert digits_for([0.0001, -0.002, 0.0022], 1, 3) == 4
    assert digits_for([0.5, 0.5, 0.5], 1, 3) == 3


def test_the_plot_shows_undefined_and_unlimited_differences() -> None:
    rows = [
        ("first", {"value": 0.02, "low": 0.01, "high": 0.05}),
        ("no limits", {"value": -0.01, "low": None, "high": None}),
        ("<none>", {"value": None, "low": None, "high": None}),
    ]
    drawn = difference_figure(rows, "points", ("A better", "B better"), "label")
    assert drawn.count('class="span"') == 1
    assert drawn.count("<circle") == 2
    assert drawn.count("not defined") == 1
    assert "&lt;none&gt;" in drawn
    assert "first: +2.0" in drawn
