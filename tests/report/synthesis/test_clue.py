"""The page of clues before a blind test."""

from __future__ import annotations

from graticule.report.synthesis.clue import render_clue

URI = "data:image/png;base64,AA=="


def test_each_class_shows_both_kinds_apart() -> None:
    page = render_clue([(True, "oil", URI), (False, "oil", URI), (False, "a<b", URI)])
    assert page.count('alt="real oil"') == 1
    assert page.count('alt="generated oil"') == 1
    assert page.count('alt="generated a&lt;b"') == 1
    assert page.index("a&lt;b") < page.index("oil")
    assert "None of them is asked in the test" in page
    assert "graticule labels blind --labels blind.db --truth blind-truth.csv" in page
