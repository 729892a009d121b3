"""The words on the page of generated images, and what stands where nothing was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.synthesis.test_verdict import COPIES, GOOD

from graticule.errors import ImageError
from graticule.gates import GATES
from graticule.report.synthesis.content import MEANINGS, Sheet, answer_on_generated, class_figures, shown_sheet


def test_every_verdict_has_a_meaning() -> None:
    assert set(MEANINGS) == set(GATES)


def test_the_answer_names_classes_by_verdict() -> None:
    found = [GOOD.describe(), replace(GOOD, label="air", each=COPIES).describe(), replace(GOOD, label="gas").describe()]
    assert answer_on_generated(found) == "oil, gas: use not tested; air: refused."


def test_figures_stand_beside_those_of_real_images() -> None:
    rows = {name: (made, real) for name, made, real, _ in class_figures(GOOD.describe())}
    assert rows["Nearest to an image that the generator saw"] == ("42%", "30% to 55%")
    assert rows["Copies, one by one"] == ("1 (2%, 0% to 13%)", "about 1 %")
    assert rows["Taken for oil by a model of the real images"] == ("80%", "90%")
    assert "FID" not in rows
    empty = replace(GOOD, each=None, as_set=None, agreement=float("nan"))
    rows = {name: (made, real) for name, made, real, _ in class_figures(empty.describe())}
    assert rows["Copies, one by one"] == ("–", "–")
    assert rows["Taken for oil by a model of the real images"] == ("–", "90%")


def test_a_picture_that_is_gone_leaves_a_gap() -> None:
    def read(file: Path) -> np.ndarray:
        if file.name == "gone":
            raise ImageError(str(file), "gone")
        return np.zeros((9, 7, 3), np.uint8)

    sheet = Sheet("oil", [(Path("a"), Path("gone"), 0.987, False), (Path("gone"), None, 0.1, True)], [Path("gone")], [])
    shown = shown_sheet(sheet, read)
    assert [(pair.made is None, pair.parent is None) for pair in shown.pairs] == [(False, True), (True, True)]
    assert shown.pairs[0].ratio == "0.99"
    assert shown.real == []
