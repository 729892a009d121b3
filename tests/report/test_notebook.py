"""Tables and roses for notebooks."""

from markupsafe import Markup

from graticule.report.notebook import notebook_rose, notebook_table


def test_cells_are_text() -> None:
    table = notebook_table(("a", "<b>"), [("1", "<script>")])
    assert "<th>&lt;b&gt;</th>" in table
    assert "<td>&lt;script&gt;</td>" in table


def test_a_rose_brings_its_rules() -> None:
    assert "<style>" in notebook_rose(Markup("<svg></svg>"))
