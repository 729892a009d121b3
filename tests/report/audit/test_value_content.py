"""The page of an audit of numbers: findings, tables and pictures from the document alone."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.audit.value_clean import cue, value_document

from graticule.audit.value_document import ScaleFindings, TargetNumbers
from graticule.report.audit.page import render_value_audit
from graticule.report.audit.value_content import cue_row, numbers_figure, scale_words, value_tiles


def read(file: Path) -> NDArray[np.uint8]:
    return np.zeros((8, 8, 3), np.uint8)


def test_the_page_says_what_was_found_and_nothing_of_classes() -> None:
    document = value_document(
        cues=[cue("info bar"), cue("border", "picture", -0.1)],
        examples={"smallest: 0 to 0.1": ["a<b>.png"], "largest: 0.9 to 1": ["c.png"]},
        scale={"low": 10.0, "high": 30.0, "slope": 0.1},
        warnings=["odd"],
    )
    page = render_value_audit(document, read, lambda path: Path(path))
    for text in ("“fraction”", "The info bar", "R² 0.85", "smallest: 0 to 0.1", "10 nm to 30 nm", "odd", "1 of 2 cues"):
        assert text in page
    assert "Classes" not in page
    assert "class away" not in page
    assert "a<b>" not in page


def test_a_clean_page_has_only_what_there_is() -> None:
    page = render_value_audit(value_document(), read, lambda path: None)
    assert "Nothing found that would make a result wrong" in page
    assert 'id="conflicts"' not in page
    assert 'id="leaks"' not in page
    assert "None of the 1 cues" in page


def test_tiles_count() -> None:
    tiles = {
        name: (number, act) for name, number, _, act in value_tiles(value_document(cues=[cue("day"), cue("x", r2=0)]))
    }
    assert tiles["Images"] == ("300", False)
    assert tiles["Telling cues"] == ("1", True)


def test_a_cue_worse_than_the_mean_is_shown_as_it_is() -> None:
    row = cue_row(cue("day", r2=-0.25))
    assert (row["r2"], row["interval"], row["p"]) == ("−0.25", "−0.35 to −0.15", "p = 0.60")


def test_scale_in_words() -> None:
    assert scale_words(None) == ""
    assert scale_words(ScaleFindings(low=5, high=5, slope=None)) == "5 nm in every image"
    assert "power 1.0" in scale_words(ScaleFindings(low=5, high=5000, slope=1.0))


def test_the_distribution_of_the_numbers_is_drawn() -> None:
    told = TargetNumbers(
        column="width", n=6, n_different=4, low=1, middle=2, high=5, mean=2.5, sd=1, counts=(3, 0, 1, 2)
    )
    drawn = str(numbers_figure(told))
    heights = [float(height) for height in re.findall(r'class="bar-of"[^>]* height="([0-9.]+)"', drawn)]
    assert [height / heights[2] for height in heights] == pytest.approx([3, 0, 1, 2], abs=0.01)
    assert "Images by width" in drawn
    assert numbers_figure(told.model_copy(update={"counts": ()})) is None
