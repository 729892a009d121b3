"""The figures that the page names are those that are computed."""

from __future__ import annotations

from graticule.evaluate.values.figures import FIGURES
from graticule.report.values.catalogue import CARDS, DEFINITIONS, ROWS


def test_every_figure_has_a_name_and_a_meaning() -> None:
    assert {row.key for row in ROWS} == {figure.key for figure in FIGURES}
    assert set(CARDS) <= set(ROWS)
    assert all(words.endswith(".") for _, words in DEFINITIONS)
