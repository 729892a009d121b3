"""Drawings of a study: a row per method, a dot per picture."""

import numpy as np
from tests.report.study.study_document import NAMES, compared, study_document

from graticule.report.study.charts import against_truth, method_errors


def test_every_method_has_a_row_and_the_floor_a_line() -> None:
    (told,) = study_document(compared())["parts"]
    rows = [{**row, "short": row["name"]} for row in told["methods"]]
    drawing = str(method_errors(rows, 0.05))
    assert drawing.count("<circle") == len(NAMES)
    assert "floor 0.050" in drawing
    assert "floor" not in str(method_errors(rows, None))


def test_many_pictures_are_thinned() -> None:
    drawing = str(against_truth(np.linspace(0, 1, 2000), np.linspace(-1, 2, 2000), "a <name>"))
    assert drawing.count("<circle") == 500
    assert "a &lt;name&gt;" in drawing
